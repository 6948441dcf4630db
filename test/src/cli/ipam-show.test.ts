/** `ipam show` over blocks as Calico writes them, down to what is rare in them. */
import { beforeEach, expect, test } from 'vitest';
import { blockKey } from '../../../src/datastore/keys.ts';
import type { Json } from '../../../src/datastore/store.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { IpamShell } from './ipam-shell.ts';

let shell: IpamShell;
beforeEach(async () => void (shell = await IpamShell.make()));

/** A block of four: the first addresses have these attributes, the rest is free. */
async function block(cidr: string, affinity: string | null, attributes: readonly Json[]): Promise<void> {
  const ordinals = [0, 1, 2, 3];
  await shell.store.create(blockKey(parsePrefix(cidr)), {
    ...{ cidr, affinity, attributes, sequenceNumber: 1, deleted: false },
    allocations: ordinals.map((ordinal) => (ordinal < attributes.length ? ordinal : null)),
    unallocated: ordinals.slice(attributes.length),
  });
}

const pod = (name: string, more: Readonly<Record<string, string>> = {}): Json => ({
  handle_id: `k8s-pod-network.${name}`,
  secondary: { node: 'n1', pod: name, namespace: 'x', ...more },
});
const cooling: Json = { handle_id: 'old', secondary: {}, releasedAt: '2026-01-01T00:00:00Z' };

const shown = async (...options: readonly string[]): Promise<unknown> =>
  JSON.parse((await shell.run('ipam', 'show', ...options, '-o', 'json')).stdout);
const text = async (ip: string): Promise<string> => (await shell.run('ipam', 'show', '--ip', ip)).stdout;

test('pools and blocks stand in the order of their addresses, each block below its pool, those of none at the end', async () => {
  await shell.put('IPPool', 'ippools', 'an-early-name', { cidr: '10.66.0.0/24', blockSize: 30 });
  await shell.put('IPPool', 'ippools', 'z', { cidr: '10.64.0.0/24', blockSize: 30 });
  for (const cidr of ['10.65.0.4/30', '10.65.0.12/30', '10.66.0.0/30', '10.9.0.0/30', '10.64.0.8/30']) {
    await block(cidr, 'host:n1', [pod('a')]);
  }
  const rows = (await shown('--show-blocks')) as readonly { readonly cidr: string; readonly inUse: number }[];
  expect(rows.map(({ cidr, inUse }) => `${cidr} ${inUse}`)).toEqual([
    ...['10.64.0.0/24 1', '10.64.0.8/30 1'],
    ...['10.65.0.0/24 2', '10.65.0.4/30 1', '10.65.0.12/30 1'],
    ...['10.66.0.0/24 1', '10.66.0.0/30 1'],
    '10.9.0.0/30 1',
  ]);
  expect(await shown()).toHaveLength(3);
});

test('an address that rests is in use, is free for nobody, and has no owner any more', async () => {
  await block('10.65.0.4/30', 'host:n1', [pod('a'), cooling]);
  expect(await shown('--show-blocks')).toMatchObject([
    { inUse: 2, cooling: 1, free: 254 },
    { inUse: 2, cooling: 1, free: 2 },
  ]);
  expect(await shown('--ip', '10.65.0.5')).toEqual({
    ...{ ip: '10.65.0.5', inUse: false, releasedAt: '2026-01-01T00:00:00Z' },
    ...{ block: '10.65.0.4/30', affinity: 'host:n1', pool: 'main', usedBy: [] },
  });
  expect(await text('10.65.0.5')).toBe(
    '10.65.0.5 is not assigned\nIt was released at 2026-01-01T00:00:00Z and rests for ipCooldownSeconds\n',
  );
});

