import { describe, expect, test } from 'vitest';
import {
  blocksUse,
  dataplaneInputs,
  listenPort,
  localBlocks,
  speakerSettings,
} from '../../../src/agent/cluster-view.ts';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import { hashedRouterId } from '../../../src/agent/router-id.ts';
import { affinityKey, blockKey, resourceKey } from '../../../src/datastore/keys.ts';
import type { Entry, Json } from '../../../src/datastore/store.ts';
import {
  formatIpAddress,
  formatIpv4,
  formatPrefix,
  parseInterfaceAddress,
  parseIpAddress,
  parsePrefix,
} from '../../../src/model/ip.ts';
import { resourcesFromEntries } from '../../../src/resources/index.ts';

const PLURALS: Readonly<Record<string, string>> = {
  Node: 'nodes',
  IPPool: 'ippools',
  WorkloadEndpoint: 'workloadendpoints',
  BGPConfiguration: 'bgpconfigurations',
};

const entry = (key: string, value: Json): Entry => ({ key, value, revision: 1 });

function resource(kind: string, name: string, ...[spec, labels = {}]: readonly [Json, Json?]): Entry {
  const namespace = kind === 'WorkloadEndpoint' ? { namespace: 'default' } : {};
  return entry(resourceKey({ plural: PLURALS[kind]!, name, ...namespace }), {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { name, labels, ...namespace },
    spec,
  });
}

const affinity = (node: string, cidr: string, state?: string): Entry =>
  entry(affinityKey(node, parsePrefix(cidr)), state === undefined ? {} : { state, deleted: false });

const pod = (node: string, name: string, address: string): Entry =>
  resource('WorkloadEndpoint', `${node}-k8s-${name}-eth0`, {
    orchestrator: 'k8s',
    node,
    pod: name,
    endpoint: 'eth0',
    interfaceName: `cali${name}`,
    ipNetworks: [`${address}/32`],
  });

const CLUSTER = [
  resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24', ipv4IPIPTunnelAddr: '192.168.0.1' } }, { rack: 'a' }),
  resource('Node', 'b', { bgp: { ipv4Address: '172.30.2.11/24', asNumber: 64999 } }),
  resource('Node', 'unborn', {}),
  resource('IPPool', 'p1', { cidr: '192.168.0.0/16', ipipMode: 'CrossSubnet', natOutgoing: true }),
  affinity('a', '192.168.0.0/26', 'confirmed'),
  affinity('a', '192.168.9.0/26', 'pending'),
  affinity('b', '192.168.0.64/26', 'confirmed'),
  pod('a', 'web', '192.168.0.2'),
  pod('b', 'db', '192.168.0.66'),
];

const knowledge = (entries: readonly Entry[], node = 'a'): Knowledge => {
  const { resources, unreadable } = resourcesFromEntries(entries);
  expect(unreadable).toEqual([]);
  return { node, resources, blocks: localBlocks(entries, node) };
};

const wishes = { bgp: { holdSeconds: 90, deferralSeconds: 5 }, hasIpv6: true, restarting: false };

describe('blocks', () => {
  test('only confirmed affinities of this node count; an empty value is old data and means confirmed', () => {
    const entries = [...CLUSTER, affinity('a', '192.168.7.0/26'), affinity('a', '192.168.8.0/26', 'pendingDeletion')];
    expect(localBlocks(entries, 'a').map(formatPrefix)).toEqual(['192.168.0.0/26', '192.168.7.0/26']);
  });
});

