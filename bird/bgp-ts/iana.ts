import type { ErrorCode } from './error.ts';

/** Message types, RFC 4271 §4.1 and RFC 2918. */
export const messageTypes = { open: 1, update: 2, notification: 3, keepalive: 4, 'route-refresh': 5 } as const;

/** Marker, length and type, RFC 4271 §4.1. */
export const HEADER_OCTETS = 19;
/** Without RFC 8654, and for OPEN and KEEPALIVE always. */
export const MAX_OCTETS = 4096;
/** Where RFC 8654's capability was sent by the receiver; what the length field can say. */
export const EXTENDED_MAX_OCTETS = 65535;

export const afis = { ipv4: 1, ipv6: 2 } as const;

export const safis = {
  unicast: 1,
  multicast: 2,
  labeledUnicast: 4,
  vpn: 128,
  flowspec: 133,
  flowspecVpn: 134,
} as const;

/** AS_TRANS stands in two octets for an AS number that needs four, RFC 6793 §9. */
export const AS_TRANS = 23456;

/** RFC 4271 §6.1. */
export const headerError = {
  connectionNotSynchronized: [1, 1],
  badMessageLength: [1, 2],
  badMessageType: [1, 3],
} as const satisfies Record<string, ErrorCode>;

/** RFC 4271 §6.2, RFC 5492 §5, RFC 9234 §4.2. */
export const openError = {
  unspecific: [2, 0],
  unsupportedVersion: [2, 1],
  badPeerAs: [2, 2],
  badBgpIdentifier: [2, 3],
  unsupportedParameter: [2, 4],
  unacceptableHoldTime: [2, 6],
  unsupportedCapability: [2, 7],
  roleMismatch: [2, 11],
} as const satisfies Record<string, ErrorCode>;

/** RFC 4271 §6.3. */
export const updateError = {
  malformedAttributeList: [3, 1],
  unrecognizedWellKnown: [3, 2],
  missingWellKnown: [3, 3],
  attributeFlags: [3, 4],
  attributeLength: [3, 5],
  invalidOrigin: [3, 6],
  invalidNextHop: [3, 8],
  optionalAttribute: [3, 9],
  invalidNetworkField: [3, 10],
  malformedAsPath: [3, 11],
} as const satisfies Record<string, ErrorCode>;

/** RFC 4271 §6.5. */
export const holdTimerExpired: ErrorCode = [4, 0];

/** RFC 6608. */
export const fsmError = {
  unspecific: [5, 0],
  unexpectedInOpenSent: [5, 1],
  unexpectedInOpenConfirm: [5, 2],
  unexpectedInEstablished: [5, 3],
} as const satisfies Record<string, ErrorCode>;

/** RFC 4486, RFC 8538, RFC 9384. */
export const cease = {
  maximumPrefixes: [6, 1],
  administrativeShutdown: [6, 2],
  peerDeconfigured: [6, 3],
  administrativeReset: [6, 4],
  connectionRejected: [6, 5],
  otherConfigurationChange: [6, 6],
  connectionCollision: [6, 7],
  outOfResources: [6, 8],
  hardReset: [6, 9],
  bfdDown: [6, 10],
} as const satisfies Record<string, ErrorCode>;

/** RFC 9687 §3.2. */
export const sendHoldTimerExpired: ErrorCode = [8, 0];

/** RFC 7313 §5. */
export const routeRefreshError = { invalidLength: [7, 1] } as const satisfies Record<string, ErrorCode>;

/** Well-known communities, for the readable line. RFC 1997, 3765, 7611, 7999, 8326, 9494. */
export const wellKnownCommunities: Readonly<Record<number, string>> = {
  0xffff0000: 'graceful-shutdown',
  0xffff0001: 'accept-own',
  0xffff0006: 'llgr-stale',
  0xffff0007: 'no-llgr',
  0xffff029a: 'blackhole',
  0xffffff01: 'no-export',
  0xffffff02: 'no-advertise',
  0xffffff03: 'no-export-subconfed',
  0xffffff04: 'no-peer',
};

const errorNames: Readonly<Record<string, string>> = {
  '1': 'Message Header Error',
  '1/1': 'Connection Not Synchronized',
  '1/2': 'Bad Message Length',
  '1/3': 'Bad Message Type',
  '2': 'OPEN Message Error',
  '2/1': 'Unsupported Version Number',
  '2/2': 'Bad Peer AS',
  '2/3': 'Bad BGP Identifier',
  '2/4': 'Unsupported Optional Parameter',
  '2/5': 'Authentication Failure',
  '2/6': 'Unacceptable Hold Time',
  '2/7': 'Unsupported Capability',
  '2/11': 'Role Mismatch',
  '3': 'UPDATE Message Error',
  '3/1': 'Malformed Attribute List',
  '3/2': 'Unrecognized Well-known Attribute',
  '3/3': 'Missing Well-known Attribute',
  '3/4': 'Attribute Flags Error',
  '3/5': 'Attribute Length Error',
  '3/6': 'Invalid ORIGIN Attribute',
  '3/8': 'Invalid NEXT_HOP Attribute',
  '3/9': 'Optional Attribute Error',
  '3/10': 'Invalid Network Field',
  '3/11': 'Malformed AS_PATH',
  '4': 'Hold Timer Expired',
  '5': 'Finite State Machine Error',
  '5/1': 'Unexpected Message in OpenSent',
  '5/2': 'Unexpected Message in OpenConfirm',
  '5/3': 'Unexpected Message in Established',
  '6': 'Cease',
  '6/1': 'Maximum Number of Prefixes Reached',
  '6/2': 'Administrative Shutdown',
  '6/3': 'Peer De-configured',
  '6/4': 'Administrative Reset',
  '6/5': 'Connection Rejected',
  '6/6': 'Other Configuration Change',
  '6/7': 'Connection Collision Resolution',
  '6/8': 'Out of Resources',
  '6/9': 'Hard Reset',
  '6/10': 'BFD Down',
  '7': 'ROUTE-REFRESH Message Error',
  '7/1': 'Invalid Message Length',
  '8': 'Send Hold Timer Expired',
};

/** `Cease / Administrative Shutdown`; what IANA has no name for keeps its number: `Cease / 99`. */
export function errorName([code, subcode]: ErrorCode): string {
  const group = errorNames[String(code)] ?? `error ${code}`;
  if (subcode === 0) return group;
  return `${group} / ${errorNames[`${code}/${subcode}`] ?? String(subcode)}`;
}
