import { decodeAttributes } from '../attribute/decode.ts';
import { encodeAttributes, encodeBlock } from '../attribute/encode.ts';
import { mpReach } from '../attribute/mp-reach.ts';
import type { NextHopBytes } from '../attribute/path-attributes.ts';
import { EXTENDED_LENGTH, OPTIONAL, TRANSITIVE } from '../attribute/spec.ts';
import { rowByCode } from '../attribute/table.ts';
import { AttributeWalk } from '../attribute/walk.ts';
import type { Family } from '../context.ts';
import { familyKey } from '../context.ts';
import type { AttributeFault } from '../error.ts';
import { updateError } from '../iana.ts';
import { familyName, isIpv4Unicast, isNextHopLength } from '../nlri/families.ts';
import { copyOf, readU16 } from '../reader.ts';
import { Writer } from '../writer.ts';
import { recordedContext } from './context.ts';
import type { RibEntry } from './record.ts';

type RibAttributes = Pick<RibEntry, 'attributes' | 'ipv4NextHop' | 'faults'>;

/**
 * The attributes of a RIB entry, AS numbers in four octets always. Of MP_REACH only length and next hop are there
 * (RFC 6396 §4.3.4); whole ones, as GoBGP writes them, are read too. Never throws; the data of a fault in MP_REACH is the
 * attribute in its whole form.
 */
export function decodeRibAttributes(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  family: Family,
): RibAttributes {
  const block = asInUpdate(bytes, [start, end], family);
  const { attributes, ipv4NextHop, faults } = decodeAttributes(block.bytes, block.start, block.end, recordedContext);
  return {
    attributes,
    ...(ipv4NextHop !== undefined && ipv4NextHop !== attributes.nextHop && { ipv4NextHop }),
    faults: [...faults, ...block.faults],
  };
}

/** In order of code; MP_REACH as RFC 6396 §4.3.4 has it, and only where NEXT_HOP will not do. Throws a plain Error. */
export function encodeRibAttributes({ attributes, ipv4NextHop }: RibAttributes, family: Family): Uint8Array {
  const { nextHop, unknown = [], ...others } = attributes;
  const isOwn = ipv4NextHop === undefined && nextHop?.length === 4 && belongsInNextHop(family);
  if (isOwn) return encodeAttributes(attributes, recordedContext);
  // Judged without MP_REACH; then the encoder frames it, and puts it in its place.
  encodeAttributes({ unknown }, recordedContext);
  const reach = { code: mpReach.code, flags: mpReach.flags };
  return encodeBlock(
    {
      ...others,
      ...(ipv4NextHop !== undefined && { nextHop: ipv4NextHop }),
      unknown: nextHop === undefined ? unknown : [...unknown, { ...reach, value: abbreviated(nextHop) }],
    },
    recordedContext,
  );
}

/** A next hop of four octets: in IPv4 unicast, and where MP_REACH could not carry it, as some write beside VPN prefixes. */
const belongsInNextHop = (family: Family): boolean =>
  isIpv4Unicast(family) || !isNextHopLength(family, 4, recordedContext);

function abbreviated(nextHop: NextHopBytes): Uint8Array {
  const out = new Writer();
  out.prefixed(1, () => out.bytes(nextHop));
  return out.finish();
}

interface Block {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly faults: readonly AttributeFault[];
}

/** The block as an UPDATE has it, so that one decoder judges all; the same bytes where nothing is to be put right. */
function asInUpdate(bytes: Uint8Array, [start, end]: readonly [number, number], family: Family): Block {
  const walk = new AttributeWalk(bytes, start, end);
  const faults: AttributeFault[] = [];
  let out: Writer | undefined;
  while (walk.next()) {
    const short = walk.code === mpReach.code && isAbbreviated(walk);
    const bare = hasNoFlags(walk);
    const other = short ? undefined : otherFamily(walk, family);
    if (out === undefined && (short || bare || other !== undefined)) {
      out = new Writer();
      out.bytes(bytes.subarray(start, walk.start));
    }
    if (out === undefined) continue;
    const surplus = short ? walk.valueEnd - walk.valueStart - 1 - bytes[walk.valueStart]! : 0;
    if (surplus > 0 || other !== undefined) {
      faults.push(mpFault(walk, other ?? `${surplus} octets are left over behind the next hop`));
      continue;
    }
    const flags = bare ? walk.flags | rowByCode[walk.code]!.spec.flags : walk.flags;
    out.u8(short ? flags | EXTENDED_LENGTH : flags);
    if (short) writeWhole(out, walk, family);
    else out.bytes(bytes.subarray(walk.start + 1, walk.valueEnd));
  }
  if (out === undefined) return { bytes, start, end, faults };
  // Where the list ends badly, its decoder is to see how.
  out.bytes(bytes.subarray(walk.valueEnd, end));
  return { bytes: out.finish(), start: 0, end: out.length, faults };
}

/** A whole one begins with the high octet of its AFI, which is 0 for all that have a codec. RFC 6396's erratum 6640. */
function isAbbreviated({ bytes, valueStart, valueEnd }: AttributeWalk): boolean {
  const octets = valueEnd - valueStart;
  return octets === 1 || (octets > 1 && bytes[valueStart] !== 0);
}

/**
 * Neither optional nor transitive is no attribute at all. BIRD 2.0 dumps so what it made or changed itself, LOCAL_PREF and
 * NEXT_HOP of each route among it: the flags are then not told, and the row's hold.
 */
const hasNoFlags = ({ code, flags }: AttributeWalk): boolean =>
  (flags & (OPTIONAL | TRANSITIVE)) === 0 && rowByCode[code] !== undefined;

/** MP_REACH behind its flags, its length in two octets. */
function writeWhole(out: Writer, { bytes, valueStart, valueEnd }: AttributeWalk, family: Family): void {
  out.u8(mpReach.code);
  out.prefixed(2, () => {
    out.family(family);
    out.bytes(bytes.subarray(valueStart, valueEnd));
    out.u8(0);
  });
}

/** What a whole MP_REACH says that is not of the record's family; undefined where it is, or names none. */
function otherFamily({ code, bytes, valueStart, valueEnd }: AttributeWalk, family: Family): string | undefined {
  if (code !== mpReach.code || valueEnd - valueStart < 3) return undefined;
  const own = { afi: readU16(bytes, valueStart), safi: bytes[valueStart + 2]! };
  return familyKey(own) === familyKey(family) ? undefined : `${familyName(own)} in a record of ${familyName(family)}`;
}

const mpFault = ({ bytes, start, valueEnd, code }: AttributeWalk, text: string): AttributeFault => ({
  text: `${mpReach.name}: ${text}`,
  code: updateError.optionalAttribute,
  data: copyOf(bytes, start, valueEnd),
  remedy: mpReach.onMalformed,
  attribute: code,
});
