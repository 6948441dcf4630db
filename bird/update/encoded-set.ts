import type { IpFamily } from '../../src/model/ip.ts';
import { attributesStart, NEXT_HOP, TRANSITIVE, valueEnd } from '../rib/kept-set.ts';
import type { EncodedSet, KeptSet } from '../rib/kept-set.ts';

export type { EncodedSet } from '../rib/kept-set.ts';

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
  encode(set: KeptSet): EncodedSet {
    const { octets, start, end } = set;
    const first = attributesStart(set);
    const isMultiprotocol = this.#family === 6 || octets[start] !== IPV4_OCTETS;
    const most = end - start + NEXT_HOP_OCTETS;
    if (most > this.#room.length) this.#room = new Uint8Array(2 * most);
    const room = this.#room;
    let length = 0;
    let at = first;
    if (!isMultiprotocol) {
      while (at < end && octets[at + 1]! < NEXT_HOP) at = valueEnd(octets, at);
      for (let from = first; from < at; from++) room[length++] = octets[from]!;
      room[length++] = TRANSITIVE;
      room[length++] = NEXT_HOP;
      room[length++] = IPV4_OCTETS;
      for (let from = start + 1; from < first; from++) room[length++] = octets[from]!;
    }
    for (; at < end; at++) room[length++] = octets[at]!;
    const nextHop = isMultiprotocol ? octets.subarray(start + 1, first) : undefined;
    return { block: room, blockLength: length, nextHop };
  }
}
