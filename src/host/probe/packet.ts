/** IPv4 (RFC 791), ICMP (RFC 792) and IP in IP (RFC 2003), as much of them as a question to another host takes. */

const IPV4_OCTETS = 20;
const ICMP_OCTETS = 8;
export const PROTOCOL = { icmp: 1, ipip: 4 } as const;
const ECHO = { request: 8, reply: 0 } as const;
const UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;

/** IPv4 addresses are uint32. */
export interface Endpoints {
  readonly source: number;
  readonly destination: number;
}

/** What tells one question from another: 16 bits each. */
export interface EchoId {
  readonly identifier: number;
  readonly sequence: number;
}

/** A whole IPv4 packet of `octets` that asks for an echo; it may not be fragmented. */
export function encodeEcho(ends: Endpoints, { identifier, sequence }: EchoId, octets: number): Uint8Array {
  const icmp = new Uint8Array(Math.max(ICMP_OCTETS, octets - IPV4_OCTETS));
  const view = new DataView(icmp.buffer);
  view.setUint8(0, ECHO.request);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  view.setUint16(2, checksum(icmp));
  return encodeIpv4(ends, { protocol: PROTOCOL.icmp, identification: sequence, payload: icmp });
}

/** The packet inside another one of protocol 4. `sequence` is the outer one's identification, for errors to tell it by. */
export const encapsulate = (ends: Endpoints, inner: Uint8Array, sequence: number): Uint8Array =>
  encodeIpv4(ends, { protocol: PROTOCOL.ipip, identification: sequence, payload: inner });

interface Content {
  readonly protocol: number;
  readonly identification: number;
  readonly payload: Uint8Array;
}

function encodeIpv4(ends: Endpoints, { protocol, identification, payload }: Content): Uint8Array {
  const packet = new Uint8Array(IPV4_OCTETS + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint16(4, identification);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, TTL);
  view.setUint8(9, protocol);
  view.setUint32(12, ends.source);
  view.setUint32(16, ends.destination);
  view.setUint16(10, checksum(packet.subarray(0, IPV4_OCTETS)));
  packet.set(payload, IPV4_OCTETS);
  return packet;
}

/** RFC 1071. */
function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export type Answer =
  | { readonly kind: 'echo'; readonly from: number; readonly id: EchoId }
  /** Somebody on the way, or the host itself, could not pass on a packet of ours. */
  | {
      readonly kind: 'unreachable';
      readonly from: number;
      readonly code: number;
      /** Of the packet that it is about. */
      readonly about: { readonly destination: number; readonly protocol: number; readonly identification: number };
      /** What would fit, RFC 1191; where the code says so. */
      readonly mtu?: number;
    };

/** What a raw ICMP socket received; undefined for what is no answer to a question, or is cut short. */
export function decodeAnswer(packet: Uint8Array): Answer | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const header = headerOctets(view, 0);
  if (header === undefined || view.byteLength < header + ICMP_OCTETS || view.getUint8(9) !== PROTOCOL.icmp)
    return undefined;
  const from = view.getUint32(12);
  const type = view.getUint8(header);
  if (type === ECHO.reply) {
    return { kind: 'echo', from, id: { identifier: view.getUint16(header + 4), sequence: view.getUint16(header + 6) } };
  }
  const original = header + ICMP_OCTETS;
  if (type !== UNREACHABLE || headerOctets(view, original) === undefined) return undefined;
  const code = view.getUint8(header + 1);
  const mtu = view.getUint16(header + 6);
  return {
    ...{ kind: 'unreachable', from, code },
    about: {
      destination: view.getUint32(original + 16),
      protocol: view.getUint8(original + 9),
      identification: view.getUint16(original + 4),
    },
    ...(code === FRAGMENTATION_NEEDED && mtu > 0 && { mtu }),
  };
}

function headerOctets(view: DataView, at: number): number | undefined {
  if (view.byteLength < at + IPV4_OCTETS || view.getUint8(at) >>> 4 !== 4) return undefined;
  const octets = (view.getUint8(at) & 0x0f) * 4;
  return octets >= IPV4_OCTETS && view.byteLength >= at + octets ? octets : undefined;
}
