import { expect, test } from 'vitest';
import { localBlocks } from '../../../src/agent/cluster-view.ts';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import { settleTunnelAddresses, tunnelWork } from '../../../src/agent/tunnel-addresses.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { createIpam, tunnelHandle } from '../../../src/ipam/index.ts';
import { createResourceClient, resourcesFromEntries } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

const API = 'projectcalico.org/v3';
const pool = (cidr: string, mode: object, name = 'p1'): AnyResource =>
  ({ apiVersion: API, kind: 'IPPool', metadata: { name }, spec: { cidr, ...mode } }) as unknown as AnyResource;

async function cluster(): Promise<{
  resources: ReturnType<typeof createResourceClient>;
  settle: () => Promise<Knowledge>;
  handles: () => Promise<number[]>;
}> {
  const store = new MemoryStore();
  const resources = createResourceClient(store);
  const ipam = createIpam(store, { clock: systemClock, random: () => 0.5 });
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
  const settle = async (): Promise<Knowledge> => {
    await settleTunnelAddresses(await know(), { ipam, resources });
    return know();
  };
  const count = async (kind: 'ipip' | 'vxlan'): Promise<number> =>
    (await ipam.assignmentsOf(tunnelHandle(kind, 'a'))).length;
  return { resources, settle, handles: async () => [await count('ipip'), await count('vxlan')] };
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
