/** Calico's confd scenarios bgpfilter/*: filters as resources in, decisions about routes out. */
import { describe, expect, test } from 'vitest';
import { localPrefOf } from '../../../src/agent/route-priority.ts';
import { ownRoutes } from '../../../src/agent/own-routes.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { view } from '../../support/resources.ts';
import { config, noMesh, peer } from './bgp-resources.ts';
import { exported, filter, imported, nodes, peerAt, peersOf, verdict } from './calico-cluster.ts';

const NORMAL = localPrefOf(1024);
const EXTERNAL = 64_517;

const FAMILIES = {
  4: {
    ours: 'exportV4',
    theirs: 'importV4',
    peerIP: '10.192.0.3',
    tor: '10.192.0.9',
    net: (n: number) => `77.${n}.0.0/16`,
    in: (n: number) => `77.${n}.5.0/24`,
  },
  6: {
    ours: 'exportV6',
    theirs: 'importV6',
    peerIP: '2001::103',
    tor: '2001::109',
    net: (n: number) => `900${n}::/64`,
    in: (n: number) => `900${n}::5:0/112`,
  },
} as const;

/** Both ways in which a BGPPeer finds kube-node-1: by its address, for all nodes, and by its labels. */
const PEERINGS = {
  explicit_peer: (family: IpFamily, filters: readonly string[]) => [
    ...nodes(),
    peer('p', { peerIP: FAMILIES[family].peerIP, asNumber: 64_512, filters }),
  ],
  global_peer: (_: IpFamily, filters: readonly string[]) => [
    ...nodes({ labels: { 'global-peer': 'yes' } }),
    peer('p', { peerSelector: 'has(global-peer)', filters }),
  ],
} as const satisfies Readonly<Record<string, (family: IpFamily, filters: readonly string[]) => readonly AnyResource[]>>;

const accept = (fields: object = {}): object => ({ action: 'Accept', ...fields });
const reject = (fields: object = {}): object => ({ action: 'Reject', ...fields });
const on = (cidr: string, matchOperator: string): object => ({ cidr, matchOperator });