describe('addresses that others borrowed from our blocks', () => {
  const of = (secondary: object, more: object = {}): Json => ({ handle_id: 'h', secondary, ...more }) as Json;
  const block = entry(blockKey(parsePrefix('192.168.0.0/30')), {
    cidr: '192.168.0.0/30',
    affinity: 'host:a',
    allocations: [0, 1, 2, 3],
    unallocated: [],
    attributes: [
      of({ node: 'a' }),
      of({ node: 'b' }),
      of({}),
      of({ node: 'c' }, { releasedAt: '2026-01-01T00:00:00Z' }),
    ],
    sequenceNumber: 1,
    sequenceNumberForAllocation: {},
    deleted: false,
  });
  const blocks = [parsePrefix('192.168.0.0/30')];
  const use = (...entries: readonly Entry[]) =>
    blocksUse(new Map(entries.map((each) => [each.key, each])), { node: 'a', blocks });
  const lent = (...entries: readonly Entry[]): readonly string[] => use(...entries).lent!.map(formatIpAddress);

  test('are those whose assignment names another node, and none that was given back', () => {
    expect(lent(block)).toEqual(['192.168.0.1']);
  });

  test('are none where the block is missing or broken', () => {
    expect(lent()).toEqual([]);
    expect(lent({ ...block, value: { cidr: '192.168.0.0/30', allocations: [] } })).toEqual([]);
  });

  test('and a block of which nobody has an address is unused, but not one that cannot be read', () => {
    const given = { ...(block.value as object), allocations: [null, null, null, 3] };
    expect(use(block).unused).toEqual([]);
    expect(use({ ...block, value: given }).unused).toEqual(blocks);
    expect(use({ ...block, value: { cidr: '192.168.0.0/30', allocations: [] } }).unused).toEqual([]);
    expect(use().unused).toEqual([]);
  });
});

describe("felix's inputs", () => {
  test('tell the IPv6 side of a node', () => {
    const dual = resource('Node', 'd', {
      bgp: { ipv4Address: '172.30.2.12/24', ipv6Address: 'fd00:30:2::12/64' },
      ipv6VXLANTunnelAddr: 'fd10::1',
      vxlanTunnelMACAddrV6: '66:00:00:00:00:01',
    });
    const inputs = dataplaneInputs(knowledge([...CLUSTER, dual]), { routes: [], complete: true })!;
    expect(inputs.nodes.find(({ name }) => name === 'd')?.ipv6).toEqual({
      address: parseInterfaceAddress('fd00:30:2::12/64'),
      vxlanTunnelAddress: parseIpAddress('fd10::1'),
      vxlanTunnelMac: '66:00:00:00:00:01',
    });
  });

  test('have the tunnel addresses that IPAM gave, until the Node resource says its own', () => {
    const assigned = new Map([
      ['ipip', parseIpAddress('192.168.0.9')],
      ['vxlan', parseIpAddress('192.168.0.10')],
    ] as const);
    const { local } = dataplaneInputs(knowledge(CLUSTER), { routes: [], complete: true }, assigned)!;
    expect(formatIpAddress(local.ipipTunnelAddress!)).toBe('192.168.0.1');
    expect(formatIpAddress(local.vxlanTunnelAddress!)).toBe('192.168.0.10');
  });

  test('hold the other nodes that have an address, the pools, and the pods of this node', () => {
    const inputs = dataplaneInputs(knowledge(CLUSTER), { routes: [], complete: true })!;
    expect(inputs.local).toMatchObject({ name: 'a', address: { length: 24 } });
    expect(formatIpAddress(inputs.local.ipipTunnelAddress!)).toBe('192.168.0.1');
    expect(inputs.nodes.map(({ name }) => name)).toEqual(['b']);
    expect(inputs.pools).toMatchObject([
      { name: 'p1', ipipMode: 'CrossSubnet', vxlanMode: 'Never', natOutgoing: true },
    ]);
    expect(inputs.endpoints.map(({ name, interfaceName }) => [name, interfaceName])).toEqual([
      ['default/web', 'caliweb'],
    ]);
    expect(inputs.learnedComplete).toBe(true);
  });

  test('are absent while this node has no address', () => {
    expect(dataplaneInputs(knowledge(CLUSTER, 'unborn'), { routes: [], complete: true })).toBeUndefined();
    expect(speakerSettings(knowledge(CLUSTER, 'unborn'), wishes)).toBeUndefined();
  });
});

