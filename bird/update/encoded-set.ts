import type { IpFamily } from '../../src/model/ip.ts';
import { attributesStart, NEXT_HOP, TRANSITIVE, valueEnd } from '../rib/kept-set.ts';
import type { NextHopBytes } from '../wire.ts';

/** An attribute set as it goes out. */
export interface EncodedSet {
  /** Its first `blockLength` octets, without the next hop where MP_REACH carries it. */
  readonly block: Uint8Array;
  readonly blockLength: number;
  /** In MP_REACH: of IPv6, and of IPv4 where it is one of IPv6 (RFC 8950). Undefined: it is among the attributes. */
  readonly nextHop: NextHopBytes | undefined;
}

const IPV4_OCTETS = 4;
/** Room for NEXT_HOP beside what is kept. */
const NEXT_HOP_OCTETS = 3 + IPV4_OCTETS;

const FEW_OCTETS = 256;

/** Of one group of peers. Sets are encoded in one room, one after the other: an array for each costs more than its octets. */
export class KeptSetEncoder {
  readonly #family: IpFamily;
  #room = new Uint8Array(FEW_OCTETS);

  constructor(family: IpFamily) {
    this.#family = family;
  }

  /**
   * From the octets that the cache keeps (rib/kept-set.ts); NEXT_HOP, which stands in front there, has its place behind AS_PATH.
   * Stands until the next call.
   */
  encode(octets: Uint8Array): EncodedSet {
    const start = attributesStart(octets);
    const isMultiprotocol = this.#family === 6 || octets[0] !== IPV4_OCTETS;
    const most = octets.length + NEXT_HOP_OCTETS;
    if (most > this.#room.length) this.#room = new Uint8Array(2 * most);
    const room = this.#room;
    let end = 0;
    let at = start;
    if (!isMultiprotocol) {
      while (at < octets.length && octets[at + 1]! < NEXT_HOP) at = valueEnd(octets, at);
      for (let from = start; from < at; from++) room[end++] = octets[from]!;
      room[end++] = TRANSITIVE;
      room[end++] = NEXT_HOP;
      room[end++] = IPV4_OCTETS;
      for (let from = 1; from < start; from++) room[end++] = octets[from]!;
    }
    for (; at < octets.length; at++) room[end++] = octets[at]!;
    return { block: room, blockLength: end, nextHop: isMultiprotocol ? octets.subarray(1, start) : undefined };
  }
}
