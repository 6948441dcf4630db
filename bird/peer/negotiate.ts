/** Two OPENs become one agreement, or a refusal with the NOTIFICATION that says why. Pure. RFC 4271 §6.2, RFC 5492. */
import type { IpFamily } from '../../src/model/ip.ts';
import type { PeerRole } from '../settings.ts';
import type { Capability, CodecContext, Family, Fault, Open } from '../wire.ts';
import { AS_TRANS, familyKey, negotiatedContexts } from '../wire.ts';
import { fault } from './fault.ts';
import { agreedRestart, restartCapabilities } from './restart-capabilities.ts';
import type { AgreedRestart, LocalRestart } from './restart-capabilities.ts';
import { refuseRole, roleNumber } from './role.ts';

/** What this side brings to a session with one peer. */
export interface LocalSettings {
  readonly asn: number;
  readonly bgpIdentifier: number;
  readonly remoteAsn: number;
  /** Of a dynamic peer: any of these, and `remoteAsn` is none of the peer's yet. */
  readonly remoteAsns?: readonly number[];
  readonly families: readonly IpFamily[];
  readonly passive: boolean;
  readonly holdSeconds: number;
  readonly keepaliveSeconds?: number;
  readonly connectRetrySeconds: number;
  /** In its place after a try that failed at once, or a connection that was lost. */
  readonly earlyRetrySeconds?: number;
  /** After the first error in a row, and the most after many; doubling between. */
  readonly errorWaitSeconds: readonly [number, number];
  /** Absent: no graceful restart with this peer. */
  readonly gracefulRestart?: LocalRestart;
  /** As in PeerSettings, these four. */
  readonly connectDelaySeconds?: number;
  readonly delayOpenSeconds?: number;
  readonly sendHoldSeconds?: number;
  readonly shutdown?: string;
  /** RFC 7911, in every family. */
  readonly addPath?: { readonly send: boolean; readonly receive: boolean };
  /** RFC 8950, for IPv4 unicast. */
  readonly extendedNextHop?: boolean;
  /** RFC 8654. */
  readonly extendedMessages?: boolean;
  /** RFC 9234: ours towards this peer; it counts between ASes alone. */
  readonly role?: PeerRole;
  /** Refuse a peer that names no role. */
  readonly isRoleStrict?: boolean;
}

/** What both sides hold to while the session lives. */
export interface Negotiated {
  readonly peerAsn: number;
  readonly peerIdentifier: number;
  readonly external: boolean;
  /** 0: no hold timer and no keepalives. */
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
  readonly families: readonly IpFamily[];
  /** How what the peer sends is to be read. */
  readonly receive: CodecContext;
  /** How what is sent to the peer is to be written. */
  readonly send: CodecContext;
  readonly routeRefresh: boolean;
  /** RFC 7313: both sides mark where a refresh begins and ends. */
  readonly enhancedRefresh: boolean;
  /** The peer's own words on graceful restart, where both sides speak it. */
  readonly gracefulRestart?: AgreedRestart;
}

export type Outcome =
  { readonly kind: 'agreed'; readonly session: Negotiated } | { readonly kind: 'refused'; readonly fault: Fault };

const UNICAST = 1;

export const familyOf = (family: IpFamily): Family => ({ afi: family === 4 ? 1 : 2, safi: UNICAST });

export function ipFamilyOf({ afi, safi }: Family): IpFamily | undefined {
  if (safi !== UNICAST) return undefined;
  if (afi === 1) return 4;
  return afi === 2 ? 6 : undefined;
}

/** The OPEN we send. A capability is sent because we are set up for it, never because the peer sent it. RFC 5492 §4. */
export function localOpen(local: LocalSettings): Open {
  const families = local.families.map(familyOf);
  const capabilities: readonly Capability[] = [
    ...families.map((family): Capability => ({ name: 'multiprotocol', family })),
    { name: 'route-refresh' },
    { name: 'enhanced-route-refresh' },
    ...pathCapabilities(local, families),
    ...restartCapabilities(families, local.gracefulRestart),
    { name: 'four-octet-as', asn: local.asn },
  ];
  const { holdSeconds, bgpIdentifier } = local;
  const asn = local.asn > 0xffff ? AS_TRANS : local.asn;
  return { type: 'open', version: 4, asn, holdSeconds, bgpIdentifier, capabilities };
}

/** What changes how UPDATEs are written, and our role. */
function pathCapabilities(local: LocalSettings, families: readonly Family[]): readonly Capability[] {
  const { send = false, receive = false } = local.addPath ?? {};
  const mode = send && receive ? 'both' : send ? 'send' : 'receive';
  const isIpv4 = local.families.includes(4);
  return [
    ...(local.extendedNextHop === true && isIpv4 ? [EXTENDED_NEXT_HOP] : []),
    ...(local.extendedMessages === true ? [{ name: 'extended-message' } as const] : []),
    ...(local.role === undefined || !isExternal(local)
      ? []
      : [{ name: 'role', role: roleNumber(local.role) } as const]),
    ...(send || receive
      ? [{ name: 'add-path', entries: families.map((family) => ({ family, mode }) as const) } as const]
      : []),
  ];
}

const isExternal = ({ asn, remoteAsn }: LocalSettings): boolean => asn !== remoteAsn;

