/** The difference that a peer is still to be told becomes UPDATEs, one attribute set each, as full as they go. Pure. */
import type { IpFamily } from '../../src/model/ip.ts';
import { familyOf } from '../peer/negotiate.ts';
import type { PathsOut } from '../rib/adj-rib-out.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { EncodedSet } from './encoded-set.ts';
import type { CodecContext, UpdateKind } from '../wire.ts';
import {
  encodeMpReach,
  encodeMpUnreach,
  encodeUpdateFrame,
  EXTENDED_MAX_OCTETS,
  familyKey,
  MAX_OCTETS,
  nlriOctets,
  UPDATE_FIXED_OCTETS,
  writeNlri,
  writePathId,
} from '../wire.ts';

export interface Packing {
  readonly adjRibOut: PathsOut;
  readonly prefixes: PrefixTable;
  /** How the peer reads what is sent to it. */
  readonly send: CodecContext;
  /** Stands until the next is asked for. */
  readonly encodedSet: (attributes: number) => EncodedSet;
  /** Room for the prefixes of one message, overwritten each time. */
  readonly scratch: Uint8Array;
}

/** Flags, code, two octets of length; AFI, SAFI, next hop length and the reserved octet. RFC 4760 §3, §4. */
const MP_REACH_FIXED_OCTETS = 9;
const MP_UNREACH_FIXED_OCTETS = 7;
/** An IPv6 host with its path identifier. */
const LONGEST_NLRI_OCTETS = 21;

/** RFC 4271 §4.1, RFC 8654 §4. */
export const maxOctets = ({ extendedMessage }: CodecContext): number =>
  extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS;

/** Why no message can carry the set: it leaves no room for a prefix (RFC 4271 §9.2), or its next hop may not be sent. */
export function obstacle(
  { blockLength, nextHop }: EncodedSet,
  family: IpFamily,
  send: CodecContext,
): string | undefined {
  const isOwnFamily = nextHop === undefined || (family === 6 && nextHop.length !== 4);
  if (!isOwnFamily && !send.extendedNextHop.has(familyKey(familyOf(family)))) {
    return `an IPv${family === 4 ? 6 : 4} next hop, which the session does not carry for IPv${family}`;
  }
  const octets = UPDATE_FIXED_OCTETS + reachOctets(nextHop) + blockLength + LONGEST_NLRI_OCTETS;
  const most = maxOctets(send);
  return octets <= most ? undefined : `its attributes fit into no message: they take ${octets} of ${most} octets`;
}

/** MP_REACH without prefixes, where there is one. */
const reachOctets = (nextHop: Uint8Array | undefined): number =>
  nextHop === undefined ? 0 : MP_REACH_FIXED_OCTETS + nextHop.length;

/** Stable while the source lives, and another for each path of a prefix; RFC 7911 §2 leaves the rest to the sender. */
export const sentPathId = (source: number): number => source + 1;

/** The next UPDATE for a peer with ADD-PATH, or undefined where it knows everything. */
export function packNext({ adjRibOut, prefixes, send, encodedSet, scratch }: Packing): Uint8Array | undefined {
  const { family } = prefixes;
  let end = 0;
  let room = 0;
  let set: EncodedSet | undefined;
  const isAny = adjRibOut.take(
    (attributes) => {
      set = attributes === undefined ? undefined : encodedSet(attributes);
      room = roomFor(family, set, send);
    },
    (prefix, path) => {
      const length = prefixes.length(prefix);
      if (end + nlriOctets(length, true) > room) return false;
      end = writePathId(scratch, end, sentPathId(path));
      const [w0, w1] = [prefixes.word(prefix, 0), prefixes.word(prefix, 1)];
      end = writeNlri(scratch, end, w0, w1, prefixes.word(prefix, 2), prefixes.word(prefix, 3), length);
      return true;
    },
  );
  return isAny ? frame({ family, set, send }, scratch.subarray(0, end)) : undefined;
}

/** How many octets of prefixes one message takes; `set` undefined: withdrawn ones. */
const roomFor = (family: IpFamily, set: EncodedSet | undefined, send: CodecContext): number =>
  maxOctets(send) - UPDATE_FIXED_OCTETS - overhead(family, set);

function overhead(family: IpFamily, set: EncodedSet | undefined): number {
  if (set === undefined) return family === 4 ? 0 : MP_UNREACH_FIXED_OCTETS;
  return set.blockLength + reachOctets(set.nextHop);
}

/** What a message about prefixes without path identifiers says; `set` undefined: withdrawn ones. */
export function updateKind(family: IpFamily, set: EncodedSet | undefined): UpdateKind {
  if (set === undefined) return family === 4 ? { kind: 'withdraw' } : { kind: 'withdraw', family: familyOf(family) };
  const { block, blockLength, nextHop } = set;
  return nextHop === undefined
    ? { kind: 'announce', block, blockLength }
    : { kind: 'announce', block, blockLength, nextHop, family: familyOf(family) };
}

/** What stands around the prefixes of a message. */
interface Envelope {
  readonly family: IpFamily;
  readonly set: EncodedSet | undefined;
  readonly send: CodecContext;
}

/** A whole UPDATE. MP_REACH stands first, and one kind of NLRI per UPDATE. RFC 7606 §5.1. */
function frame({ family, set, send }: Envelope, nlri: Uint8Array): Uint8Array {
  return encodeUpdateFrame(
    set === undefined ? withdrawal(family, nlri) : announcement(family, set, nlri),
    maxOctets(send),
  );
}

/** IPv4 in its own field, also where it was announced in MP_REACH: the routes are the same. */
const withdrawal = (family: IpFamily, nlri: Uint8Array) =>
  family === 4 ? { withdrawn: nlri } : { attributes: encodeMpUnreach(familyOf(family), nlri) };

function announcement(family: IpFamily, set: EncodedSet, nlri: Uint8Array) {
  const { nextHop } = set;
  const block = set.block.subarray(0, set.blockLength);
  if (nextHop === undefined) return { attributes: block, nlri };
  const reach = encodeMpReach(familyOf(family), nextHop, nlri);
  const attributes = new Uint8Array(reach.length + block.length);
  attributes.set(reach);
  attributes.set(block, reach.length);
  return { attributes };
}
