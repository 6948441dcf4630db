import type { JsonCodec } from '../json/codec.ts';
import { list, oneOf, record, u32 } from '../json/codec.ts';
import { BgpError } from '../error.ts';
import { AS_TRANS, updateError } from '../iana.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { AsSegment } from './path-attributes.ts';

const segmentTypes: readonly (AsSegment['type'] | undefined)[] = [
  undefined,
  'set',
  'sequence',
  'confed-sequence',
  'confed-set',
];
export const MAX_SEGMENT = 255;

export type AsOctets = 2 | 4;

/** The segments of AS_PATH or AS4_PATH up to the end of `value`. Throws BgpError, RFC 7606 §7.2, RFC 7607 §2. */
export function decodeSegments(value: Reader, octets: AsOctets): readonly AsSegment[] {
  const segments: AsSegment[] = [];
  while (value.left > 0) {
    if (value.left < 2) throw malformed('an octet is left behind the last segment');
    const number = value.u8();
    const type = segmentTypes[number];
    if (type === undefined) throw malformed(`segment type ${number} is unknown`);
    const count = value.u8();
    if (count === 0) throw malformed('a segment is empty');
    if (count * octets > value.left) throw malformed(`a segment of ${count} AS numbers runs past the end`);
    const asns: number[] = [];
    for (let i = 0; i < count; i++) asns.push(octets === 4 ? value.u32() : value.u16());
    if (asns.includes(0)) throw malformed('AS 0 is in the path');
    segments.push({ type, asns });
  }
  return segments;
}

/**
 * A sequence of more than 255 AS numbers is written as several; a set in two would count as two hops (RFC 4271 §9.1.2.2).
 * Without four octets AS_TRANS stands in, RFC 6793 §4.2.2.
 */
export function encodeSegments(out: Writer, segments: readonly AsSegment[], octets: AsOctets): void {
  for (const { type, asns } of segments) {
    if (asns.length === 0 || asns.includes(0)) throw new Error('an AS_PATH segment is empty, or has AS 0 in it');
    if (type.endsWith('set') && asns.length > MAX_SEGMENT) {
      throw new Error(`a ${type} of ${asns.length} AS numbers does not fit a segment`);
    }
    for (let start = 0; start < asns.length; start += MAX_SEGMENT) {
      const part = asns.slice(start, start + MAX_SEGMENT);
      out.u8(segmentTypes.indexOf(type));
      out.u8(part.length);
      for (const asn of part) {
        if (octets === 4) out.u32(asn);
        else out.u16(asn > 0xffff ? AS_TRANS : asn);
      }
    }
  }
}

export const isConfederation = ({ type }: AsSegment): boolean => type === 'confed-sequence' || type === 'confed-set';

/** Hops for the decision process: a set counts one, confederation segments none. RFC 4271 §9.1.2.2, RFC 5065 §5.3. */
export function asPathLength(segments: readonly AsSegment[] = []): number {
  let length = 0;
  for (const { type, asns } of segments) {
    if (type === 'sequence') length += asns.length;
    else if (type === 'set') length += 1;
  }
  return length;
}

const brackets: Readonly<Record<AsSegment['type'], readonly [string, string, string]>> = {
  sequence: ['', ' ', ''],
  set: ['{', ',', '}'],
  'confed-sequence': ['(', ' ', ')'],
  'confed-set': ['[', ',', ']'],
};

/** `64512 64513 {65001,65002} (65100)`; the empty path is the empty string. */
export function formatAsPath(segments: readonly AsSegment[]): string {
  return segments
    .map(({ type, asns }) => {
      const [open, separator, close] = brackets[type];
      return open + asns.join(separator) + close;
    })
    .join(' ');
}

export const asSegment: JsonCodec<AsSegment> = record<AsSegment>({
  type: oneOf(segmentTypes.filter((type) => type !== undefined)),
  asns: list(u32),
});

const malformed = (text: string): BgpError => new BgpError(text, updateError.malformedAsPath);
