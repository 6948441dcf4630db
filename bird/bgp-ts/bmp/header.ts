import { readU32 } from '../reader.ts';
import { malformed } from './malformed.ts';

/** RFC 7854 §4.1. */
export const VERSION = 3;
/** Version, length and type, RFC 7854 §4.1. */
export const BMP_HEADER_OCTETS = 6;
const LENGTH_END = 5;

/** More than two OPENs, an extended UPDATE or any sane list of TLVs need. The RFC names no limit. */
export const BMP_MAX_OCTETS = 1 << 20;

/**
 * The length of the message at `start`, header and all, or undefined while it has not arrived. Throws BgpError for a
 * header that lies, as soon as the octet that proves it is there.
 */
export function readBmpLength(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  maxOctets: number,
): number | undefined {
  if (end > start && bytes[start] !== VERSION) throw malformed(`version ${bytes[start]!} is not ${VERSION}`);
  if (end - start < LENGTH_END) return undefined;
  const length = readU32(bytes, start + 1);
  if (length < BMP_HEADER_OCTETS || length > maxOctets) {
    throw malformed(`message length ${length} is not from ${BMP_HEADER_OCTETS} to ${maxOctets}`);
  }
  return length;
}
