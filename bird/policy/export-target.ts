/** Both ends of an export: where the route came from, and the peer that is to be told. Pure. */
import type { IpFamily } from '../../src/model/ip.ts';
import type { PeerRole, PeerSettings } from '../settings.ts';
import type { NextHopBytes } from '../wire.ts';
import { isPrivateAsn } from './as-path.ts';

/** Where the best route came from. */
export type ExportSource =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'peer';
      readonly external: boolean;
      readonly bgpIdentifier: number;
      readonly routeReflectorClient: boolean;
    };

/** The peer to be told, and our side of its session. Peers with equal targets are told the same. `exportTarget` fills it in. */
export interface ExportTarget {
  readonly external: boolean;
  readonly localAsn: number;
  readonly nextHop: 'auto' | 'self' | 'keep';
  readonly routeReflectorClient: boolean;
  readonly clusterId: number | undefined;
  /** Pass on what was learned from other ASes, as a switch does; a node tells its own routes alone. */
  readonly transit: boolean;
  /** Our address on the session as a next hop of the route's family; undefined where the families differ. */
  readonly localAddress: NextHopBytes | undefined;
  /** Both sides speak long-lived graceful restart, RFC 9494. */
  readonly longLived: boolean;
  /** We are about to leave: RFC 8326. */
  readonly draining: boolean;
  /** The one family of next hops that the session carries for these routes; absent: both, RFC 8950. */
  readonly nextHopFamily?: IpFamily | undefined;
  /** RFC 7947. */
  readonly routeServerClient?: boolean | undefined;
  /** The peer's AS number, which ours takes the place of in the AS_PATHs that it is told. */
  readonly asOverride?: number | undefined;
  /** Private AS numbers are taken out but for this one; 0 stands for none. Absent: all stay. */
  readonly privateAsKept?: number | undefined;
  /** RFC 9234: our own role towards an external peer. */
  readonly role?: PeerRole | undefined;
  /** RFC 8212: an external peer that must have export filters has none. */
  readonly isWithoutPolicy?: boolean | undefined;
}

/** The session as export needs it beside the settings; fields of ExportTarget have the same names here. */
export interface ExportSession extends Pick<
  ExportTarget,
  'external' | 'clusterId' | 'transit' | 'localAddress' | 'longLived' | 'draining' | 'nextHopFamily'
> {
  readonly peerAsn: number;
}

/** What does not apply to the session is left out, so that peers that are told the same have equal targets. */
export function exportTarget(settings: PeerSettings, { peerAsn, ...session }: ExportSession): ExportTarget {
  const { localAsn, nextHop, routeReflectorClient, role, exportFilters = [] } = settings;
  const target = { ...session, localAsn, nextHop, routeReflectorClient };
  if (!session.external) return target;
  return {
    ...target,
    role,
    routeServerClient: settings.routeServerClient === true ? true : undefined,
    asOverride: settings.asOverride === true ? peerAsn : undefined,
    // The peer's own stays, for by it the peer knows what it has told itself; FRR does so, too.
    privateAsKept: settings.removePrivateAs === true ? (isPrivateAsn(peerAsn) ? peerAsn : 0) : undefined,
    isWithoutPolicy: settings.requirePolicy === true && exportFilters.length === 0 ? true : undefined,
  };
}
