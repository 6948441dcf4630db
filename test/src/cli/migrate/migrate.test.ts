import { beforeEach, describe, expect, test } from 'vitest';
import { CALICO_PREFIX } from '../../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../../src/datastore/memory.ts';
import type { Store } from '../../../../src/datastore/store.ts';
import { createIpam } from '../../../../src/ipam/index.ts';
import { resourceKey } from '../../../../src/resources/index.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { FakeShell } from '../../../support/cli.ts';
import { assign, pool } from '../../../support/ipam.ts';
import { manifest } from '../../../support/resources.ts';

let shell: FakeShell;

const migrate = (on: FakeShell, ...args: readonly string[]) => on.run('datastore', 'migrate', ...args);

const contents = async (store: Store) =>
  Object.fromEntries((await store.list(CALICO_PREFIX)).entries.map(({ key, value }) => [key, value]));

beforeEach(async () => {
  shell = new FakeShell();
  shell.files.all = JSON.stringify([
    manifest('IPPool', { name: 'pods', labels: { a: 'b' } }, { cidr: '10.0.0.0/16', ipipMode: 'Always' }),
    manifest('BGPFilter', 'f', { importV4: [{ cidr: '10.0.0.0/8', matchOperator: 'In', action: 'Reject' }] }),
    manifest('BGPPeer', 'tor', { peerIP: '10.9.0.1', asNumber: 65001, filters: ['f'] }),
    manifest('NetworkSet', 'set', { nets: ['10.0.0.0/8'] }),
  ]);
  await shell.run('apply', '-f', 'all');
  const ipam = createIpam(shell.store, { clock: systemClock, random: () => 0.5 });
  await assign(ipam, 'node-a', 'pod-1', [pool('10.0.0.0/16', 26)], 3);
  await assign(ipam, 'node-b', 'pod-2', [pool('10.0.0.0/16', 26)]);
});

