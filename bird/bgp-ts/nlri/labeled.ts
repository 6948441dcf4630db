import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { formatPrefix } from '../json/address.ts';
import { integer, list, optional, record, u32 } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { LabeledNlri } from './nlri.ts';
import type { InJson } from './prefix.ts';
import { decodeBits, encodeBits, prefixText, withPathId } from './prefix.ts';
import type { EntryShape, NlriSpec } from './spec.ts';

const LABEL_BITS = 24;
const BOTTOM_OF_STACK = 1;
/** What stands in a withdrawal in place of a label; 0 too from speakers that are older. RFC 8277 §2.4, RFC 3107 §3. */
const NO_LABEL = 0x800000;

/** Labels of 20 bits in front of a prefix, all counted in the length. RFC 8277 §2. */
export const labeled: NlriSpec<LabeledNlri> = {
  decode: (value, pathId, shape) => {
    const { labels, bitsLeft } = decodeLabels(value, value.u8(), { withdrawn: shape.withdrawn });
    return { pathId, ...decodeBits(value, bitsLeft, shape.bits), labels };
  },
  encode: (out, { labels, words, length }, shape) => {
    const fields = labelFields(labels, shape);
    out.u8(fields.length * LABEL_BITS + length);
    encodeLabels(out, fields);
    encodeBits(out, words, length);
  },
  json: (bits) =>
    withPathId(
      record<InJson<LabeledNlri>>({ pathId: optional(u32), labels: list(labelNumber), prefix: prefixText(bits) }),
    ),
  format: ({ labels, words, length }) => `${formatPrefix(words, length)}${formatLabels(labels)}`,
};

export const labelNumber = integer(0, 0xfffff);

/** ` label 20012`, outermost first. */
export const formatLabels = (labels: readonly number[]): string =>
  labels.length === 0 ? '' : ` label ${labels.join('/')}`;

/**
 * The labels at the head of an entry of `length` bits that keeps `reserved` bits for what is not prefix, and how many
 * bits are left behind them. A withdrawal has one field, whatever is in it. RFC 8277 §2.2 to §2.4. Departs from §2.2,
 * which takes one label unless several were negotiated: a stack as of RFC 3107, which ends with the bottom-of-stack bit,
 * is read where there is one. Throws BgpError 3/10.
 */
export function decodeLabels(
  value: Reader,
  length: number,
  { withdrawn = false, reserved = 0 }: { readonly withdrawn?: boolean | undefined; readonly reserved?: number },
): { readonly labels: readonly number[]; readonly bitsLeft: number } {
  const room = Math.floor((length - reserved) / LABEL_BITS);
  if (room < 1) throw new BgpError(`${length} bits leave no room for a label`, updateError.invalidNetworkField);
  const fields: number[] = [];
  const count = withdrawn ? 1 : stackDepth(value, room);
  for (let i = 0; i < count; i++) fields.push((value.u8() << 16) | value.u16());
  const none = withdrawn && (fields[0] === NO_LABEL || fields[0] === 0);
  return { labels: none ? [] : fields.map((field) => field >>> 4), bitsLeft: length - count * LABEL_BITS };
}

/** How many fields up to the bottom of the stack; 1 where none of the first `room` says that it is the bottom. */
function stackDepth({ bytes, at, left }: Reader, room: number): number {
  const most = Math.min(room, Math.floor(left / 3));
  for (let depth = 1; depth <= most; depth++) {
    if ((bytes[at + 3 * depth - 1]! & BOTTOM_OF_STACK) !== 0) return depth;
  }
  return 1;
}

/** The fields of three octets for a stack; one in a withdrawal. Throws a plain Error where an announcement has no label. */
export function labelFields(labels: readonly number[], { withdrawn = false }: EntryShape): readonly number[] {
  const [first] = labels;
  if (withdrawn) return [first === undefined ? NO_LABEL : (first << 4) | BOTTOM_OF_STACK];
  if (first === undefined) throw new Error('a labeled prefix is announced without a label');
  return labels.map((label, i) => (label << 4) | (i === labels.length - 1 ? BOTTOM_OF_STACK : 0));
}

export function encodeLabels(out: Writer, fields: readonly number[]): void {
  for (const field of fields) {
    out.u8(field >>> 16);
    out.u16(field & 0xffff);
  }
}
