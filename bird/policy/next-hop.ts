/**
 * Next hops as octets: 4 are IPv4, 16 IPv6, 32 IPv6 with a link-local address behind it. Pure. RFC 2545 §3, RFC 8950 §3.
 * On sessions over link-local addresses, where there is no global one, BIRD sends `::` in its place.
 */
import type { NextHopBytes } from '../wire.ts';

/** The addresses in it, the one that routes go by first; none where it has another length. */
export function nextHopAddresses(nextHop: NextHopBytes): readonly Uint8Array[] {
  if (nextHop.length === 32) {
    const [first, second] = [nextHop.subarray(0, 16), nextHop.subarray(16)];
    return isZero(first, 16) && isLinkLocal(second) ? [second] : [plain(first), second];
  }
  return nextHop.length === 4 || nextHop.length === 16 ? [plain(nextHop)] : [];
}

/** What of it means something beyond the link that it came from; undefined where it is link-local and nothing else. */
export function beyondLink(nextHop: NextHopBytes): NextHopBytes | undefined {
  const [first] = nextHopAddresses(nextHop);
  if (first === undefined || isLinkLocal(first)) return undefined;
  return nextHop.length === 32 ? nextHop.subarray(0, 16) : nextHop;
}

/** fe80::/10, RFC 4291 §2.4. */
const isLinkLocal = (address: Uint8Array): boolean =>
  address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;

/** `::ffff:10.0.0.1` is an IPv4 address in IPv6 clothes, RFC 4291 §2.5.5.2. */
function plain(address: Uint8Array): Uint8Array {
  const isMapped = address.length === 16 && isZero(address, 10) && address[10] === 0xff && address[11] === 0xff;
  return isMapped ? address.subarray(12) : address;
}

/** Neither unspecified, loopback, multicast nor reserved. */
export function isHostAddress(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  if (address.length === 4) return first !== 0 && first !== 127 && first < 224;
  const isUnspecifiedOrLoopback = isZero(address, 15) && (address[15] ?? 0) <= 1;
  return first !== 0xff && !isUnspecifiedOrLoopback;
}

export const sameAddressOctets = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, i) => octet === b[i]);

function isZero(address: Uint8Array, octets: number): boolean {
  for (let i = 0; i < octets; i++) if (address[i] !== 0) return false;
  return true;
}