test('who borrows: pods, virtual machines by their own name, tunnels; not a node in its own block, nor what rests', async () => {
  await block('10.65.0.4/30', 'host:n1', [
    pod('own'),
    pod('launcher-x7', { node: 'n2', 'vmi-name': 'vm-1' }),
    { handle_id: 't', secondary: { node: 'n3', type: 'ipipTunnelAddress' } },
    cooling,
  ]);
  await block('10.65.0.8/30', null, [{ handle_id: 'nobody-knows', secondary: {} }, pod('b')]);
  const row = (ip: string, more: object) => ({ ip, block: '10.65.0.4/30', owner: 'n1', ...more });
  expect(await shown('--show-borrowed')).toEqual({
    rows: [
      row('10.65.0.5', { borrower: 'n2', type: 'vmi', allocatedTo: 'x/vm-1' }),
      row('10.65.0.6', { borrower: 'n3', type: 'ipipTunnelAddress', allocatedTo: '' }),
      { ip: '10.65.0.9', borrower: 'n1', block: '10.65.0.8/30', owner: '', type: 'pod', allocatedTo: 'x/b' },
    ],
    unclassified: 1,
  });
  expect((await shell.run('ipam', 'show', '--show-borrowed')).stdout).toContain('Note: of 1 addresses no node');
});

test('of one address: both owners, by whom it is borrowed, and of what kind nobody is', async () => {
  await block('10.65.0.4/30', 'host:n1', [
    { ...(pod('vm', { node: 'n2', timestamp: 'then' }) as object), alternateOwnerAttrs: { pod: 'vm-next' } },
    { handle_id: 't', secondary: { node: 'n1', type: 'ipipTunnelAddress' } },
    { handle_id: null, secondary: {} },
  ]);
  expect(await text('10.65.0.4')).toBe(
    [
      'IP 10.65.0.4 is in use',
      'Handle ID: k8s-pod-network.vm',
      'Active Owner Attributes:',
      ...['  namespace: x', '  node: n2', '  pod: vm', '  timestamp: then'],
      'Alternate Owner Attributes:',
      '  pod: vm-next',
      'Block: 10.65.0.4/30 of host:n1, borrowed by n2',
      'Since: then',
      'Used by: nobody; pod x/vm has no WorkloadEndpoint any more; there is no Node n2',
      '',
    ].join('\n'),
  );
  const tunnel = await text('10.65.0.5');
  expect(tunnel).toContain('Block: 10.65.0.4/30 of host:n1\n');
  expect(tunnel).toContain('Used by: nobody that the datastore knows; no Node has it as its ipipTunnelAddress\n');
  expect(await text('10.65.0.6')).toBe(
    [
      'IP 10.65.0.6 is in use',
      'Handle ID: <none>',
      'No Active Owner attributes defined',
      'Block: 10.65.0.4/30 of host:n1',
      'Since: not recorded',
      'Used by: nobody that the datastore knows',
      '',
    ].join('\n'),
  );
});

test('a pod of the same name is told apart by its namespace and its container', async () => {
  await block('10.65.0.4/30', 'host:n1', [pod('web', { namespace: 'default' }), pod('web')]);
  await shell.endpoint('web', 'n1', '10.65.0.77');
  const has = 'Used by: nobody; Workload(default/n1-k8s-web-eth0) has 10.65.0.77/32';
  // The endpoint's containerID is `web`, with which the handle ends: the same container has another address.
  expect(await text('10.65.0.4')).toContain(`${has}\n`);
  expect(await text('10.65.0.5')).toContain('Used by: nobody; pod x/web has no WorkloadEndpoint any more\n');
  await block('10.65.0.8/30', 'host:n1', [
    { ...(pod('web', { namespace: 'default' }) as object), handle_id: 'before' },
  ]);
  expect(await text('10.65.0.8')).toContain(`${has}, of another container\n`);
});

test('a free address of a pool that is disabled, and what cannot be read', async () => {
  await shell.put('IPPool', 'ippools', 'off', { cidr: '10.66.0.0/24', blockSize: 30, disabled: true });
  await block('10.66.0.0/30', null, []);
  await shell.put('IPPool', 'ippools', 'broken', { cidr: 'x' });
  const { stdout, stderr } = await shell.run('ipam', 'show', '--ip', '10.66.0.1');
  expect(stdout).toBe(
    '10.66.0.1 is not assigned\nIt lies in IP pool off (10.66.0.0/24), which is disabled, in block 10.66.0.0/30 of nobody\n',
  );
  expect(stderr).toMatch(/^cannot read \S+\/ippools\/broken: [^\n]*\n$/);
});
