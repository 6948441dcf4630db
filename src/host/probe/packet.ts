/**
 * IPv4 (RFC 791), IPv6 (RFC 8200), ICMP (RFC 792, 4443), UDP, IP in IP (RFC 2003) and VXLAN (RFC 7348), as much of them as a
 * question to another host takes.
 */
import type { IpAddress, IpFamily } from '../../model/ip.ts';

export const IPV4_OCTETS = 20;
export const IPV6_OCTETS = 40;
export const ICMP_OCTETS = 8;
export const UDP_OCTETS = 8;
const VXLAN_OCTETS = 8;
const ETHERNET_OCTETS = 14;
export const PROTOCOL = { icmp: 1, ipip: 4, udp: 17, icmpv6: 58 } as const;
export const ECHO = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const;
const VXLAN_HAS_VNI = 0x08;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;
/** Dynamic ports, so that the source port can say which question it was. */
export const FIRST_PORT = 49_152;

/** Both of one family. */
export interface Endpoints {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** What tells one question from another: 16 bits each. `sequence` is also what an error is told by. */
export interface EchoId {
  readonly identifier: number;
  readonly sequence: number;
}

/** A whole packet of `octets` that asks for an echo; it may not be fragmented. */
export function encodeEcho(ends: Endpoints, { identifier, sequence }: EchoId, octets: number): Uint8Array {
  const { family } = ends.source;
  const icmp = new Uint8Array(Math.max(ICMP_OCTETS, octets - headerOctets(family)));
  const view = new DataView(icmp.buffer);
  view.setUint8(0, ECHO[family].request);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  const protocol = family === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  view.setUint16(2, checksum(...(family === 6 ? [pseudoHeader(ends, protocol, icmp.length)] : []), icmp));
  return encodeIp(ends, { protocol, sequence, payload: icmp });
}

/** The packet inside another one of protocol 4. */
export const encapsulate = (ends: Endpoints, inner: Uint8Array, sequence: number): Uint8Array =>
  encodeIp(ends, { protocol: PROTOCOL.ipip, sequence, payload: inner });

export interface VxlanTarget {
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  /** `66:00:00:00:00:01`, of the VXLAN device that is to take it. */
  readonly mac: string;
  readonly sourceMac: string;
}

/** The packet, in an Ethernet frame, inside VXLAN. */
export function encapsulateVxlan(
  ends: Endpoints,
  { inner, sequence }: { readonly inner: Uint8Array; readonly sequence: number },
  { vni, port, mac, sourceMac }: VxlanTarget,
): Uint8Array {
  const payload = new Uint8Array(UDP_OCTETS + VXLAN_OCTETS + ETHERNET_OCTETS + inner.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, FIRST_PORT + (sequence % (0x1_0000 - FIRST_PORT)));
  view.setUint16(2, port);
  view.setUint16(4, payload.length);
  view.setUint8(UDP_OCTETS, VXLAN_HAS_VNI);
  view.setUint32(UDP_OCTETS + 4, (vni << 8) >>> 0);
  const frame = UDP_OCTETS + VXLAN_OCTETS;
  payload.set(macOctets(mac), frame);
  payload.set(macOctets(sourceMac), frame + 6);
  view.setUint16(frame + 12, ETHERTYPE[inner[0]! >>> 4 === 4 ? 4 : 6]);
  payload.set(inner, frame + ETHERNET_OCTETS);
  // IPv6 has no UDP without a checksum; 0 would mean none.
  view.setUint16(6, checksum(pseudoHeader(ends, PROTOCOL.udp, payload.length), payload) || 0xffff);
  return encodeIp(ends, { protocol: PROTOCOL.udp, sequence, payload });
}

interface Content {
  readonly protocol: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

function encodeIp(ends: Endpoints, content: Content): Uint8Array {
  const { family } = ends.source;
  const packet = new Uint8Array(headerOctets(family) + content.payload.length);
  packet.set(content.payload, headerOctets(family));
  if (family === 4) writeIpv4Header(packet, ends, content);
  else writeIpv6Header(packet, ends, content);
  return packet;
}

const headerOctets = (family: IpFamily): number => (family === 4 ? IPV4_OCTETS : IPV6_OCTETS);

function writeIpv4Header(
  packet: Uint8Array,
  { source, destination }: Endpoints,
  { protocol, sequence }: Content,
): void {
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint16(4, sequence);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, TTL);
  view.setUint8(9, protocol);
  packet.set(addressOctets(source), 12);
  packet.set(addressOctets(destination), 16);
  view.setUint16(10, checksum(packet.subarray(0, IPV4_OCTETS)));
}

function writeIpv6Header(packet: Uint8Array, { source, destination }: Endpoints, { protocol }: Content): void {
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, packet.length - IPV6_OCTETS);
  view.setUint8(6, protocol);
  view.setUint8(7, TTL);
  packet.set(addressOctets(source), 8);
  packet.set(addressOctets(destination), 24);
}

/** RFC 768 and 8200 §8.1. */
function pseudoHeader({ source, destination }: Endpoints, protocol: number, octets: number): Uint8Array {
  const [from, to] = [addressOctets(source), addressOctets(destination)];
  const rest = new Uint8Array(8);
  const view = new DataView(rest.buffer);
  view.setUint32(0, octets);
  view.setUint8(7, protocol);
  return Uint8Array.from([...from, ...to, ...rest]);
}

export function addressOctets({ words }: IpAddress): Uint8Array {
  const octets = new Uint8Array(words.length * 4);
  const view = new DataView(octets.buffer);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word);
  return octets;
}

const macOctets = (mac: string): readonly number[] => mac.split(':').map((octet) => parseInt(octet, 16));

/** RFC 1071, over parts that each begin at an even octet. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const octets of parts) {
    for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