describe('the speaker', () => {
  test('listens in both families where the host has both, whether or not its node has an IPv6 address yet', () => {
    const listen = (hasIpv6: boolean) => speakerSettings(knowledge(CLUSTER), { ...wishes, hasIpv6 })!.listen;
    expect(listen(true)).toEqual([
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ]);
    expect(listen(false)).toEqual([{ address: '0.0.0.0', port: 179 }]);
  });

  test('listens on the addresses of its node alone where bindMode says so, whatever a BGPConfiguration of the node says', () => {
    const shared = resource('BGPConfiguration', 'default', { bindMode: 'NodeIP', listenPort: 1179 });
    const own = resource('BGPConfiguration', 'node.a', { bindMode: 'None' });
    const dual = resource('Node', 'd', { bgp: { ipv4Address: '172.30.2.12/24', ipv6Address: 'fd00:30:2::12/64' } });
    const listen = (node: string) =>
      speakerSettings(knowledge([...CLUSTER, dual, shared, own], node), { ...wishes, hasIpv6: true })!.listen;
    expect(listen('a')).toEqual([{ address: '172.30.1.11', port: 1179 }]);
    expect(listen('d')).toEqual([
      { address: '172.30.2.12', port: 1179 },
      { address: 'fd00:30:2::12', port: 1179 },
    ]);
  });

  test("takes its node's AS number, then the cluster's, then Calico's default", () => {
    const cluster = resource('BGPConfiguration', 'default', { asNumber: 65000 });
    expect(speakerSettings(knowledge(CLUSTER), wishes)?.asn).toBe(64512);
    expect(speakerSettings(knowledge([...CLUSTER, cluster]), wishes)?.asn).toBe(65000);
    expect(speakerSettings(knowledge([...CLUSTER, cluster], 'b'), wishes)?.asn).toBe(64999);
  });

  test('is identified by the address of its node, by what was set, or by the hash of its name', () => {
    const id = (routerId?: 'hash'): string =>
      formatIpv4(speakerSettings(knowledge(CLUSTER), { ...wishes, ...(routerId && { routerId }) })!.bgpIdentifier);
    expect(id()).toBe('172.30.1.11');
    expect(id('hash')).toBe(formatIpv4(hashedRouterId('a')));
    // printf a | sha256sum: ca 97 81 12
    expect(id('hash')).toBe('202.151.129.18');
  });

  test('of a node of IPv6 alone has the hash of its name for its identifier, unless one was set', () => {
    const six = resource('Node', 'six', { bgp: { ipv6Address: 'fd00:30:2::13/64' } });
    const id = (routerId?: ReturnType<typeof parseIpAddress>) =>
      speakerSettings(knowledge([...CLUSTER, six], 'six'), { ...wishes, ...(routerId && { routerId }) })!.bgpIdentifier;
    expect(id()).toBe(hashedRouterId('six'));
    expect(formatIpv4(id(parseIpAddress('192.0.2.9')))).toBe('192.0.2.9');
    expect(dataplaneInputs(knowledge([...CLUSTER, six], 'six'), { routes: [], complete: true })?.local).toEqual({
      name: 'six',
      ipv6: { address: parseInterfaceAddress('fd00:30:2::13/64') },
    });
  });

  test('listens where the node, else the cluster, says so', () => {
    const shared = resource('BGPConfiguration', 'default', { listenPort: 1179 });
    const own = resource('BGPConfiguration', 'node.a', { listenPort: 2179 });
    const port = (...entries: Entry[]): number =>
      listenPort('a', knowledge([...CLUSTER, ...entries]).resources.BGPConfiguration);
    expect([port(), port(shared), port(shared, own)]).toEqual([179, 1179, 2179]);
  });
});
