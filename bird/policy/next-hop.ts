/** Next hops as octets: 4 are IPv4, 16 IPv6, 32 IPv6 with a link-local address behind it. Pure. RFC 2545 §3, RFC 8950 §3. */
import type { NextHopBytes } from '../wire.ts';

/** The addresses in it, the one that routes go by first; none where it has another length. */
export function nextHopAddresses(nextHop: NextHopBytes): readonly Uint8Array[] {
  if (nextHop.length === 32) return [plain(nextHop.subarray(0, 16)), nextHop.subarray(16)];
  return nextHop.length === 4 || nextHop.length === 16 ? [plain(nextHop)] : [];
}

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
