import { readU16 } from '../reader.ts';
import { IPV6_UNICAST } from '../nlri/families.ts';
import { mpReach } from './mp-reach.ts';
import { mpUnreach } from './mp-unreach.ts';
import { EXTENDED_LENGTH, OPTIONAL } from './spec.ts';

/** AFI and SAFI. RFC 4760 §4. */
const UNREACH_FIXED_OCTETS = 3;
/** AFI, SAFI and the length of the next hop; behind that a reserved octet. RFC 4760 §3. */
const REACH_FIXED_OCTETS = 4;
const RESERVED_OCTETS = 1;
/** A global address, or one and a link-local one. RFC 2545 §3. */
const NEXT_HOP_OCTETS = 16;
const TWO_NEXT_HOPS_OCTETS = 32;

/**
 * The only attribute of a block with prefixes, where these are of IPv6 unicast: MP_REACH_NLRI among others, or MP_UNREACH_NLRI
 * alone. It need not be the first, for many write it in order of code in spite of RFC 7606 §5.1. One object for many blocks: what
 * `scanUpdate` finds with several for each.
 */
export class OnlyMultiprotocol {
  /** Of what was read last: MP_REACH_NLRI, else MP_UNREACH_NLRI; its next hop; its prefixes, of which there is at least one. */
  isReach = false;
  nextHopStart = 0;
  nextHopEnd = 0;
  nlriStart = 0;
  nlriEnd = 0;

  /** False: the block `bytes[start, end)` is another, or something is wrong with it. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    let isFound = false;
    for (let at = start; at < end;) {
      if (end - at < 3) return false;
      const isLong = (bytes[at]! & EXTENDED_LENGTH) !== 0;
      const code = bytes[at + 1]!;
      const value = at + (isLong ? 4 : 3);
      const next = value + (isLong ? readU16(bytes, at + 2) : bytes[at + 2]!);
      if (next > end) return false;
      if (code === mpReach.code || code === mpUnreach.code) {
        if (isFound || (bytes[at]! & ~EXTENDED_LENGTH) !== OPTIONAL) return false;
        this.isReach = code === mpReach.code;
        if (!this.isReach && (at !== start || next !== end)) return false;
        if (!this.#locate(bytes, value, next)) return false;
        isFound = true;
      }
      at = next;
    }
    return isFound;
  }

  #locate(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < REACH_FIXED_OCTETS) return false;
    if (readU16(bytes, start) !== IPV6_UNICAST.afi || bytes[start + 2] !== IPV6_UNICAST.safi) return false;
    this.nlriStart = start + UNREACH_FIXED_OCTETS;
    this.nlriEnd = end;
    if (!this.isReach) return true;
    const octets = bytes[start + 3]!;
    this.nextHopStart = start + REACH_FIXED_OCTETS;
    this.nextHopEnd = this.nextHopStart + octets;
    this.nlriStart = this.nextHopEnd + RESERVED_OCTETS;
    return this.nlriStart < end && (octets === NEXT_HOP_OCTETS || octets === TWO_NEXT_HOPS_OCTETS);
  }
}
