import type { IpFamily } from '../../src/model/ip.ts';
import type { Candidate } from '../rib/decision.ts';
import type { Lane } from '../rib/lane.ts';
import type { RoutingCore } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** A path as the decision looks at it. */
export interface OfferedPath {
  readonly source: number;
  readonly attributes: number;
  readonly prefix: number;
}

export function candidateOf(
  core: RoutingCore,
  family: IpFamily,
  { source, attributes, prefix }: OfferedPath,
): Candidate {
  const record = core.attributes.record(attributes);
  const peer = core.sources.peer(source);
  const { bgpIdentifier, external } = peer?.identity ?? { bgpIdentifier: 0, external: false };
  return {
    source,
    local: source === LOCAL_SOURCE,
    longLivedStale: record.longLivedStale,
    localPref: record.localPref,
    aigp: record.aigp,
    asPathLength: record.asPathLength,
    origin: record.origin,
    med: record.med,
    neighborAs: record.neighborAs,
    external,
    igpCost: 0, // every next hop is on a link or behind the tunnel: nobody here knows of an IGP
    routerId: record.originatorId ?? bgpIdentifier,
    clusterListLength: record.clusterListLength,
    peerAddress: peer?.addressValue ?? 0n,
    pathId: laneOf(core, family, source)?.pathId(prefix) ?? 0,
  };
}

/** The lane of a peer behind a source; undefined for this node's own. */
export function laneOf({ sources }: RoutingCore, family: IpFamily, source: number): Lane | undefined {
  const peer = sources.peer(source);
  return peer?.adjRibIn[family].lanes[sources.of(peer).indexOf(source)];
}
