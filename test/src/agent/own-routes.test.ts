import { describe, expect, test } from 'vitest';
import type { OriginatedRoute } from '../../../bird/index.ts';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import { localBlocks } from '../../../src/agent/cluster-view.ts';
import { ownRoutes } from '../../../src/agent/own-routes.ts';
import { affinityKey } from '../../../src/datastore/keys.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { formatPrefix, parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource, WorkloadEndpoint } from '../../../src/resources/index.ts';
import { workloadEndpointName } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';

const NETWORKS = {
  4: {
    pool: '192.168.0.0/16',
    own: '192.168.0.0/26',
    foreign: '192.168.0.64/26',
    inOwn: '192.168.0.2/32',
    borrowed: '192.168.0.70/32',
    outside: '10.99.0.1/32',
    longest: '192.168.3.3/32',
  },
  6: {
    pool: 'fd00:10::/64',
    own: 'fd00:10::/122',
    foreign: 'fd00:10::40/122',
    inOwn: 'fd00:10::2/128',
    borrowed: 'fd00:10::46/128',
    outside: 'fd99::1/128',
    longest: 'fd00:10::ffff/128',
  },
} as const;

const node = (bgp: object = {}, spec: object = {}): AnyResource =>
  resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24', ...bgp }, ...spec });

function pod(name: string, address: string, on = 'a'): WorkloadEndpoint {
  const spec = {
    orchestrator: 'k8s',
    node: on,
    pod: name,
    endpoint: 'eth0',
    interfaceName: `cali${name}`,
    ipNetworks: [address],
  };
  return resource('WorkloadEndpoint', workloadEndpointName(spec), spec);
}

/** What node `a` knows, with these blocks of its own. */
const knowing = (blocks: readonly string[], ...resources: readonly AnyResource[]): Knowledge => ({
  node: 'a',
  resources: view(...resources),
  blocks: blocks.map((block) => parsePrefix(block)),
});

const told = (knowledge: Knowledge): readonly string[] =>
  ownRoutes(knowledge).originated.map(({ prefix, reason }) => `${formatPrefix(prefix)}: ${reason}`);
const withheld = (knowledge: Knowledge): readonly string[] =>
  ownRoutes(knowledge).withheld.map(({ prefix, reason }) => `${formatPrefix(prefix)}: ${reason}`);

describe.each<IpFamily>([4, 6])('what a node tells, IPv%i', (family) => {
  const { pool: cidr, own, foreign, inOwn, borrowed, outside, longest } = NETWORKS[family];
  const pool = (spec: object = {}): AnyResource => resource('IPPool', 'pods', { cidr, ...spec });

  test('are its blocks; the pods in them stay inside', () => {
    const known = knowing([own], node(), pool(), pod('web', inOwn));
    expect(told(known)).toEqual([`${own}: block of ippool pods`]);
    expect(withheld(known)).toEqual([`${inOwn}: default/web, told as part of the block ${own}`]);
  });

  test('is not what other nodes have: their blocks, their pods', () => {
    const entries = [
      { key: affinityKey('a', parsePrefix(own)), value: { state: 'confirmed' }, revision: 1 },
      { key: affinityKey('b', parsePrefix(foreign)), value: { state: 'confirmed' }, revision: 1 },
    ];
    const resources = view(node(), pool(), pod('db', borrowed, 'b'));
    const known = { node: 'a', resources, blocks: localBlocks(entries, 'a') };
    expect(told(known)).toEqual([`${own}: block of ippool pods`]);
    expect(withheld(known)).toEqual([]);
  });

  test('is a single address where it is borrowed, for its block is told by another node', () => {
    const known = knowing([own], node(), pool(), pod('web', inOwn), pod('guest', borrowed));
    expect(told(known)).toEqual([
      `${own}: block of ippool pods`,
      `${borrowed}: default/guest, borrowed from another node's block`,
    ]);
  });

  test('is an address once, though two endpoints have it, under the same name whichever came first', () => {
    const pods = [pod('old', borrowed), pod('new', borrowed)];
    for (const each of [pods, pods.toReversed()]) {
      expect(told(knowing([], node(), pool(), ...each))).toEqual([
        `${borrowed}: default/new, borrowed from another node's block`,
      ]);
    }
  });

  test('is a block of one address, as any other', () => {
    expect(told(knowing([longest], node(), pool(), pod('web', longest)))).toEqual([`${longest}: block of ippool pods`]);
  });

  test('is nothing of a pool that is not to be exported (mesh/bgp-export)', () => {
    const known = knowing([own], node(), pool({ disableBGPExport: true }), pod('guest', borrowed));
    expect(told(known)).toEqual([]);
    expect(withheld(known)).toEqual([
      `${own}: ippool pods has disableBGPExport`,
      `${borrowed}: default/guest, ippool pods has disableBGPExport`,
    ]);
  });

  test('of two pools, only the one is closed', () => {
    const open = resource('IPPool', 'open', { cidr: family === 4 ? '10.98.0.0/16' : 'fd98::/64' });
    const block = family === 4 ? '10.98.0.0/26' : 'fd98::/122';
    expect(told(knowing([own, block], node(), pool({ disableBGPExport: true }), open))).toEqual([
      `${block}: block of ippool open`,
    ]);
  });

  test('is no address that belongs to no pool; a block outlives its pool', () => {
    const known = knowing([own], node(), pod('stray', outside), pod('web', inOwn));
    expect(told(known)).toEqual([`${own}: block of ippool that is gone`]);
    expect(withheld(known)).toContain(`${outside}: default/stray, in no ippool`);
  });
});

