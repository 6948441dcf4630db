import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { formatPrefix, parsePrefix } from '../json/address.ts';
import type { JsonCodec } from '../json/codec.ts';
import { optional, record, u32, written } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { PrefixNlri } from './nlri.ts';
import { prefixWord } from './prefix-word.ts';
import type { NlriSpec } from './spec.ts';

type Bits = Pick<PrefixNlri, 'words' | 'length'>;

/** A plain prefix: its length in bits, then as many octets as it needs. RFC 4271 §4.3. */
export const prefix: NlriSpec<PrefixNlri> = {
  decode: (value, pathId, { bits }) => ({ pathId, ...decodeBits(value, value.u8(), bits) }),
  encode: (out, entry, { bits }) => {
    out.u8(entry.length);
    encodeBits(out, entry, bits);
  },
  json: (bits) => withPathId(record<InJson<PrefixNlri>>({ pathId: optional(u32), prefix: prefixText(bits) })),
  format: ({ words, length }) => formatPrefix(words, length),
};

/** The address of a prefix of `length` bits in a family of `bits`, host bits cleared. Throws BgpError 3/10. */
export function decodeBits(value: Reader, length: number, bits: number): Bits {
  if (length > bits) throw new BgpError(`prefix length ${length} is above ${bits}`, updateError.invalidNetworkField);
  const octets = (length + 7) >>> 3;
  const { bytes } = value;
  const at = value.skip(octets);
  const words = [prefixWord(bytes, at, length)];
  for (let start = 32; start < bits; start += 32) words.push(prefixWord(bytes, at + start / 8, length - start));
  return { words, length };
}

/** As many octets as `length` bits need. Throws a plain Error for words that are no prefix of that length and family. */
export function encodeBits(out: Writer, { words, length }: Bits, bits: number): void {
  if (words.length * 32 !== bits || length < 0 || length > bits) {
    throw new Error(`${words.length} words and length ${length} are no prefix of ${bits} bits`);
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (prefixMask(word, length - 32 * i) !== word)
      throw new Error(`word ${word} of a prefix /${length} has bits behind it`);
  }
  for (let octet = 0; octet * 8 < length; octet++) out.u8((words[octet >>> 2]! >>> (24 - 8 * (octet & 3))) & 0xff);
}

/** The first `bits` bits of an unsigned word. */
const prefixMask = (word: number, bits: number): number =>
  bits <= 0 ? 0 : bits >= 32 ? word >>> 0 : (word & (-1 << (32 - bits))) >>> 0;

export const prefixText = (bits: number): JsonCodec<Bits> =>
  written(
    bits === 32 ? 'an IPv4 prefix without host bits' : 'an IPv6 prefix without host bits',
    ({ words, length }) => formatPrefix(words, length),
    (text) => parsePrefix(text, bits === 32 ? 32 : 128),
  );

export type InJson<T extends PrefixNlri> = Omit<T, 'pathId' | 'words' | 'length'> & {
  readonly pathId?: number;
  readonly prefix: Bits;
};

/** In JSON `words` and `length` are one text, and a path identifier of 0 is left out. */
export function withPathId<T extends PrefixNlri>(codec: JsonCodec<InJson<T>>): JsonCodec<T> {
  return {
    to: ({ pathId, words, length, ...others }) =>
      codec.to({ ...others, ...(pathId !== 0 && { pathId }), prefix: { words, length } }),
    from: (json, at) => {
      const { pathId = 0, prefix: bits, ...others } = codec.from(json, at);
      return { pathId, ...bits, ...others } as unknown as T;
    },
  };
}
