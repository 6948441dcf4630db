import { beforeEach, describe, expect, test } from 'vitest';
import { FakeShell } from '../../support/cli.ts';
import { manifest } from '../../support/resources.ts';

let shell: FakeShell;

const POOL = `apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: pods}
spec:
  cidr: 10.0.0.0/16
`;

beforeEach(() => {
  shell = new FakeShell();
  shell.files.pool = POOL;
});

describe('validate', () => {
  test('needs no datastore', async () => {
    shell.env.DATASTORE_TYPE = 'consul';
    expect(await shell.run('validate', '-f', 'pool')).toEqual({
      exitCode: 0,
      stdout: "Successfully validated 1 'IPPool' resource(s)\n",
      stderr: '',
    });
    expect(shell.opened).toBeUndefined();
  });

  test('tells of each fault with file, line, field and value, and the nearest known name', async () => {
    shell.files.bad = POOL.replace('cidr: 10.0.0.0/16', 'cidr: 10.0.0.0/33\n  ipipmode: Always\n  natOutgoing: maybe');
    const { exitCode, stderr } = await shell.run('validate', '-f', 'bad');
    expect(exitCode).toBe(1);
    const [head, ...faults] = stderr.trimEnd().split('\n');
    expect(head).toBe("failed to validate 'IPPool' resource: [error with the following fields:");
    expect(faults.sort()).toEqual([
      expect.stringMatching(/^- {2}bad:5: spec\.cidr = '10\.0\.0\.0\/33': /),
      expect.stringMatching(
        /^- {2}bad:6: spec\.ipipmode = 'Always': is not a field of IPPool\.spec; did you mean "ipipMode"\?/,
      ),
      expect.stringMatching(/^- {2}bad:7: spec\.natOutgoing = 'maybe': /),
    ]);
  });

  test('does what it can of several', async () => {
    shell.files.some = `${POOL}---\n${POOL.replace('pods', 'more').replace('/16', '')}`;
    const { exitCode, stdout, stderr } = await shell.run('validate', '-f', 'some');
    expect([exitCode, stdout]).toEqual([1, "Partial success: validated the first 1 out of 2 'IPPool' resources:\n"]);
    expect(stderr).toMatch(
      /^hit error: \[IPPool\(more\): some:11: error with field spec\.cidr = '10\.0\.0\.0': .*\]\n$/,
    );
  });

  test('finds what is there twice', async () => {
    shell.files.twice = `${POOL}---\n${POOL}`;
    expect((await shell.run('validate', '-f', 'twice')).stderr).toBe(
      'hit error: [twice:7: IPPool(pods) is there already, at twice:1]\n',
    );
  });

  test('says which fields are kept and not acted upon; so do apply and patch', async () => {
    const kept = { asNumber: 64_600, serviceClusterIPs: [{ cidr: '10.96.0.0/12' }] };
    shell.files.config = JSON.stringify(manifest('BGPConfiguration', 'default', kept));
    const note =
      'note: BGPConfiguration(default): spec.serviceClusterIPs is kept, but service addresses are not announced yet\n';
    for (const verb of ['validate', 'apply']) expect((await shell.run(verb, '-f', 'config')).stderr).toBe(note);
    const patch = await shell.run('patch', 'bgpconfig', 'default', '-p', '{"spec": {"asNumber": 64601}}');
    expect(patch.stderr).toBe(note);
  });

  test('says of policies that nothing goes by them yet; so does apply', async () => {
    shell.files.policy = JSON.stringify([manifest('NetworkPolicy', 'p'), manifest('NetworkPolicy', 'q')]);
    const note = 'note: a NetworkPolicy is stored and checked; nothing goes by it yet\n';
    expect((await shell.run('validate', '-f', 'policy')).stderr).toBe(note);
    expect((await shell.run('apply', '-f', 'policy')).stderr).toBe(note);
  });

  test.each([
    ['', 'no resources specified in file f\n'],
    [
      'kind: X',
      "failed to validate 'X' resource: [f:1: error with field apiVersion = '': is not projectcalico.org/v3]\n",
    ],
    [
      'apiVersion: projectcalico.org/v3\nkind: IPPol',
      `failed to validate 'IPPol' resource: [f:2: error with field kind = 'IPPol': is not a kind that is supported; did you mean "IPPool"?]\n`,
    ],
  ])('refuses %j', async (text, message) => {
    shell.files.f = text;
    expect(await shell.run('validate', '-f', 'f')).toEqual({ exitCode: 1, stdout: '', stderr: message });
    if (text === '') expect((await shell.run('validate', '--skip-empty', '-f', 'f')).exitCode).toBe(0);
  });
});

describe('-n with -f', () => {
  const set = (namespace?: string) =>
    JSON.stringify({
      ...manifest('NetworkSet', 's'),
      metadata: { name: 's', ...(namespace === undefined ? {} : { namespace }) },
    });

  test('is the namespace of what names none, and must be that of what names one', async () => {
    shell.files.set = set();
    await shell.run('apply', '-f', 'set', '-n', 'blue');
    expect((await shell.run('get', 'netset', '-n', 'blue', '--no-headers')).stdout).toMatch(/^blue +s /);
    shell.files.set = set('red');
    expect((await shell.run('apply', '-f', 'set', '-n', 'blue')).stderr).toBe(
      "failed to apply 'NetworkSet' resource: [set:1: resource namespace does not match client namespace. red != blue]\n",
    );
    expect((await shell.run('apply', '-f', 'pool', '-n', 'blue')).stderr).toBe(
      "failed to apply 'IPPool' resource: [pool:2: IPPool is not namespaced]\n",
    );
  });
});
