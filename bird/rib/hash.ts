/** Mixes one word into a hash: multiply and fold, in 32-bit integers throughout. */
export function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77);
  return mixed ^ (mixed >>> 13);
}

/** The slots for `count` entries at a load of at most one half; a power of two, so that a mask finds the slot. */
export function slotsFor(count: number): number {
  let slots = 16;
  while (slots < count * 2) slots *= 2;
  return slots;
}
