/** Questions about packed prefixes, as policy asks them. Pure. */
import type { PackedPrefix } from '../rib/prefix-table.ts';

export const isSamePrefix = (a: PackedPrefix, b: PackedPrefix): boolean =>
  a.length === b.length && a.w0 === b.w0 && a.w1 === b.w1 && a.w2 === b.w2 && a.w3 === b.w3;

/** Whether a prefix lies in one of `blocks`, or is one of them. */
export function isInside(blocks: readonly PackedPrefix[], prefix: PackedPrefix): boolean {
  for (const block of blocks) if (prefix.length >= block.length && sharesBits(block, prefix)) return true;
  return false;
}

function sharesBits(block: PackedPrefix, { w0, w1, w2, w3 }: PackedPrefix): boolean {
  const { length } = block;
  return (
    sameTop(block.w0, w0, length) &&
    sameTop(block.w1, w1, length - 32) &&
    sameTop(block.w2, w2, length - 64) &&
    sameTop(block.w3, w3, length - 96)
  );
}

/** Whether the first `bits` bits of two words agree; all of them from 32 up, none from 0 down. */
function sameTop(a: number, b: number, bits: number): boolean {
  if (bits <= 0) return true;
  return bits >= 32 ? a === b : (a ^ b) >>> (32 - bits) === 0;
}
