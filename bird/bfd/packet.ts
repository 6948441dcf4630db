/** The BFD Control packet, RFC 5880 §4.1, without an authentication section. Pure. */

/** In the order of their numbers on the wire. */
export const STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const;
export type BfdState = (typeof STATES)[number];

/** One field per field of RFC 5880 §4.1; intervals in microseconds, as on the wire. */
export interface ControlPacket {
  /** A number of diagnostic.ts. */
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  /** C: the sender's BFD does not share fate with its control plane. */
  readonly controlPlaneIndependent: boolean;
  /** A: an authentication section follows; this codec does not look into it. */
  readonly authenticationPresent: boolean;
  readonly demand: boolean;
  readonly multiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTxUs: number;
  readonly requiredMinRxUs: number;
  readonly requiredMinEchoRxUs: number;
}

/** Why a packet counts for nothing, each a rule of RFC 5880 §6.8.6 that needs no session to be judged. */
export type MalformedReason =
  | 'wrong version'
  | 'shorter than a control packet'
  | 'length beyond the datagram'
  | 'detection multiplier 0'
  | 'multipoint'
  | 'my discriminator 0';

const OCTETS = 24;
const OCTETS_WITH_AUTHENTICATION = 26;
const VERSION = 1;
const FLAG = { poll: 0x20, final: 0x10, independent: 0x08, authentication: 0x04, demand: 0x02, multipoint: 0x01 };

/** The payload of one datagram. What follows the packet's own length is ignored. */
export function decodeControl(octets: Uint8Array): ControlPacket | MalformedReason {
  // Version, flags and length can only be judged where they are there.
  if (octets.length < 4) return 'shorter than a control packet';
  if (octets[0]! >> 5 !== VERSION) return 'wrong version';
  const flags = octets[1]!;
  const length = octets[3]!;
  const isAuthenticated = (flags & FLAG.authentication) !== 0;
  if (length < (isAuthenticated ? OCTETS_WITH_AUTHENTICATION : OCTETS)) return 'shorter than a control packet';
  if (length > octets.length) return 'length beyond the datagram';
  if (octets[2] === 0) return 'detection multiplier 0';
  if ((flags & FLAG.multipoint) !== 0) return 'multipoint';
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const myDiscriminator = view.getUint32(4);
  if (myDiscriminator === 0) return 'my discriminator 0';
  return {
    diagnostic: octets[0]! & 0x1f,
    state: STATES[flags >> 6]!,
    poll: (flags & FLAG.poll) !== 0,
    final: (flags & FLAG.final) !== 0,
    controlPlaneIndependent: (flags & FLAG.independent) !== 0,
    authenticationPresent: isAuthenticated,
    demand: (flags & FLAG.demand) !== 0,
    multiplier: octets[2]!,
    myDiscriminator,
    yourDiscriminator: view.getUint32(8),
    desiredMinTxUs: view.getUint32(12),
    requiredMinRxUs: view.getUint32(16),
    requiredMinEchoRxUs: view.getUint32(20),
  };
}

/** 24 octets; `authenticationPresent` must be false. */
export function encodeControl(packet: ControlPacket): Uint8Array {
  const octets = new Uint8Array(OCTETS);
  const view = new DataView(octets.buffer);
  octets[0] = (VERSION << 5) | packet.diagnostic;
  octets[1] =
    (STATES.indexOf(packet.state) << 6) |
    (packet.poll ? FLAG.poll : 0) |
    (packet.final ? FLAG.final : 0) |
    (packet.controlPlaneIndependent ? FLAG.independent : 0) |
    (packet.demand ? FLAG.demand : 0);
  octets[2] = packet.multiplier;
  octets[3] = OCTETS;
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTxUs);
  view.setUint32(16, packet.requiredMinRxUs);
  view.setUint32(20, packet.requiredMinEchoRxUs);
  return octets;
}
