/** What comes back for a question of ours: an echo, or somebody's word that a packet of ours could not be passed on. */
import type { IpAddress, IpFamily } from '../../model/ip.ts';
import { ECHO, FIRST_PORT, ICMP_OCTETS, IPV4_OCTETS, IPV6_OCTETS, PROTOCOL, UDP_OCTETS } from './packet.ts';
import type { EchoId } from './packet.ts';

export type Answer =
  | { readonly kind: 'echo'; readonly id: EchoId }
  | {
      readonly kind: 'refused';
      /** A router on the way, or the host itself. */
      readonly by: IpAddress;
      /** `port unreachable` */
      readonly why: string;
      /** What would fit, RFC 1191 and 4443 §3.2; where it says so. */
      readonly mtu?: number;
      /** Of the packet that it is about. */
      readonly about: { readonly destination: IpAddress; readonly sequence: number };
    };

export const PORT_UNREACHABLE = 'port unreachable';
export const PROTOCOL_UNREACHABLE = 'protocol unreachable';
const TOO_BIG = 'packet too big';

/** By type and code: RFC 792 and 1812; RFC 4443. */
const REFUSALS: Readonly<Record<IpFamily, ReadonlyMap<string, string>>> = {
  4: new Map([
    ['3/0', 'network unreachable'],
    ['3/1', 'host unreachable'],
    ['3/2', PROTOCOL_UNREACHABLE],
    ['3/3', PORT_UNREACHABLE],
    ['3/4', TOO_BIG],
    ['3/9', 'network prohibited'],
    ['3/10', 'host prohibited'],
    ['3/13', 'prohibited by a filter'],
  ]),
  6: new Map([
    ['1/0', 'no route'],
    ['1/1', 'prohibited by a filter'],
    ['1/3', 'address unreachable'],
    ['1/4', PORT_UNREACHABLE],
    ['1/5', 'source address prohibited'],
    ['1/6', 'route rejected'],
    ['2/0', TOO_BIG],
    ['4/1', PROTOCOL_UNREACHABLE],
  ]),
};
/** The types whose codes are refusals; a code without a word is told by its number. */
const REFUSING: Readonly<Record<IpFamily, readonly number[]>> = { 4: [3], 6: [1, 2] };

/** What a raw ICMP socket received, IPv4 header and all; undefined for what is no answer to a question, or is cut short. */
export function decodeIpv4Answer(packet: Uint8Array): Answer | undefined {
  const header = ipv4HeaderOctets(packet);
  if (header === undefined || packet[9] !== PROTOCOL.icmp) return undefined;
  return decodeIcmp(packet.subarray(header), { family: 4, by: readAddress(packet, 12, 1) });
}

/** The same of a raw ICMPv6 socket, which leaves the header away and tells `from` beside it. */
export const decodeIpv6Answer = (message: Uint8Array, from: IpAddress): Answer | undefined =>
  decodeIcmp(message, { family: 6, by: from });

interface Sender {
  readonly family: IpFamily;
  readonly by: IpAddress;
}

function decodeIcmp(message: Uint8Array, { family, by }: Sender): Answer | undefined {
  if (message.length < ICMP_OCTETS) return undefined;
  const view = viewOf(message);
  const [type, code] = [view.getUint8(0), view.getUint8(1)];
  if (type === ECHO[family].reply) {
    return { kind: 'echo', id: { identifier: view.getUint16(4), sequence: view.getUint16(6) } };
  }
  const isRefusal = REFUSING[family].includes(type) || REFUSALS[family].has(`${type}/${code}`);
  const original = message.subarray(ICMP_OCTETS);
  const about = isRefusal ? (family === 4 ? quotedIpv4(original) : quotedIpv6(original)) : undefined;
  if (about === undefined) return undefined;
  const why = REFUSALS[family].get(`${type}/${code}`) ?? `ICMP type ${type} code ${code}`;
  const mtu = family === 4 ? view.getUint16(6) : view.getUint32(4);
  return { kind: 'refused', by, why, about, ...(why === TOO_BIG && mtu > 0 && { mtu }) };
}

type About = (Answer & { readonly kind: 'refused' })['about'];

/** The sequence number is the packet's identification. */
function quotedIpv4(packet: Uint8Array): About | undefined {
  if (ipv4HeaderOctets(packet) === undefined) return undefined;
  return { destination: readAddress(packet, 16, 1), sequence: viewOf(packet).getUint16(4) };
}

/** IPv6 has no identification: the number is in what the packet carries. */
function quotedIpv6(packet: Uint8Array): About | undefined {
  if (packet.length < IPV6_OCTETS + UDP_OCTETS || packet[0]! >>> 4 !== 6) return undefined;
  const [view, protocol] = [viewOf(packet), packet[6]];
  const destination = readAddress(packet, 24, 4);
  if (protocol === PROTOCOL.icmpv6) return { destination, sequence: view.getUint16(IPV6_OCTETS + 6) };
  if (protocol === PROTOCOL.udp) return { destination, sequence: view.getUint16(IPV6_OCTETS) - FIRST_PORT };
  return undefined;
}

/** Undefined where it is no IPv4 header, or what follows is not there. */
function ipv4HeaderOctets(packet: Uint8Array): number | undefined {
  if (packet.length < IPV4_OCTETS || packet[0]! >>> 4 !== 4) return undefined;
  const octets = (packet[0]! & 0x0f) * 4;
  return octets >= IPV4_OCTETS && packet.length >= octets ? octets : undefined;
}

const viewOf = (octets: Uint8Array): DataView => new DataView(octets.buffer, octets.byteOffset, octets.byteLength);

export function readAddress(octets: Uint8Array, at: number, words: 1 | 4): IpAddress {
  const view = viewOf(octets);
  return {
    family: words === 1 ? 4 : 6,
    words: Array.from({ length: words }, (_, i) => view.getUint32(at + 4 * i)),
  };
}