describe('tunnel addresses', () => {
  const bare = (prefix: string): string => prefix.replace(/\/(32|128)$/, '');

  test.each([
    ['ipip', 4, (address: string) => node({ ipv4IPIPTunnelAddr: address })],
    ['vxlan', 4, (address: string) => node({}, { ipv4VXLANTunnelAddr: address })],
    ['vxlan-v6', 6, (address: string) => node({}, { ipv6VXLANTunnelAddr: address })],
  ] as const)('%s: inside an own block untold, borrowed told, of no pool or a closed one untold', (_, family, self) => {
    const { pool: cidr, own, inOwn, borrowed, outside } = NETWORKS[family];
    const pool = (spec: object = {}): AnyResource => resource('IPPool', 'pods', { cidr, ...spec });
    expect(told(knowing([own], self(bare(inOwn)), pool()))).toEqual([`${own}: block of ippool pods`]);
    expect(told(knowing([], self(bare(borrowed)), pool()))).toEqual([
      `${borrowed}: this node's tunnel address, borrowed from another node's block`,
    ]);
    expect(told(knowing([], self(bare(outside)), pool()))).toEqual([]);
    expect(told(knowing([], self(bare(borrowed)), pool({ disableBGPExport: true })))).toEqual([]);
  });
});

describe('LOCAL_PREF (mesh, bgpfilter/priority)', () => {
  const localPrefs = (...resources: readonly AnyResource[]): readonly (number | undefined)[] =>
    ownRoutes(knowing([NETWORKS[4].own, NETWORKS[6].own], node(), ...resources)).originated.map(
      ({ attributes }) => attributes?.localPref,
    );

  test('is the inverse of the normal route priority, 1024', () => {
    expect(localPrefs()).toEqual([2_147_482_623, 2_147_482_623]);
  });

  test('follows the priority that is set for the family', () => {
    const priorities = resource('BGPConfiguration', 'default', {
      ipv4NormalRoutePriority: 5000,
      ipv6NormalRoutePriority: 80,
    });
    expect(localPrefs(priorities)).toEqual([2_147_478_647, 2_147_483_567]);
  });
});

describe('communities of prefixAdvertisements (mesh/communities)', () => {
  const block = NETWORKS[4].own;
  const attributesOf = (...configurations: readonly AnyResource[]): OriginatedRoute['attributes'] =>
    ownRoutes(knowing([block], node(), ...configurations)).originated[0]?.attributes;
  const config = (name: string, spec: object): AnyResource => resource('BGPConfiguration', name, spec);
  const named = { communities: [{ name: 'rack', value: '65001:100' }] };
  const advertise = (cidr: string, ...communities: readonly string[]) => ({ cidr, communities });
  const standard = (high: number, low: number): number => high * 65_536 + low;

  test('by name and as they are, standard and large, sorted as texts and each once', () => {
    const prefixAdvertisements = [
      advertise('192.168.0.0/16', 'rack', '100:6532', '100:555:107', '65001:100'),
      advertise('192.168.0.0/25', '5663:12', 'rack'),
      advertise('192.168.0.128/25', '1:1'),
      advertise('fd00::/8', '2:2'),
    ];
    expect(attributesOf(config('default', { ...named, prefixAdvertisements }))).toEqual({
      localPref: 2_147_482_623,
      communities: [standard(100, 6532), standard(5663, 12), standard(65001, 100)],
      largeCommunities: [[100, 555, 107]],
    });
  });

  test('are those of a prefix that holds the route or is it, not of a narrower one', () => {
    const only = (cidr: string) =>
      attributesOf(config('default', { prefixAdvertisements: [advertise(cidr, '1:1')] }))?.communities;
    expect([only('192.168.0.0/26'), only('0.0.0.0/0'), only('192.168.0.0/27')]).toEqual([
      [standard(1, 1)],
      [standard(1, 1)],
      undefined,
    ]);
  });

  test('of the node take the place of the cluster’s, and names mean what they mean there', () => {
    const shared = config('default', { ...named, prefixAdvertisements: [advertise('192.168.0.0/16', 'rack', '1:1')] });
    const own = (spec: object) => attributesOf(shared, config('node.a', spec))?.communities;
    expect(own({ listenPort: 1790 })).toEqual([standard(1, 1), standard(65001, 100)]);
    expect(own({ prefixAdvertisements: [] })).toBeUndefined();
    // A list for one family silences the other, too.
    expect(own({ prefixAdvertisements: [advertise('fd00::/8', '2:2')] })).toBeUndefined();
    const renamed = { communities: [{ name: 'rack', value: '3:3' }] };
    expect(own({ ...renamed, prefixAdvertisements: [advertise('192.168.0.0/16', 'rack')] })).toEqual([standard(3, 3)]);
    expect(attributesOf(shared, config('node.b', { prefixAdvertisements: [] }))?.communities).toHaveLength(2);
  });

  test('are on borrowed addresses, too', () => {
    const resources = [
      config('default', { prefixAdvertisements: [advertise('192.168.0.0/16', '1:1')] }),
      resource('IPPool', 'pods', { cidr: '192.168.0.0/16' }),
      pod('guest', NETWORKS[4].borrowed),
    ];
    const [route] = ownRoutes(knowing([], node(), ...resources)).originated;
    expect(route?.attributes?.communities).toEqual([standard(1, 1)]);
  });
});
