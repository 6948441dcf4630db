/** Which of our best routes a peer is told, and with what attributes. Pure. RFC 4271 §5.1, §9.1.3. */
import type { PeerRole } from '../settings.ts';
import type { NextHopBytes, PathAttributes } from '../wire.ts';
import { rewriteOnExport } from './export-rewrite.ts';
import type { ExportSource, ExportTarget } from './export-target.ts';
import { refusesMarked } from './only-to-customer.ts';
import { beyondLink } from './next-hop.ts';
import { mayReflect } from './reflection.ts';
import { carries } from './well-known.ts';

export type { ExportSession, ExportSource, ExportTarget } from './export-target.ts';
export { exportTarget } from './export-target.ts';

/**
 * What the export filters made of the route: rejected, accepted with these attributes, or (undefined) no rule matched.
 * Accepting stands in for the rule that a node passes nothing on between ASes, and for no other.
 */
export type FilterOutcome = 'rejected' | { readonly attributes: PathAttributes };

export type ExportOutcome =
  | { readonly kind: 'send'; readonly attributes: PathAttributes }
  | { readonly kind: 'kept back'; readonly reason: string };

/** The route is not the peer's own: the caller keeps split horizon, which needs no attributes. */
// eslint-disable-next-line max-params -- once per attribute set and peer, by parts that have nothing that holds the four
export function exportRoute(
  attributes: PathAttributes,
  source: ExportSource,
  target: ExportTarget,
  rule?: FilterOutcome,
): ExportOutcome {
  const reason = keptBackByMark(attributes, source, target) ?? keptBackByPolicy(source, target, rule);
  if (reason !== undefined) return { kind: 'kept back', reason };
  const filtered = typeof rule === 'object' ? rule.attributes : attributes;
  const nextHop = nextHopFor(filtered, source, target);
  if (typeof nextHop === 'string') return { kind: 'kept back', reason: nextHop };
  return { kind: 'send', attributes: rewriteOnExport({ ...filtered, nextHop }, source, target) };
}

/**
 * What a learned route carries about whom it may be told. RFC 1997 is about received communities: what we put on a route of
 * our own, or a filter on any, is for the peer to act on.
 */
function keptBackByMark(attributes: PathAttributes, source: ExportSource, target: ExportTarget): string | undefined {
  if (source.kind === 'local') return undefined;
  if (carries(attributes, 'NO_ADVERTISE')) return 'community NO_ADVERTISE';
  if (target.external && carries(attributes, 'NO_EXPORT')) return 'community NO_EXPORT';
  if (target.external && carries(attributes, 'NO_EXPORT_SUBCONFED')) return 'community NO_EXPORT_SUBCONFED';
  return keptBackAsStale(attributes, target) ?? keptBackAsLeak(attributes, target);
}

function keptBackAsStale(attributes: PathAttributes, { longLived }: ExportTarget): string | undefined {
  if (!carries(attributes, 'LLGR_STALE')) return undefined;
  if (carries(attributes, 'NO_LLGR')) return 'community LLGR_STALE on a route with NO_LLGR'; // RFC 9494 §4.2
  return longLived ? undefined : 'community LLGR_STALE, and the peer does not speak long-lived graceful restart'; // §4.3
}

/** RFC 9234 §5. */
function keptBackAsLeak({ onlyToCustomer }: PathAttributes, { role }: ExportTarget): string | undefined {
  if (onlyToCustomer === undefined || role === undefined || !refusesMarked(role)) return undefined;
  return `Only to Customer ${onlyToCustomer}, and the peer is ${COUNTERPART[role]} (RFC 9234)`;
}

/** What the peer is to one who has this role, RFC 9234 §3.1. */
const COUNTERPART: Readonly<Record<PeerRole, string>> = {
  provider: 'a customer',
  customer: 'a provider',
  rs: 'a client of the route server',
  'rs-client': 'a route server',
  peer: 'a peer',
};

/** Whether a route from there is told there at all, where no filter says anything. */
export const mayTell = (source: ExportSource, target: ExportTarget): boolean =>
  keptBackByPolicy(source, target) === undefined;

function keptBackByPolicy(source: ExportSource, target: ExportTarget, rule?: FilterOutcome): string | undefined {
  if (target.isWithoutPolicy === true) return 'the peer is external and has no export policy (RFC 8212)';
  if (rule === 'rejected') return 'rejected by an export filter';
  if (source.kind === 'local') return undefined;
  if (source.external || target.external) {
    const passesOn = target.transit || target.routeServerClient === true || rule !== undefined;
    return passesOn ? undefined : 'a node passes nothing on between ASes';
  }
  if (target.clusterId === undefined) return 'learned by iBGP, and this node is no route reflector'; // RFC 4271 §9.2.1
  const reflects = mayReflect(source.routeReflectorClient, target.routeReflectorClient);
  return reflects ? undefined : 'neither side is a client of this route reflector';
}

/** RFC 4271 §5.1.3; where there is none, why. */
function nextHopFor(attributes: PathAttributes, source: ExportSource, target: ExportTarget): NextHopBytes | string {
  const nextHop = (keepsNextHop(source, target) ? kept(attributes, target) : undefined) ?? target.localAddress;
  if (nextHop === undefined) return 'the session has no address of the family to serve as next hop';
  const { nextHopFamily } = target;
  const family = nextHop.length === 4 ? 4 : 6;
  if (nextHopFamily === undefined || nextHopFamily === family) return nextHop;
  return `the next hop is an IPv${family} address, and the session carries IPv${nextHopFamily} ones alone (RFC 8950)`;
}

/** Within the AS the peer may be on another link. RFC 2545 §3. */
const kept = ({ nextHop }: PathAttributes, target: ExportTarget): NextHopBytes | undefined =>
  nextHop === undefined || target.external || target.nextHop === 'keep' ? nextHop : beyondLink(nextHop);

/** `keep` cannot hold for our own routes, which have no next hop but us. A route server is none either, RFC 7947 §2.2.1. */
function keepsNextHop(source: ExportSource, { external, nextHop, routeServerClient }: ExportTarget): boolean {
  if (source.kind === 'local' || nextHop === 'self') return false;
  return nextHop === 'keep' || !external || routeServerClient === true;
}
