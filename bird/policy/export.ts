/** Which of our best routes a peer is told, and with what attributes. Pure. RFC 4271 §5.1, §9.1.3. */
import { withoutAttributes } from '../wire.ts';
import type { NextHopBytes, PathAttributes } from '../wire.ts';
import { addCommunity, prependAsn } from './attributes.ts';
import { mayReflect, reflect } from './reflection.ts';

/** Where the best route came from. */
export type ExportSource =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'peer';
      readonly external: boolean;
      readonly bgpIdentifier: number;
      readonly routeReflectorClient: boolean;
    };

/** The peer to be told, and our side of its session. */
export interface ExportTarget {
  readonly external: boolean;
  readonly localAsn: number;
  readonly nextHop: 'auto' | 'self' | 'keep';
  readonly routeReflectorClient: boolean;
  readonly clusterId: number | undefined;
  /** Pass on what was learned from other ASes, as a switch does; a node tells its own routes alone. */
  readonly transit: boolean;
  /** We are about to leave: everything is told as the last choice. RFC 8326. */
  readonly draining?: boolean;
  /** Our address on the session as a next hop of the route's family; undefined where the families differ. */
  readonly localAddress: NextHopBytes | undefined;
}

export type ExportOutcome =
  | { readonly kind: 'send'; readonly attributes: PathAttributes }
  | { readonly kind: 'kept back'; readonly reason: string };

/** RFC 1997 §2. */
const NO_EXPORT = 0xffff_ff01;
const NO_ADVERTISE = 0xffff_ff02;
const NO_EXPORT_SUBCONFED = 0xffff_ff03;

/** RFC 8326 §3. */
const GRACEFUL_SHUTDOWN = 0xffff_0000;

const DEFAULT_LOCAL_PREF = 100;

/** The route is not the peer's own: the caller keeps split horizon, which needs no attributes. */
export function exportRoute(attributes: PathAttributes, source: ExportSource, target: ExportTarget): ExportOutcome {
  const reason = keptBack(attributes, source, target);
  if (reason !== undefined) return { kind: 'kept back', reason };
  const nextHop = nextHopFor(attributes, source, target);
  if (nextHop === undefined) {
    return { kind: 'kept back', reason: 'the session has no address of the family to serve as next hop' };
  }
  const rewritten = target.external ? toExternal(attributes, target.localAsn) : toInternal(attributes, source, target);
  const told = target.draining === true ? asLastChoice(rewritten, target) : rewritten;
  return { kind: 'send', attributes: { ...told, nextHop } };
}

/** External peers go by the community, internal ones by LOCAL_PREF alone. RFC 8326 §4. */
function asLastChoice(attributes: PathAttributes, { external }: ExportTarget): PathAttributes {
  const marked = addCommunity(attributes, GRACEFUL_SHUTDOWN);
  return external ? marked : { ...marked, localPref: 0 };
}

function keptBack(attributes: PathAttributes, source: ExportSource, target: ExportTarget): string | undefined {
  const communities = attributes.communities ?? [];
  if (communities.includes(NO_ADVERTISE)) return 'community NO_ADVERTISE';
  if (target.external && communities.includes(NO_EXPORT)) return 'community NO_EXPORT';
  if (target.external && communities.includes(NO_EXPORT_SUBCONFED)) return 'community NO_EXPORT_SUBCONFED';
  if (source.kind === 'local') return undefined;
  if (source.external || target.external) {
    return target.transit ? undefined : 'a node passes nothing on between ASes';
  }
  if (target.clusterId === undefined) return 'learned by iBGP, and this node is no route reflector'; // RFC 4271 §9.2.1
  const reflects = mayReflect(source.routeReflectorClient, target.routeReflectorClient);
  return reflects ? undefined : 'neither side is a client of this route reflector';
}

/** RFC 4271 §5.1.3. `keep` cannot hold for our own routes, which have no next hop but us. */
function nextHopFor(attributes: PathAttributes, source: ExportSource, target: ExportTarget): NextHopBytes | undefined {
  if (source.kind === 'local' || target.nextHop === 'self') return target.localAddress;
  if (target.nextHop === 'keep' || !target.external) return attributes.nextHop;
  return target.localAddress;
}

/** LOCAL_PREF, MED, ORIGINATOR_ID and CLUSTER_LIST stay in the AS that set them. RFC 4271 §5.1.4, §5.1.5. */
function toExternal(attributes: PathAttributes, localAsn: number): PathAttributes {
  const { asPath = [], ...rest } = withoutAttributes(attributes, ['localPref', 'med', 'originatorId', 'clusterList']);
  const visible = asPath.filter(({ type }) => type === 'set' || type === 'sequence'); // RFC 5065 §4.1
  return { ...rest, asPath: prependAsn(visible, localAsn) };
}

function toInternal(attributes: PathAttributes, source: ExportSource, target: ExportTarget): PathAttributes {
  const complete = { ...attributes, localPref: attributes.localPref ?? DEFAULT_LOCAL_PREF };
  if (source.kind === 'local' || source.external || target.clusterId === undefined) return complete;
  return reflect(complete, { clusterId: target.clusterId, sourceIdentifier: source.bgpIdentifier });
}
