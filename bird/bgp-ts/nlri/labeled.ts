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
const MAX_LABEL = 0xfffff;
const BOTTOM_OF_STACK = 1;
/** What stands in a withdrawal in place of a label; 0 too from speakers that are older. RFC 8277 §2.4, RFC 3107 §3. */
const NO_LABEL = 0x800000;

/** Labels of 20 bits in front of a prefix, all counted in the length. RFC 8277 §2. */
export const labeled: NlriSpec<LabeledNlri> = {
  decode: (value, pathId, shape) => {
    const { labels, bitsLeft } = decodeLabels(value, value.u8(), shape);
    return { pathId, ...decodeBits(value, bitsLeft, shape.bits), labels };
  },
  encode: (out, entry, shape) => {
    const fields = labelFields(entry, shape);
    out.u8(fields.length * LABEL_BITS + entry.length, 'the length of labels and prefix');
    encodeLabels(out, fields);
    encodeBits(out, entry, shape.bits);
  },
  json: (bits) =>
    withPathId(
      record<InJson<LabeledNlri>>({ pathId: optional(u32), labels: list(labelNumber), prefix: prefixText(bits) }),
    ),
  format: ({ labels, words, length }) => `${formatPrefix(words, length)}${formatLabels(labels)}`,
};

export const labelNumber = integer(0, MAX_LABEL);

/** ` label 20012`, outermost first. */
export const formatLabels = (labels: readonly number[]): string =>
  labels.length === 0 ? '' : ` label ${labels.join('/')}`;

interface Labels {
  readonly labels: readonly number[];
  readonly bitsLeft: number;
}

/**
 * The labels at the head of an entry of `length` bits, and how many bits are left behind them; `reserved` of these are no
 * prefix. One label, whatever its bottom-of-stack bit, in a withdrawal and unless several were negotiated (RFC 8277 §2.2
 * to §2.4). Departs from it where one label leaves more bits than an address has: then it is a stack as of RFC 3107.
 * Throws BgpError 3/10.
 */
export function decodeLabels(value: Reader, length: number, shape: EntryShape, reserved = 0): Labels {
  const room = Math.floor((length - reserved) / LABEL_BITS);
  if (room < 1) throw new BgpError(`${length} bits leave no room for a label`, updateError.invalidNetworkField);
  const fields: number[] = [];
  const count = isOne(length, shape, reserved) ? 1 : stackDepth(value, room);
  for (let i = 0; i < count; i++) fields.push((value.u8() << 16) | value.u16());
  const none = shape.withdrawn === true && (fields[0] === NO_LABEL || fields[0] === 0);
  return { labels: none ? [] : fields.map((field) => field >>> 4), bitsLeft: length - count * LABEL_BITS };
}

/** Whether an entry of `length` bits is read as one label, without a look at it. */
const isOne = (length: number, { withdrawn, multipleLabels, bits }: EntryShape, reserved: number): boolean =>
  withdrawn === true || (multipleLabels !== true && length - LABEL_BITS <= reserved + bits);

/** How many fields up to the bottom of the stack. Throws BgpError where none of the first `room` is the bottom. */
function stackDepth({ bytes, at, left }: Reader, room: number): number {
  const most = Math.min(room, Math.floor(left / 3));
  for (let depth = 1; depth <= most; depth++) {
    if ((bytes[at + 3 * depth - 1]! & BOTTOM_OF_STACK) !== 0) return depth;
  }
  throw new BgpError('a label stack has no bottom', updateError.invalidNetworkField);
}

/** The fields of three octets for the labels of an entry. Throws a plain Error for what would be read otherwise. */
export function labelFields({ labels, length }: LabeledNlri, shape: EntryShape, reserved = 0): readonly number[] {
  const { withdrawn = false } = shape;
  const wrong = labels.find((label) => label >>> 0 !== label || label > MAX_LABEL);
  if (wrong !== undefined) throw new Error(`label ${wrong} is not from 0 to ${MAX_LABEL}`);
  if (withdrawn && labels.length === 0) return [NO_LABEL];
  if (labels.length === 0) throw new Error('a labeled prefix is announced without a label');
  if (labels.length > 1 && isOne(labels.length * LABEL_BITS + reserved + length, shape, reserved)) {
    throw new Error(`${labels.length} labels, where the peer reads one: multipleLabels was not negotiated`);
  }
  return labels.map((label, i) => (label << 4) | (i === labels.length - 1 ? BOTTOM_OF_STACK : 0));
}

export function encodeLabels(out: Writer, fields: readonly number[]): void {
  for (const field of fields) {
    out.u8(field >>> 16);
    out.u16(field & 0xffff);
  }
}
