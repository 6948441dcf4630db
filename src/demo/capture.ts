/** Reads what tcpdump wrote: which packets were really on the wire, and what they were wrapped in. */
import { formatIpv4 } from '../model/ip.ts';

export interface Header {
  readonly source: string;
  readonly destination: string;
}

/** An IPv4 packet as captured; `inner` is what a tunnel carried. */
export interface Packet extends Header {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly wrapping: 'plain' | 'ipip' | 'vxlan';
  readonly inner?: Header;
  /** VXLAN only. */
  readonly vni?: number;
  /** IP protocol number of the innermost packet: 1 is ICMP. */
  readonly protocol: number;
}

const PCAP_MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_IPIP = 4;
const PROTOCOL_UDP = 17;
const VXLAN_PORT = 4789;

/** The IPv4 packets of a capture file (pcap, Ethernet, microseconds); a last record that was cut off is left out. */
export function readCapture(file: Buffer): readonly Packet[] {
  if (file.length < FILE_HEADER || file.readUInt32LE(0) !== PCAP_MAGIC) throw new Error('not a capture of tcpdump');
  const packets: Packet[] = [];
  let at = FILE_HEADER;
  while (at + RECORD_HEADER <= file.length) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    if (frame.length < length) break;
    const time = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const packet = readFrame(frame);
    if (packet !== undefined) packets.push({ at: time, ...packet });
    at += RECORD_HEADER + length;
  }
  return packets;
}

type Untimed = Omit<Packet, 'at'>;

function readFrame(frame: Buffer): Untimed | undefined {
  if (frame.length < ETHERNET_HEADER || frame.readUInt16BE(12) !== ETHERTYPE_IPV4) return undefined;
  const outer = readIpv4(frame.subarray(ETHERNET_HEADER));
  if (outer === undefined) return undefined;
  const { header, protocol, payload } = outer;
  if (protocol === PROTOCOL_IPIP) {
    const inner = readIpv4(payload);
    return inner && { ...header, wrapping: 'ipip', inner: inner.header, protocol: inner.protocol };
  }
  if (protocol === PROTOCOL_UDP && payload.length >= 16 && payload.readUInt16BE(2) === VXLAN_PORT) {
    // RFC 7348 §5: eight octets of UDP, eight of VXLAN with the VNI in the upper 24 bits of the last word.
    const inner = readFrame(payload.subarray(16));
    if (inner === undefined) return undefined;
    const { source, destination } = inner;
    const vni = payload.readUInt32BE(12) >>> 8;
    return { ...header, wrapping: 'vxlan', vni, inner: { source, destination }, protocol: inner.protocol };
  }
  return { ...header, wrapping: 'plain', protocol };
}

function readIpv4(bytes: Buffer): { header: Header; protocol: number; payload: Buffer } | undefined {
  const headerLength = ((bytes[0] ?? 0) & 0xf) * 4;
  if (bytes.length < headerLength || headerLength < 20 || bytes[0]! >>> 4 !== 4) return undefined;
  const header = { source: formatIpv4(bytes.readUInt32BE(12)), destination: formatIpv4(bytes.readUInt32BE(16)) };
  return { header, protocol: bytes[9]!, payload: bytes.subarray(headerLength) };
}
