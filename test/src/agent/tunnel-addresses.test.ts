import { expect, test } from 'vitest';
import { localBlocks } from '../../../src/agent/cluster-view.ts';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import type { TunnelPorts } from '../../../src/agent/tunnel-addresses.ts';
import { TunnelAddresses, tunnelAddressOf, tunnelWork } from '../../../src/agent/tunnel-addresses.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { createIpam, tunnelHandle } from '../../../src/ipam/index.ts';
import type { Ipam, TunnelKind } from '../../../src/ipam/index.ts';
import { formatIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { createResourceClient, resourcesFromEntries } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';

const API = 'projectcalico.org/v3';
const pool = (cidr: string, mode: object, name = 'p1'): AnyResource =>
  ({ apiVersion: API, kind: 'IPPool', metadata: { name }, spec: { cidr, ...mode } }) as unknown as AnyResource;

async function cluster(): Promise<{
  ipam: Ipam;
  resources: ReturnType<typeof createResourceClient>;
  /** The first call of a new process, which is killed once it has written so often. */
  restart: (writes: number) => Promise<Knowledge>;
  settle: () => Promise<Knowledge>;
  held: (kind: TunnelKind) => Promise<string[]>;
  /** What devices were given, and what the Node resource said then. */
  carried: string[];
  handles: () => Promise<number[]>;
}> {
  const store = new MemoryStore();
  const resources = createResourceClient(store);
  const ports = { clock: systemClock, random: () => 0.5 };
  const ipam = createIpam(store, ports);
  await resources.create({
    apiVersion: API,
    kind: 'Node',
    metadata: { name: 'a', labels: { rack: 'a' } },
    spec: { bgp: { ipv4Address: '172.30.1.11/24' } },
  });
  const know = async (): Promise<Knowledge> => {
    const { entries } = await store.list('/');
    return { node: 'a', resources: resourcesFromEntries(entries).resources, blocks: localBlocks(entries, 'a') };
  };
  const carried: string[] = [];
  const carry: TunnelPorts['carry'] = async (kind, address) => {
    const told = tunnelAddressOf(await resources.get('Node', 'a'), kind) ?? 'nothing';
    carried.push(`${kind} ${formatIpAddress(address)} while the Node says ${told}`);
  };
  const tunnels = new TunnelAddresses({ ipam, resources, carry });
  const settle = async (): Promise<Knowledge> => {
    await tunnels.settle(await know());
    return know();
  };
  const restart = async (writes: number): Promise<Knowledge> => {
    let left = writes;
    const mortal = interleavedStore(store, (label) =>
      !/^(create|update|delete)/.test(label) || left-- > 0 ? Promise.resolve() : Promise.reject(new Error('killed')),
    );
    const parts = { ipam: createIpam(mortal, ports), resources: createResourceClient(mortal), carry };
    const settling = new TunnelAddresses(parts).settle(await know());
    await settling.catch((error: unknown) => expect(error).toEqual(new Error('killed')));
    return know();
  };
  const held = async (kind: TunnelKind): Promise<string[]> =>
    (await ipam.assignmentsOf(tunnelHandle(kind, 'a'))).map(({ address }) => formatIpAddress(address));
  const handles = async (): Promise<number[]> => [(await held('ipip')).length, (await held('vxlan')).length];
  return { ipam, resources, restart, settle, held, handles, carried };
}

test('an IPIP pool gives this node a tunnel address, once, and its labels stay', async () => {
  const { resources, settle, handles } = await cluster();
  await resources.create(pool('192.168.0.0/16', { ipipMode: 'CrossSubnet' }));
  const first = (await settle()).resources.Node.get('a')!;
  const again = await settle();
  expect(first.spec.bgp?.ipv4IPIPTunnelAddr).toMatch(/^192\.168\./);
  expect(first.metadata.labels).toEqual({ rack: 'a' });
  expect(again.resources.Node.get('a')).toEqual(first);
  expect(again.blocks).toHaveLength(1);
  expect(await handles()).toEqual([1, 0]);
  expect(tunnelWork(again)).toEqual([]);
});

test('the device carries an address before anybody else hears of it', async () => {
  const { resources, settle, carried, held } = await cluster();
  await resources.create(pool('192.168.0.0/16', { ipipMode: 'Always' }));
  await settle();
  await settle();
  expect(carried).toEqual([`ipip ${(await held('ipip'))[0]} while the Node says nothing`]);
});

test('an IPv6 pool with VXLAN gives an address to a node that has an IPv6 address, beside its IPv4 ones', async () => {
  const { resources, settle, held } = await cluster();
  await resources.create(pool('fd10::/48', { vxlanMode: 'CrossSubnet' }, 'six'));
  await resources.create(pool('192.168.0.0/16', { vxlanMode: 'CrossSubnet' }));
  expect((await settle()).resources.Node.get('a')?.spec.ipv6VXLANTunnelAddr).toBeUndefined();
  const node = await resources.get('Node', 'a');
  await resources.update({
    ...node,
    spec: { ...node.spec, bgp: { ...node.spec.bgp, ipv6Address: 'fd00:30:1::11/64' } },
  });
  const { spec } = (await settle()).resources.Node.get('a')!;
  expect(spec.ipv6VXLANTunnelAddr).toMatch(/^fd10::/);
  expect(spec.ipv4VXLANTunnelAddr).toMatch(/^192\.168\./);
  expect(await held('vxlan-v6')).toEqual([spec.ipv6VXLANTunnelAddr]);
  await resources.apply(pool('fd10::/48', {}, 'six'));
  const after = (await settle()).resources.Node.get('a')!.spec;
  expect([after.ipv6VXLANTunnelAddr, after.ipv4VXLANTunnelAddr]).toEqual([undefined, spec.ipv4VXLANTunnelAddr]);
  expect(await held('vxlan-v6')).toEqual([]);
});

test('a pool that changes from IPIP to VXLAN swaps the addresses', async () => {
  const { resources, settle, handles } = await cluster();
  await resources.create(pool('192.168.0.0/16', { ipipMode: 'Always' }));
  await settle();
  await resources.apply(pool('192.168.0.0/16', { vxlanMode: 'Always' }));
  const { spec } = (await settle()).resources.Node.get('a')!;
  expect(spec.bgp).toEqual({ ipv4Address: '172.30.1.11/24' });
  expect(spec.ipv4VXLANTunnelAddr).toMatch(/^192\.168\./);
  expect(await handles()).toEqual([0, 1]);
});

test('no pool that wants one, no address', async () => {
  const { resources, settle, handles } = await cluster();
  await resources.create(pool('192.168.0.0/16', {}));
  await resources.create(pool('10.9.0.0/16', { ipipMode: 'Always', nodeSelector: "rack == 'b'" }, 'elsewhere'));
  expect(tunnelWork(await settle())).toEqual([]);
  expect(await handles()).toEqual([0, 0]);
});

test('an address that must move stays in the Node and in IPAM while there is no other', async () => {
  const { ipam, resources, settle, handles } = await cluster();
  await resources.create(pool('192.168.0.0/16', { ipipMode: 'Always' }));
  const before = (await settle()).resources.Node.get('a')!;
  await resources.apply(pool('192.168.0.0/16', { ipipMode: 'Never' }));
  await resources.create(pool('10.9.0.0/32', { ipipMode: 'Always', blockSize: 32 }, 'full'));
  const full = { name: 'full', cidr: parsePrefix('10.9.0.0/32'), blockSize: 32 };
  await ipam.autoAssign({ node: 'b', count: 1, handleId: 'h', attributes: {}, pools: [full] });
  await expect(settle()).rejects.toThrow('no free address');
  expect(await resources.get('Node', 'a')).toEqual(before);
  expect(await handles()).toEqual([1, 0]);
});

test.each(['moves', 'goes'])(
  'wherever an agent is killed while an address %s, the next one leaves no other behind',
  async (how) => {
    for (let writes = 0; writes <= 16; writes++) {
      const { resources, restart, handles } = await cluster();
      await resources.create(pool('192.168.0.0/16', { ipipMode: 'Always' }));
      await restart(99);
      await resources.apply(pool('192.168.0.0/16', { ipipMode: 'Never' }));
      if (how === 'moves') await resources.create(pool('10.9.0.0/16', { ipipMode: 'Always' }, 'other'));
      await restart(writes);
      const { spec } = (await restart(99)).resources.Node.get('a')!;
      if (how === 'moves') expect(spec.bgp?.ipv4IPIPTunnelAddr).toMatch(/^10\.9\./);
      else expect(spec.bgp?.ipv4IPIPTunnelAddr).toBeUndefined();
      expect(await handles(), `killed after ${writes} writes`).toEqual([how === 'moves' ? 1 : 0, 0]);
    }
  },
);

test('while an address moves, what the Node says is always assigned', async () => {
  for (let writes = 0; writes <= 16; writes++) {
    const { resources, restart, held } = await cluster();
    await resources.create(pool('192.168.0.0/16', { ipipMode: 'Always' }));
    await restart(99);
    await resources.apply(pool('192.168.0.0/16', { ipipMode: 'Never' }));
    await resources.create(pool('10.9.0.0/16', { ipipMode: 'Always' }, 'other'));
    const { spec } = (await restart(writes)).resources.Node.get('a')!;
    expect(await held('ipip'), `killed after ${writes} writes`).toContain(spec.bgp?.ipv4IPIPTunnelAddr);
  }
});
