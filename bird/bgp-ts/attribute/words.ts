import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** A value that is a list of unsigned 32-bit words: COMMUNITIES, CLUSTER_LIST. */
export function decodeWords(value: Reader): readonly number[] {
  value.multipleOf(4);
  const words: number[] = [];
  while (value.left > 0) words.push(value.u32());
  return words;
}

export function encodeWords(out: Writer, words: readonly number[]): void {
  for (const word of words) out.u32(word);
}
