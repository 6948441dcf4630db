import { afis } from '../iana.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { malformed } from './codec.ts';

export const readAsn = (body: Reader, fourOctetAs: boolean): number => (fourOctetAs ? body.u32() : body.u16());

export function writeAsn(out: Writer, fourOctetAs: boolean, [asn, what]: readonly [number, string]): void {
  if (fourOctetAs) out.u32(asn, what);
  else out.u16(asn, what);
}

/** How many octets an address of `afi` has. Throws BgpError for what is neither IPv4 nor IPv6. */
export function addressOctets(afi: number): 4 | 16 {
  if (afi === afis.ipv4) return 4;
  if (afi === afis.ipv6) return 16;
  throw malformed(`address family ${afi} is neither IPv4 nor IPv6`);
}

/** The AFI of an address. Throws a plain Error where it is none. */
export function afiOf(address: Uint8Array): number {
  if (address.length === 4) return afis.ipv4;
  if (address.length === 16) return afis.ipv6;
  throw new Error(`${address.length} octets are no address`);
}
