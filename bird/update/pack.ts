/** The difference that a peer is still to be told becomes UPDATEs, one attribute set each, as full as they go. Pure. */
import type { AdjRibOut } from '../rib/adj-rib-out.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { Family, NextHopBytes } from '../wire.ts';
import {
  encodeMpReach,
  encodeMpUnreach,
  encodeUpdateFrame,
  MAX_OCTETS,
  nlriOctets,
  UPDATE_FIXED_OCTETS,
  writeNlri,
} from '../wire.ts';

/** An attribute set as it goes out; for IPv6 `block` is without the next hop, which MP_REACH carries. */
export interface EncodedSet {
  readonly block: Uint8Array;
  readonly nextHop: NextHopBytes;
}

export interface Packing {
  readonly adjRibOut: AdjRibOut;
  readonly prefixes: PrefixTable;
  /** Encoded once per set and group of peers, whoever asks. */
  readonly encodedSet: (attributes: number) => EncodedSet;
  /** Room for the prefixes of one message, overwritten each time. */
  readonly scratch: Uint8Array;
}

const IPV6_UNICAST: Family = { afi: 2, safi: 1 };
/** Flags, code, two octets of length; AFI, SAFI, next hop length and the reserved octet. RFC 4760 §3, §4. */
const MP_REACH_FIXED_OCTETS = 9;
const MP_UNREACH_FIXED_OCTETS = 7;
const LONGEST_NLRI_OCTETS = 17;

/** Whether a set leaves room for at least one prefix; one that does not can never be sent. RFC 4271 §9.2. */
export const isSendable = ({ block, nextHop }: EncodedSet): boolean =>
  UPDATE_FIXED_OCTETS + MP_REACH_FIXED_OCTETS + nextHop.length + block.length + LONGEST_NLRI_OCTETS <= MAX_OCTETS;

/** The next UPDATE for the peer, or undefined where it knows everything. */
export function packNext({ adjRibOut, prefixes, encodedSet, scratch: nlri }: Packing): Uint8Array | undefined {
  let end = 0;
  let room = 0;
  let set: EncodedSet | undefined;
  const isAny = adjRibOut.take(
    (attributes) => {
      set = attributes === undefined ? undefined : encodedSet(attributes);
      room = MAX_OCTETS - UPDATE_FIXED_OCTETS - overhead(prefixes, set);
    },
    (prefix) => {
      const length = prefixes.length(prefix);
      if (end + nlriOctets(length, false) > room) return false;
      const [w0, w1] = [prefixes.word(prefix, 0), prefixes.word(prefix, 1)];
      end = writeNlri(nlri, end, w0, w1, prefixes.word(prefix, 2), prefixes.word(prefix, 3), length);
      return true;
    },
  );
  return isAny ? frame(prefixes, set, nlri.subarray(0, end)) : undefined;
}

function overhead({ family }: PrefixTable, set: EncodedSet | undefined): number {
  if (family === 4) return set?.block.length ?? 0;
  if (set === undefined) return MP_UNREACH_FIXED_OCTETS;
  return MP_REACH_FIXED_OCTETS + set.nextHop.length + set.block.length;
}

/** MP_REACH stands first, and one kind of NLRI per UPDATE. RFC 7606 §5.1. */
function frame({ family }: PrefixTable, set: EncodedSet | undefined, nlri: Uint8Array): Uint8Array {
  if (family === 4) {
    return set === undefined
      ? encodeUpdateFrame({ withdrawn: nlri })
      : encodeUpdateFrame({ attributes: set.block, nlri });
  }
  if (set === undefined) return encodeUpdateFrame({ attributes: encodeMpUnreach(IPV6_UNICAST, nlri) });
  const reach = encodeMpReach(IPV6_UNICAST, set.nextHop, nlri);
  const attributes = new Uint8Array(reach.length + set.block.length);
  attributes.set(reach);
  attributes.set(set.block, reach.length);
  return encodeUpdateFrame({ attributes });
}
