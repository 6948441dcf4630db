/** Two nodes of a cluster compute the same session, each its own end of it, from whatever resources there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerSettings } from '../../../bird/settings.ts';
import { computePeers, CALICO_PEER_DEFAULTS } from '../../../src/agent/peers.ts';
import type { ComputedPeers, PeerInputs } from '../../../src/agent/peers.ts';
import { formatIpAddress, sameAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';
import { config, peer } from './bgp-resources.ts';

/** 10 and 9: as text the smaller address is the larger one. */
const NAMES = ['n9', 'n10', 'n11', 'n12'] as const;
type Name = (typeof NAMES)[number];
const number = (name: Name): string => name.slice(1);
const ADDRESSES = NAMES.flatMap((name) => [`10.0.0.${number(name)}`, `fd00::${number(name)}`]);

const nodeOf = (name: Name) =>
  fc
    .record({
      families: fc.constantFrom('4', '46', '6', ''),
      asNumber: fc.constantFrom(undefined, 64512, 65001, 65002),
      cluster: fc.constantFrom(undefined, undefined, '1.0.0.1', '1.0.0.2'),
      rack: fc.constantFrom('a', 'b'),
    })
    .map(({ families, asNumber, cluster, rack }) => {
      const bgp = {
        ...(families.includes('4') ? { ipv4Address: `10.0.0.${number(name)}/24` } : {}),
        ...(families.includes('6') ? { ipv6Address: `fd00::${number(name)}/64` } : {}),
        ...(asNumber === undefined ? {} : { asNumber }),
        ...(cluster === undefined ? {} : { routeReflectorClusterID: cluster }),
      };
      return resource('Node', { name, labels: { rack } }, Object.keys(bgp).length === 0 ? {} : { bgp });
    });

const secret = (key: string) => ({ secretKeyRef: { name: 'bgp', key } });
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });
const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const configuration = fc
  .record({
    nodeToNodeMeshEnabled: fc.boolean(),
    asNumber: optional(fc.constantFrom(64512, 65009)),
    listenPort: optional(fc.constantFrom(179, 1790)),
    nodeMeshPassword: optional(fc.constant(secret('mesh'))),
  })
  .map(({ nodeMeshPassword, ...rest }) =>
    config(defined({ ...rest, ...(rest.nodeToNodeMeshEnabled ? { nodeMeshPassword } : {}) })),
  );

const SELECTORS = ["rack == 'a'", "rack == 'b'", 'all()'] as const;
const who = fc.constantFrom<object>(
  {},
  ...NAMES.map((node) => ({ node })),
  ...SELECTORS.map((nodeSelector) => ({ nodeSelector })),
);
const whom = fc.oneof(
  fc.constantFrom(...SELECTORS).map((peerSelector) => ({ peerSelector })),
  fc.constantFrom(...ADDRESSES).map((peerIP) => ({ peerIP })),
);
const bgpPeer = fc.record({
  who,
  whom,
  how: fc
    .record({
      localASNumber: optional(fc.constantFrom(65077, 64512)),
      password: optional(fc.constantFrom('x', 'y').map(secret)),
      ttlSecurity: optional(fc.constantFrom(1, 3)),
      sourceAddress: optional(fc.constantFrom('None', 'UseNodeIP')),
      reversePeering: optional(fc.constant('Manual')),
    })
    .map(defined),
});

/** A BGPPeer by address has the AS number of the node there: with another one it comes up nowhere, and is not mirrored. */
function withAsn(nodes: readonly AnyResource[], shared: AnyResource, spec: object): object {
  if (!('peerIP' in spec)) return spec;
  const { Node, BGPConfiguration } = view(...nodes, shared);
  const owner = [...Node.values()].find(({ spec: { bgp } }) =>
    [bgp?.ipv4Address, bgp?.ipv6Address].some((text) => text?.split('/')[0] === spec.peerIP),
  );
  return { ...spec, asNumber: owner?.spec.bgp?.asNumber ?? BGPConfiguration.get('default')?.spec.asNumber ?? 64512 };
}