/** RFC 8950 §4: IPv4 unicast by AFI 2. */
const EXTENDED_NEXT_HOP: Capability = {
  name: 'extended-next-hop',
  entries: [{ family: familyOf(4), nextHopAfi: 2 }],
};

/** Checks the peer's OPEN against our settings in the order that names the most telling fault first. */
export function negotiate(open: Open, given: LocalSettings): Outcome {
  const local = withAsnOf(open, given);
  const external = isExternal(local);
  const refusal = refuse(open, local, external);
  if (refusal !== undefined) return { kind: 'refused', fault: refusal };

  const holdSeconds = Math.min(open.holdSeconds, local.holdSeconds);
  const gracefulRestart = agreedRestart(open, local.gracefulRestart);
  const { receive, send } = negotiatedContexts(localOpen(local), open, external);
  const session: Negotiated = {
    peerAsn: local.remoteAsn,
    peerIdentifier: open.bgpIdentifier,
    external,
    holdSeconds,
    keepaliveSeconds: keepaliveSeconds(holdSeconds, local.keepaliveSeconds),
    families: commonFamilies(open, local),
    receive,
    // The peer's word alone would do (RFC 8654 §4), but BIRD refuses what comes from one who has not said the same.
    send: { ...send, extendedMessage: send.extendedMessage && receive.extendedMessage },
    routeRefresh: says(open, 'route-refresh'),
    enhancedRefresh: says(open, 'route-refresh') && says(open, 'enhanced-route-refresh'),
    ...(gracefulRestart === undefined ? {} : { gracefulRestart }),
  };
  return { kind: 'agreed', session };
}

/** A dynamic peer names its AS itself, out of those that are wanted. */
function withAsnOf(open: Open, local: LocalSettings): LocalSettings {
  const { value } = peerAsn(open);
  return local.remoteAsns?.includes(value) === true ? { ...local, remoteAsn: value } : local;
}

function refuse(open: Open, local: LocalSettings, external: boolean): Fault | undefined {
  if (open.version !== 4) {
    return fault('unsupportedVersion', `BGP version ${open.version} is not 4`, Uint8Array.of(0, 4));
  }
  if (open.holdSeconds === 1 || open.holdSeconds === 2) {
    const text = `hold time ${open.holdSeconds} is below 3 and not 0`;
    return fault('unacceptableHoldTime', text, Uint8Array.of(0, open.holdSeconds));
  }
  if (open.bgpIdentifier === 0) return fault('badBgpIdentifier', 'BGP Identifier 0 is not allowed', octets(0)); // RFC 6286 §2.2
  if (!external && open.bgpIdentifier === local.bgpIdentifier) {
    return fault('badBgpIdentifier', 'the peer has our own BGP Identifier', octets(open.bgpIdentifier));
  }
  const asn = peerAsn(open);
  const wanted = local.remoteAsns ?? [local.remoteAsn];
  if (!wanted.includes(asn.value) || asn.value === 0) {
    const data = asn.fourOctet ? octets(asn.value) : octets(asn.value).slice(2);
    const text = `AS mismatch: the peer says AS ${asn.value}, AS ${wanted.join(' or ')} is configured`;
    return fault('badPeerAs', text, data);
  }
  if (commonFamilies(open, local).length === 0) {
    const wanted = local.families.map((family) => `IPv${family} unicast`).join(', ');
    return fault('unsupportedCapability', `the peer offers none of ${wanted}`, multiprotocolOctets(local.families));
  }
  return external ? refuseRole(open, local) : undefined;
}

const says = (open: Open, name: Capability['name']): boolean => open.capabilities.some((c) => c.name === name);

/** The AS of the four-octet capability rules; the two-octet field may hold AS_TRANS. RFC 6793 §4.2.1. */
function peerAsn(open: Open): { readonly value: number; readonly fourOctet: boolean } {
  const capability = open.capabilities.findLast((c) => c.name === 'four-octet-as');
  return capability === undefined ? { value: open.asn, fourOctet: false } : { value: capability.asn, fourOctet: true };
}

/** A peer without any Multiprotocol capability speaks IPv4 unicast and nothing else. RFC 4760 §8. */
function commonFamilies(open: Open, local: LocalSettings): readonly IpFamily[] {
  const offered = open.capabilities.filter((c) => c.name === 'multiprotocol').map((c) => ipFamilyOf(c.family));
  const theirs = offered.length === 0 ? [4 as const] : offered;
  return local.families.filter((family) => theirs.includes(family));
}

/** A third of the hold time unless set lower, at least a second; none at all where there is no hold time. RFC 4271 §4.4. */
function keepaliveSeconds(holdSeconds: number, wanted = Infinity): number {
  return holdSeconds === 0 ? 0 : Math.max(1, Math.min(wanted, Math.floor(holdSeconds / 3)));
}

/** Whether NLRI of `family` carry a path identifier in this direction. RFC 7911 §4. */
export const hasPathIds = ({ addPath }: CodecContext, family: IpFamily): boolean =>
  addPath.has(familyKey(familyOf(family)));

const octets = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

/** The capabilities that were missed, as they stand in an OPEN: RFC 5492 §5 wants them in the NOTIFICATION. */
const multiprotocolOctets = (families: readonly IpFamily[]): Uint8Array =>
  Uint8Array.from(families.flatMap((family) => [1, 4, 0, familyOf(family).afi, 0, UNICAST]));