/** What `export` printed of the locked store. */
async function exported(): Promise<string> {
  await migrate(shell, 'lock');
  const { exitCode, stdout, stderr } = await migrate(shell, 'export');
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

describe('datastore migrate', () => {
  test('lock and unlock say so in ClusterInformation, and keep the rest of it', async () => {
    expect((await migrate(shell, 'unlock')).stdout).toBe('Datastore unlocked.\n');
    expect((await migrate(shell, 'lock')).stdout).toBe('Datastore locked.\n');
    const ready = async () =>
      (await shell.run('get', 'clusterinfo', '-o', 'jsonpath={.items[*].spec.datastoreReady}')).stdout;
    expect(await ready()).toBe('false');
    await migrate(shell, 'lock');
    await migrate(shell, 'unlock');
    expect(await ready()).toBe('true');
  });

  test('export needs the lock', async () => {
    expect((await migrate(shell, 'export')).stderr).toMatch(
      /^datastore is not locked\. Run the `calicoctl-ts datastore migrate lock`/,
    );
  });

  test('export has resources, cluster information and IPAM, divided as in calicoctl’s', async () => {
    const [resources = '', info = '', ipam = '', ...rest] = (await exported()).split('===\n');
    expect(rest).toEqual([]);
    expect(resources.match(/^kind: .*/gm)).toEqual([
      'kind: BGPFilterList',
      'kind: BGPPeerList',
      'kind: IPPoolList',
      'kind: NetworkSetList',
    ]);
    expect(resources.match(/^---$/gm)).toHaveLength(4);
    expect(JSON.parse(info)).toMatchObject({ kind: 'ClusterInformation', spec: { datastoreReady: false } });
    const section = JSON.parse(ipam) as Readonly<Record<string, readonly unknown[]>>;
    expect(Object.keys(section).filter((name) => name !== 'others')).toEqual(['block_affinities', 'blocks', 'handles']);
    expect(section.blocks?.[0]).toEqual({
      Key: expect.stringMatching(/^\/calico\/ipam\/v2\/assignment\/ipv4\/block\/10\.0\.\d+\.\d+-26$/),
      Value: expect.objectContaining({ deleted: false }),
      TTL: 0,
    });
  });

  test('import gives an empty datastore the very same contents, and leaves it locked', async () => {
    const text = await exported();
    const other = new FakeShell(new MemoryStore());
    other.files.export = text;
    const { exitCode, stdout } = await migrate(other, 'import', '-f', 'export');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Imported 4 resources and \d+ IPAM records\nThe datastore stays locked until /);
    expect(await contents(other.store)).toEqual(await contents(shell.store));
    expect((await migrate(other, 'export')).stdout).toBe(text);
  });

  test('import goes on where one was cut off, and refuses a datastore with anything else in it', async () => {
    const other = new FakeShell(new MemoryStore());
    other.files.export = await exported();
    const writeAll = other.store.writeAll.bind(other.store);
    let calls = 0;
    other.store.writeAll = (writes) => {
      if (calls++ > 0) return Promise.reject(new Error('the power is gone'));
      return writeAll(writes.slice(0, 3));
    };
    await migrate(other, 'import', '-f', 'export');
    other.store.writeAll = writeAll;
    expect((await migrate(other, 'import', '-f', 'export')).stdout).toContain(
      '\n3 of them were there from an import before\n',
    );
    expect(await contents(other.store)).toEqual(await contents(shell.store));

    await other.run('label', 'ippool', 'pods', 'x=y');
    const before = await contents(other.store);
    expect((await migrate(other, 'import', '-f', 'export')).stderr).toBe(
      `nothing was imported: the datastore is not empty: ${resourceKey('IPPool', 'pods')} is there, and is not what the file has\n`,
    );
    expect(await contents(other.store)).toEqual(before);
  });

  test('import checks everything before it writes anything', async () => {
    const other = new FakeShell(new MemoryStore());
    other.files.export = (await exported()).replace('65001', '-1').replace(/"cidr": "[^"]*"/, '"cidr": "x"');
    const { exitCode, stderr } = await migrate(other, 'import', '-f', 'export');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^nothing was imported:\nexport:\d+: spec\.asNumber = '-1': .*\nexport:\d+: blocks: .*cidr = 'x'/,
    );
    expect(await contents(other.store)).toEqual({});
  });

  test.each([
    ['a: 1\n', 'f: is no export: resources, cluster information and IPAM are divided by two lines of ===, not 0'],
    ['===\n===\n', 'f:3: Unexpected end of JSON input'],
    ['===\n[]\n===\n{}\n', 'f:2: is not an object'],
    ['===\n===\n{"blocks": [{"Key": "/calico/ipam/v2/handle/x", "Value": {}}]}', 'belongs into handles'],
    ['===\n===\n{"handles": [{"Key": "/elsewhere", "Value": {}}]}', "Key = '/elsewhere': is not a key of IPAM's"],
    ['===\n===\n{"handles": 7}', "Key = 'undefined': is not a key"],
  ])('import refuses %j', async (text, message) => {
    const other = new FakeShell(new MemoryStore());
    other.files.f = text;
    const { exitCode, stderr } = await migrate(other, 'import', '-f', 'f');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  test('export refuses to lose a resource that it cannot read, and tells of keys that are nobody’s', async () => {
    await migrate(shell, 'lock');
    await shell.store.create('/calico/felix/v2/x', {});
    expect((await migrate(shell, 'export')).stderr).toBe(
      "left out: /calico/felix/v2/x: is neither a resource nor IPAM's\n",
    );
    await shell.store.create('/calico/resources/v3/projectcalico.org/stagednetworkpolicies/default/p', {});
    const { exitCode, stdout, stderr } = await migrate(shell, 'export');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('stagednetworkpolicies/default/p: its kind is not supported: it would be lost');
  });

  test('import counts on a terminal alone', async () => {
    const text = await exported();
    for (const isTerminal of [true, false]) {
      const other = new FakeShell(new MemoryStore());
      Object.assign(other, { isTerminal });
      other.files.export = text;
      expect((await migrate(other, 'import', '-f', 'export')).stderr.includes('importing 0 of ')).toBe(isTerminal);
    }
  });
});