const cluster = fc
  .record({
    nodes: fc.tuple(...NAMES.map(nodeOf)),
    shared: configuration,
    ports: fc.subarray([...NAMES]),
    peers: fc.array(bgpPeer, { maxLength: 4 }),
  })
  .map(({ nodes, shared, ports, peers }): readonly AnyResource[] => [
    ...nodes,
    shared,
    ...ports.map((name) => config({ listenPort: 2000 + Number(number(name)) }, `node.${name}`)),
    ...peers.map(({ who: by, whom: at, how }, i) => peer(`p${i}`, withAsn(nodes, shared, { ...by, ...at, ...how }))),
  ])
  .chain((list) => fc.shuffledSubarray([...list], { minLength: list.length }));

const passwords: PeerInputs['passwords'] = ({ key }) => ({ password: key });

interface End {
  readonly name: string;
  readonly computed: ComputedPeers;
  readonly peer: PeerSettings;
}

const baseOf = ({ origin }: PeerSettings): string => origin.replace(', reverse', '');
const ownerOf = (address: string): Name | undefined =>
  NAMES.find((name) => [`10.0.0.${number(name)}`, `fd00::${number(name)}`].includes(address));

/** What one end says of the session, as the other end must say it. */
const seenFromThere = ({ peer: { localAsn, remoteAsn, password, ttlSecurityHops, families } }: End) => ({
  localAsn: remoteAsn,
  remoteAsn: localAsn,
  password,
  ttlSecurityHops,
  families,
});
const seenFromHere = ({ peer: { localAsn, remoteAsn, password, ttlSecurityHops, families } }: End) => ({
  localAsn,
  remoteAsn,
  password,
  ttlSecurityHops,
  families,
});

function checkPair(near: End, far: End): void {
  if (baseOf(near.peer) === baseOf(far.peer)) {
    expect(seenFromHere(far)).toEqual(seenFromThere(near));
    const { localAddress } = near.peer;
    if (localAddress !== undefined) expect(sameAddress(localAddress, far.peer.address)).toBe(true);
    expect(near.peer.passive && far.peer.passive).toBe(false);
    return;
  }
  // Two BGPPeers claim the session. Each end goes by its own, as in Calico, and says that the other one lost; an end that has
  // none of its own goes by the other end's.
  expect([near, far].filter(({ peer: { origin } }) => origin.endsWith(', reverse'))).toEqual([]);
  const lost = [near, far].flatMap(({ computed }) => computed.omitted.filter(({ isMeant }) => isMeant !== true));
  expect(lost.map(({ origin }) => origin.replace(', reverse', ''))).toContain(baseOf(far.peer));
  expect([near, far].every(({ peer: { origin } }) => origin.startsWith('BGPPeer('))).toBe(true);
}

test('whatever the resources and their order, both ends have the session, and agree on it where one resource asks for it', () => {
  let pairs = 0;
  fc.assert(
    fc.property(cluster, (list) => {
      const resources = view(...list);
      const isManual = (origin: string): boolean =>
        resources.BGPPeer.get(/^BGPPeer\((.*?)\)/.exec(origin)?.[1] ?? '')?.spec.reversePeering === 'Manual';
      const computed = new Map(
        NAMES.map((name) => [name, computePeers(resources, name, { ...CALICO_PEER_DEFAULTS, passwords })]),
      );
      for (const [name, own] of computed) {
        for (const each of own.peers) {
          const there = ownerOf(formatIpAddress(each.address));
          if (there === undefined || isManual(each.origin)) continue;
          const theirs = computed.get(there)!;
          const back = theirs.peers.filter(({ address }) => ownerOf(formatIpAddress(address)) === name);
          const far = back.find(({ families }) => families[0] === each.families[0]);
          // An address of a node that has it no more is anybody's.
          if (
            far === undefined &&
            resources.Node.get(there)?.spec.bgp?.[each.families[0] === 4 ? 'ipv4Address' : 'ipv6Address'] === undefined
          )
            continue;
          expect(far).toBeDefined();
          if (isManual(far!.origin)) continue;
          pairs++;
          checkPair({ name, computed: own, peer: each }, { name: there, computed: theirs, peer: far! });
        }
      }
    }),
    { numRuns: 400 },
  );
  expect(pairs).toBeGreaterThan(100);
});
