import type { Family } from '../context.ts';
import type { Fault } from '../error.ts';
import { updateError } from '../iana.ts';
import { readU32 } from '../reader.ts';
import { prefixBits } from './families.ts';
import type { NlriShape } from './nlri.ts';
import { prefixWord } from './prefix-word.ts';

/** One prefix as unsigned words, host bits zero; IPv4 in `w0`, the others then 0. `pathId` is 0 without ADD-PATH. */
export type NlriVisitor = (pathId: number, w0: number, w1: number, w2: number, w3: number, length: number) => void;

const PATH_ID_OCTETS = 4;

/**
 * Calls `visit` for each prefix in `bytes[start, end)`, without an object per prefix. Stops at the first that is
 * malformed and returns the fault, 3/10; what came before was visited, so check first (`checkNlri`) where nothing of a
 * bad list may count. For a range of MP_REACH or MP_UNREACH the caller says 3/9 instead. Never throws.
 */
export function walkNlri(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: NlriShape,
  visit: NlriVisitor,
): Fault | undefined {
  const bits = prefixBits(shape.family);
  if (bits === 32) return walkIpv4(bytes, start, end, shape.addPath, visit);
  if (bits === 128) return walkIpv6(bytes, start, end, shape.addPath, visit);
  return noSuchFamily(shape.family);
}

/** The fault that `walkNlri` would return for a family of `bits`, found by lengths alone; several times as fast. */
export function checkPrefixes(
  bytes: Uint8Array,
  start: number,
  end: number,
  bits: number,
  addPath: boolean,
): Fault | undefined {
  const fixed = addPath ? PATH_ID_OCTETS : 0;
  let at = start;
  while (at < end) {
    if (at + fixed >= end) return overrun(at, end);
    const length = bytes[at + fixed]!;
    const next = at + fixed + 1 + ((length + 7) >>> 3);
    if (length > bits || next > end) return badPrefix(at, end, length, bits);
    at = next;
  }
  return undefined;
}

/** How many octets `writeNlri` (and `writePathId`) take for a prefix of `length` bits. */
export const nlriOctets = (length: number, addPath: boolean): number =>
  1 + ((length + 7) >>> 3) + (addPath ? PATH_ID_OCTETS : 0);

/** Writes RFC 7911's path identifier, which stands before its prefix; returns the offset behind it. */
export function writePathId(target: Uint8Array, offset: number, pathId: number): number {
  target[offset] = pathId >>> 24;
  target[offset + 1] = pathId >>> 16;
  target[offset + 2] = pathId >>> 8;
  target[offset + 3] = pathId;
  return offset + PATH_ID_OCTETS;
}

/** Writes one prefix, IPv4 (up to 32 bits of `w0`) or IPv6; returns the offset behind it. Host bits are the caller's to clear. */
export function writeNlri(
  target: Uint8Array,
  offset: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  length: number,
): number {
  target[offset] = length;
  let at = offset + 1;
  const end = at + ((length + 7) >>> 3);
  for (let shift = 24; at < end && shift >= 0; shift -= 8) target[at++] = w0 >>> shift;
  for (let shift = 24; at < end && shift >= 0; shift -= 8) target[at++] = w1 >>> shift;
  for (let shift = 24; at < end && shift >= 0; shift -= 8) target[at++] = w2 >>> shift;
  for (let shift = 24; at < end && shift >= 0; shift -= 8) target[at++] = w3 >>> shift;
  return end;
}

function walkIpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
  visit: NlriVisitor,
): Fault | undefined {
  let at = start;
  while (at < end) {
    const entry = at;
    let pathId = 0;
    if (addPath) {
      if (at + PATH_ID_OCTETS >= end) return overrun(entry, end);
      pathId = readU32(bytes, at);
      at += PATH_ID_OCTETS;
    }
    const length = bytes[at]!;
    const next = at + 1 + ((length + 7) >>> 3);
    if (length > 32 || next > end) return badPrefix(entry, end, length, 32);
    visit(pathId, prefixWord(bytes, at + 1, length), 0, 0, 0, length);
    at = next;
  }
  return undefined;
}

function walkIpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
  visit: NlriVisitor,
): Fault | undefined {
  let at = start;
  while (at < end) {
    const entry = at;
    let pathId = 0;
    if (addPath) {
      if (at + PATH_ID_OCTETS >= end) return overrun(entry, end);
      pathId = readU32(bytes, at);
      at += PATH_ID_OCTETS;
    }
    const length = bytes[at]!;
    const next = at + 1 + ((length + 7) >>> 3);
    if (length > 128 || next > end) return badPrefix(entry, end, length, 128);
    visit(
      pathId,
      prefixWord(bytes, at + 1, length),
      prefixWord(bytes, at + 5, length - 32),
      prefixWord(bytes, at + 9, length - 64),
      prefixWord(bytes, at + 13, length - 96),
      length,
    );
    at = next;
  }
  return undefined;
}

function badPrefix(at: number, end: number, length: number, bits: number): Fault {
  return length <= bits ? overrun(at, end) : networkFault(`prefix length ${length} is above ${bits}`);
}

const overrun = (at: number, end: number): Fault =>
  networkFault(`a prefix runs past the end of its field, ${end - at} octets left`);

const noSuchFamily = ({ afi, safi }: Family): Fault => networkFault(`family ${afi}/${safi} has no prefixes to walk`);

/** RFC 4271 §6.3 asks for no data with it. */
const networkFault = (text: string): Fault => ({ text, code: updateError.invalidNetworkField, data: new Uint8Array() });
