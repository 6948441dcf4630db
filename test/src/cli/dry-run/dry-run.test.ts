import { beforeEach, describe, expect, test } from 'vitest';
import { resourceKey } from '../../../../src/resources/index.ts';
import { FakeShell } from '../../../support/cli.ts';
import { manifest } from '../../../support/resources.ts';

let shell: FakeShell;
let revision: number;

const pool = (name: string, spec: object, labels = {}) => JSON.stringify(manifest('IPPool', { name, labels }, spec));

beforeEach(async () => {
  shell = new FakeShell();
  shell.files.pool = pool('pods', { cidr: '10.0.0.0/16', natOutgoing: true });
  shell.files.peer = JSON.stringify(manifest('BGPPeer', 'tor', { peerIP: '10.9.0.1', asNumber: 65001 }));
  await shell.run('apply', '-f', 'pool');
  await shell.run('apply', '-f', 'peer');
  ({ revision } = await shell.store.list('/'));
});

/** Nothing may be written, whatever happens. */
async function dryRun(...args: readonly string[]) {
  const result = await shell.run(...args, '--dry-run');
  expect((await shell.store.list('/')).revision).toBe(revision);
  return result;
}

const told = (...lines: readonly string[]) => ({ exitCode: 0, stdout: `${lines.join('\n')}\n`, stderr: '' });

const sum = (counts: string): string => `dry run: ${counts}; nothing was written`;

describe('--dry-run', () => {
  test('of apply shows what is new, what changes field by field, and what stays', async () => {
    shell.files.all = JSON.stringify([
      manifest(
        'IPPool',
        { name: 'pods', labels: { a: 'b', 'example.com/x': 'y' } },
        { cidr: '10.0.0.0/16', ipipMode: 'Always' },
      ),
      JSON.parse(shell.files.peer!),
      manifest('BGPFilter', 'f', { importV4: [{ cidr: '10.0.0.0/8', matchOperator: 'In', action: 'Reject' }] }),
    ]);
    expect(await dryRun('apply', '-f', 'all')).toEqual(
      told(
        '~ IPPool(pods)',
        '+   metadata.labels.a: b',
        "+   metadata.labels['example.com/x']: y",
        '~   spec.ipipMode: Never → Always',
        '~   spec.natOutgoing: true → false',
        '= BGPPeer(tor)',
        '+ BGPFilter(f)',
        '+   spec.importV4[0].cidr: 10.0.0.0/8',
        '+   spec.importV4[0].matchOperator: In',
        '+   spec.importV4[0].action: Reject',
        sum('1 would be created, 1 changed, 0 deleted, 1 left as they are'),
      ),
    );
  });

  test('shows no default as a change, and none of what is created', async () => {
    shell.files.same = pool('pods', {
      cidr: '10.0.0.0/16',
      natOutgoing: true,
      ipipMode: 'Never',
      nodeSelector: 'all()',
    });
    shell.files.more = pool('more', { cidr: '10.1.0.0/16' });
    expect((await dryRun('replace', '-f', 'same')).stdout).toMatch(/^= IPPool\(pods\)\ndry run: /);
    expect((await dryRun('create', '-f', 'more')).stdout).toMatch(
      /^\+ IPPool\(more\)\n\+ {3}spec\.cidr: 10\.1\.0\.0\/16\ndry run: /,
    );
  });

  test('of patch, label and delete', async () => {
    expect(await dryRun('patch', 'ippool', 'pods', '-p', '{"spec":{"nodeSelector":"rack == \'a\'"}}')).toEqual(
      told(
        '~ IPPool(pods)',
        "~   spec.nodeSelector: all() → rack == 'a'",
        sum('0 would be created, 1 changed, 0 deleted, 0 left as they are'),
      ),
    );
    expect((await dryRun('label', 'ippool', 'pods', 'rack=a')).stdout).toContain('\n+   metadata.labels.rack: a\n');
    expect(await dryRun('delete', 'bgppeer', 'tor')).toEqual(
      told(
        '- BGPPeer(tor)',
        '-   spec.peerIP: 10.9.0.1',
        '-   spec.asNumber: 65001',
        sum('0 would be created, 0 changed, 1 deleted, 0 left as they are'),
      ),
    );
  });

  test('refuses what would be refused, with the same words and exit code, and shows the rest', async () => {
    shell.files.two = JSON.stringify([
      manifest('IPPool', 'overlap', { cidr: '10.0.128.0/17' }),
      manifest('IPPool', 'fine', { cidr: '10.1.0.0/16' }),
    ]);
    const { exitCode, stdout, stderr } = await dryRun('apply', '-f', 'two');
    const real = await shell.run('apply', '-f', 'two');
    expect([exitCode, stderr]).toEqual([1, real.stderr]);
    expect(stdout).toMatch(/^\+ IPPool\(fine\)\n.*\ndry run: 1 would be created/);
  });

  test('judges a resource as if those before it were there', async () => {
    shell.files.two = JSON.stringify([
      manifest('IPPool', 'one', { cidr: '10.1.0.0/16' }),
      manifest('IPPool', 'two', { cidr: '10.1.128.0/17' }),
    ]);
    expect((await dryRun('create', '-f', 'two')).stderr).toMatch(/two:1: .*IPPool\(two\) overlaps IPPool\(one\)/);
    expect((await dryRun('create', '-f', 'peer')).stderr).toContain('resource already exists: BGPPeer(tor)');
    expect((await dryRun('delete', 'bgppeer', 'tor', 'tor')).stderr).toContain('does not exist: BGPPeer(tor)');
  });

  test('shows what cannot be read as it lies there', async () => {
    await shell.store.create(resourceKey('BGPPeer', 'broken'), {
      kind: 'BGPPeer',
      metadata: { name: 'broken' },
      spec: { x: 1 },
    });
    ({ revision } = await shell.store.list('/'));
    expect((await dryRun('delete', 'bgppeer', 'broken')).stdout).toContain('- BGPPeer(broken)\n-   spec.x: 1\n');
  });

  test('has colours on a terminal, but never with NO_COLOR', async () => {
    shell.isTerminal = true;
    expect((await dryRun('delete', 'bp', 'tor')).stdout).toContain('\u001b[31m- BGPPeer(tor)\u001b[0m\n');
    shell.env.NO_COLOR = '1';
    expect((await dryRun('delete', 'bp', 'tor')).stdout).not.toContain('\u001b');
  });
});