describe.each<IpFamily>([4, 6])('IPv%i', (family) => {
  const { ours, theirs, peerIP, tor, net, in: inside } = FAMILIES[family];
  const other = family === 4 ? { ours: 'exportV6', theirs: 'importV6' } : { ours: 'exportV4', theirs: 'importV4' };
  /** kube-node-1 within the AS, and a switch outside of it, both with this one filter. */
  const filteredPeers = (spec: object) => {
    const resources = [
      noMesh,
      ...nodes(),
      filter('f', spec),
      peer('internal', { peerIP, asNumber: 64_512, filters: ['f'] }),
      peer('external', { peerIP: tor, asNumber: EXTERNAL, filters: ['f'] }),
    ];
    return { internal: peerAt(peerIP, resources), external: peerAt(tor, resources) };
  };

  describe.each(['explicit_peer', 'global_peer'] as const)('%s', (kind) => {
    const at = (filters: readonly string[], ...resources: readonly AnyResource[]) =>
      peerAt(peerIP, [noMesh, ...PEERINGS[kind](family, filters), ...resources]);

    test('bgpfilter/single_filter: rules of the family, both ways', () => {
      const f = filter('f', { [ours]: [accept(on(net(0), 'In')), reject()], [theirs]: [reject(on(net(1), 'In'))] });
      const settings = at(['f'], f);
      expect(verdict(exported(settings, { prefix: inside(0) }))).toBe('accepted');
      expect(verdict(exported(settings, { prefix: inside(1) }))).toBe('rejected by an export filter');
      expect(verdict(imported(settings, { prefix: inside(0) }))).toBe('accepted');
      expect(verdict(imported(settings, { prefix: inside(1) }))).toBe('rejected by rule 1 of BGPFilter(f)');
    });

    test('bgpfilter/multi_filter: in the order in which the peer names them', () => {
      const first = filter('first', { [theirs]: [accept(on(net(0), 'Equal')), reject(on(net(1), 'In'))] });
      const second = filter('second', { [theirs]: [reject(on(net(0), 'In')), accept(on(net(1), 'In')), reject()] });
      const verdicts = (...order: readonly string[]) =>
        [net(0), inside(0), net(1), net(2)].map((prefix) => verdict(imported(at(order, first, second), { prefix })));
      const by = (rule: number, name: string): string => `rejected by rule ${rule} of BGPFilter(${name})`;
      expect(verdicts('first', 'second')).toEqual(['accepted', by(1, 'second'), by(2, 'first'), by(3, 'second')]);
      expect(verdicts('second', 'first')).toEqual([by(1, 'second'), by(1, 'second'), 'accepted', by(3, 'second')]);
    });

    test('bgpfilter/import_only, export_only: the other direction has no filters', () => {
      const importOnly = at(['f'], filter('f', { [theirs]: [reject()] }));
      expect(importOnly).not.toHaveProperty('exportFilters');
      expect(verdict(exported(importOnly, { prefix: net(0) }))).toBe('accepted');
      const exportOnly = at(['f'], filter('f', { [ours]: [reject()] }));
      expect(exportOnly).not.toHaveProperty('importFilters');
      expect(verdict(imported(exportOnly, { prefix: net(0) }))).toBe('accepted');
    });

    test('bgpfilter/v4_only, v6_only: rules of the other family are not for this session', () => {
      const settings = at(['f'], filter('f', { [other.ours]: [reject()], [other.theirs]: [reject()] }));
      expect(settings).not.toHaveProperty('importFilters');
      expect(settings).not.toHaveProperty('exportFilters');
    });
  });

  test('bgpfilter/match_operators: the first rule that matches, over all operators', () => {
    const { internal } = filteredPeers({
      [theirs]: [
        accept(on(net(0), 'In')),
        reject(on(net(2), 'NotIn')),
        accept(on(net(2), 'Equal')),
        reject(on(net(3), 'NotEqual')),
      ],
    });
    const verdicts = [inside(0), net(1), net(2), inside(2), net(3)].map((prefix) =>
      verdict(imported(internal, { prefix })),
    );
    expect(verdicts).toEqual([
      'accepted',
      'rejected by rule 2 of BGPFilter(f)',
      'accepted',
      'rejected by rule 4 of BGPFilter(f)',
      'rejected by rule 2 of BGPFilter(f)',
    ]);
  });

  test('prefixLength: between its ends, which default to the cidr’s and the longest', () => {
    const length = parsePrefix(inside(0)).length;
    const accepts = (prefixLength: object) => {
      const { internal } = filteredPeers({ [theirs]: [accept({ ...on(net(0), 'In'), prefixLength }), reject()] });
      return [net(0), inside(0)].map((prefix) => verdict(imported(internal, { prefix })) === 'accepted');
    };
    expect(accepts({})).toEqual([true, true]);
    expect(accepts({ min: length })).toEqual([false, true]);
    expect(accepts({ max: length - 1 })).toEqual([true, false]);
    expect(accepts({ min: 0, max: length })).toEqual([true, true]);
  });

  test('bgpfilter/match_source, TestLocalBGPPeer: RemotePeers are routes of others, and may go on to another AS', () => {
    const { external, internal } = filteredPeers({ [ours]: [accept({ source: 'RemotePeers' }), reject()] });
    expect(verdict(exported(external, { prefix: net(0) }))).toBe('rejected by an export filter');
    expect(verdict(exported(external, { prefix: net(0), from: 'eBGP' }))).toBe('accepted');
    expect(verdict(exported(external, { prefix: net(0), from: 'iBGP' }))).toBe('accepted');
    // What RFC 4271 §9.2.1 keeps, no filter opens.
    expect(verdict(exported(internal, { prefix: net(0), from: 'iBGP' }))).toContain('no route reflector');
    const unfiltered = filteredPeers({ [ours]: [] }).external;
    expect(verdict(exported(unfiltered, { prefix: net(0), from: 'eBGP' }))).toContain('between ASes');
  });

  test('bgpfilter/match_interface: with wildcards, and only where the interface is known', () => {
    const { internal } = filteredPeers({
      [theirs]: [accept({ interface: '*.calico' }), accept({ interface: 'eth0' }), reject()],
    });
    const at = (name?: string) =>
      verdict(imported(internal, { prefix: net(0), ...(name === undefined ? {} : { interface: name }) }));
    expect(
      [at('vxlan.calico'), at('eth0'), at('eth01'), at('xcalico'), at()].map((text) => text === 'accepted'),
    ).toEqual([true, true, false, false, false]);
  });

  test('bgpfilter/peer_type: of the session, whichever way the filter is read', () => {
    const { external, internal } = filteredPeers({
      [ours]: [accept({ ...on(net(0), 'In'), peerType: 'eBGP' }), reject()],
      [theirs]: [reject({ peerType: 'iBGP' }), accept()],
    });
    expect(verdict(exported(external, { prefix: net(0) }))).toBe('accepted');
    expect(verdict(exported(internal, { prefix: net(0) }))).toBe('rejected by an export filter');
    expect(verdict(imported(internal, { prefix: net(0) }))).toBe('rejected by rule 1 of BGPFilter(f)');
    const asPath = [{ type: 'sequence', asns: [EXTERNAL] }] as const;
    expect(verdict(imported(external, { prefix: net(0), attributes: { asPath } }))).toBe('accepted');
  });

  test('bgpfilter/as_path_and_priority: the beginning of the path, and the priority as LOCAL_PREF', () => {
    const set = (value: number): object => ({ operations: [{ setPriority: { value } }] });
    const { internal } = filteredPeers({
      [theirs]: [
        accept({ asPathPrefix: [65000, 65001], ...set(200) }),
        accept({ asPathPrefix: [65000], ...set(100) }),
        accept(),
      ],
      [ours]: [
        accept({ priority: 100, operations: [{ addCommunity: { value: '65000:100' } }] }),
        accept({ priority: 200, operations: [{ prependASPath: { prefix: [65000, 65001] } }] }),
        reject(),
      ],
    });
    const of = (...asns: readonly number[]) =>
      imported(internal, { prefix: net(0), attributes: { asPath: [{ type: 'sequence', asns }], localPref: 7 } });
    expect(of(65000, 65001, 3)).toMatchObject({ localPref: localPrefOf(200) });
    expect(of(65000, 3)).toMatchObject({ localPref: localPrefOf(100) });
    expect(of(3, 65000)).toMatchObject({ localPref: 7 });
    const told = (priority: number) =>
      exported(internal, { prefix: net(0), attributes: { localPref: localPrefOf(priority) } });
    expect(told(100)).toMatchObject({ communities: [65000 * 65536 + 100], asPath: [], localPref: localPrefOf(100) });
    expect(told(200)).toMatchObject({ asPath: [{ type: 'sequence', asns: [65000, 65001] }] });
    expect(told(1024)).toBe('rejected by an export filter');
  });

  test('bgpfilter/large_community, communities_and_operations: matched and added, of both sizes', () => {
    const { external, internal } = filteredPeers({
      [theirs]: [
        accept({ communities: { values: ['65000:100'] }, operations: [{ setPriority: { value: 256 } }] }),
        accept({ communities: { values: ['65000:100:200'] }, operations: [{ setPriority: { value: 512 } }] }),
        reject(),
      ],
      [ours]: [
        accept({
          communities: { values: ['65000:42'] },
          operations: [
            { addCommunity: { value: '65001:200' } },
            { addCommunity: { value: '65001:1:2' } },
            { prependASPath: { prefix: [65000] } },
            { setPriority: { value: 1 } },
          ],
        }),
        reject(),
      ],
    });
    const marked = (attributes: object) => ({ prefix: net(0), attributes });
    expect(imported(internal, marked({ communities: [65000 * 65536 + 100] }))).toMatchObject({
      localPref: localPrefOf(256),
    });
    expect(imported(internal, marked({ largeCommunities: [[65000, 100, 200]] }))).toMatchObject({
      localPref: localPrefOf(512),
    });
    expect(verdict(imported(internal, marked({ largeCommunities: [[65000, 100, 201]] })))).toContain('rule 3');
    const communities = [65000 * 65536 + 42];
    expect(exported(external, marked({ communities }))).toMatchObject({
      communities: [...communities, 65001 * 65536 + 200],
      largeCommunities: [[65001, 1, 2]],
      asPath: [{ type: 'sequence', asns: [64512, 65000] }],
    });
    expect(exported(internal, marked({ communities }))).toMatchObject({ localPref: localPrefOf(1) });
    expect(verdict(exported(external, marked({})))).toBe('rejected by an export filter');
  });

  test('bgpfilter/kubevirt_live_migration: a priority travels through another AS as community or as longer path', () => {
    const spec = {
      [ours]: [
        accept({ peerType: 'eBGP', priority: 100, operations: [{ addCommunity: { value: '65000:100' } }] }),
        accept({
          peerType: 'eBGP',
          priority: 200,
          operations: [{ addCommunity: { value: '65000:200' } }, { prependASPath: { prefix: [65000] } }],
        }),
        reject(),
      ],
      [theirs]: [
        accept({ communities: { values: ['65000:100'] }, operations: [{ setPriority: { value: 100 } }] }),
        accept({ asPathPrefix: [EXTERNAL, 64512, 65000], operations: [{ setPriority: { value: 200 } }] }),
        accept(),
      ],
    };
    const { external } = filteredPeers(spec);
    const through = (priority: number) => {
      const told = exported(external, { prefix: inside(0), attributes: { localPref: localPrefOf(priority) } });
      if (typeof told === 'string') return told;
      const asns = [EXTERNAL, ...(told.asPath ?? []).flatMap((segment) => segment.asns)];
      const { nextHop, ...attributes } = told;
      expect(nextHop).toBeDefined();
      // The same cluster on the other side of the switch: its own AS is allowed once.
      return imported(
        { ...external, allowOwnAsn: 1 },
        { prefix: inside(0), attributes: { ...attributes, asPath: [{ type: 'sequence', asns }] } },
      );
    };
    expect(through(100)).toMatchObject({ localPref: localPrefOf(100) });
    expect(through(200)).toMatchObject({ localPref: localPrefOf(200) });
    expect(through(1024)).toBe('rejected by an export filter');
  });

  test('bgpfilter/node_mesh: no filter is for the mesh', () => {
    const resources = [...nodes(), filter('f', { [ours]: [reject()], [theirs]: [reject()] })];
    const { peers } = peersOf('kube-master', resources);
    expect(peers).toHaveLength(4);
    for (const each of peers) {
      expect(each).not.toHaveProperty('importFilters');
      expect(each).not.toHaveProperty('exportFilters');
    }
  });

  test('bgpfilter/filter_deletion, TestBGPFilterDeletion: the peer stays, without the filter, and that is told', () => {
    const resources = [noMesh, ...nodes(), peer('p', { peerIP, asNumber: 64_512, filters: ['gone', 'f'] })];
    const f = filter('f', { [theirs]: [reject(on(net(1), 'In'))] });
    const gone = filter('gone', { [theirs]: [reject()] });
    expect(verdict(imported(peerAt(peerIP, [...resources, f, gone]), { prefix: net(0) }))).toContain('BGPFilter(gone)');
    const computed = peersOf('kube-master', [...resources, f]);
    expect(computed.omitted).toEqual([
      {
        origin: 'BGPConfiguration(default)',
        peer: 'node-to-node mesh',
        reason: 'nodeToNodeMeshEnabled is false',
        isMeant: true,
      },
    ]);
    expect(computed.incomplete).toEqual([
      {
        origin: 'BGPPeer(p)',
        peer: peerIP,
        reason: 'BGPFilter(gone) does not exist or cannot be read: the peer goes without it',
      },
    ]);
    expect(verdict(imported(computed.peers[0]!, { prefix: net(0) }))).toBe('accepted');
    expect(verdict(imported(computed.peers[0]!, { prefix: net(1) }))).toBe('rejected by rule 1 of BGPFilter(f)');
  });

  test('bgpfilter/priority1-3, TestNormalRoutePriorityChange: a rule on the normal priority follows it', () => {
    const tellsOwn = (normal?: number): boolean => {
      const priorities =
        normal === undefined ? {} : { ipv4NormalRoutePriority: normal, ipv6NormalRoutePriority: normal };
      const resources = [
        config({ nodeToNodeMeshEnabled: false, ...priorities }),
        ...nodes(),
        peer('p', { peerIP, asNumber: 64_512, filters: ['f'] }),
      ];
      const known = { node: 'kube-master', resources: view(...resources), blocks: [parsePrefix(inside(0))] };
      const { attributes = {} } = ownRoutes(known).originated[0]!;
      const f = filter('f', { [ours]: [reject({ priority: normal ?? 1024 })] });
      const settings = peerAt(peerIP, [...resources, f]);
      expect(attributes.localPref).toBe(normal === undefined ? NORMAL : localPrefOf(normal));
      expect(verdict(exported(settings, { prefix: inside(0), attributes: { localPref: 100 } }))).toBe('accepted');
      return verdict(exported(settings, { prefix: inside(0), attributes })) === 'accepted';
    };
    expect([tellsOwn(), tellsOwn(5000), tellsOwn(80)]).toEqual([false, false, false]);
  });
});
