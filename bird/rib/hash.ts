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

/** Of `octets[start, end)`, four at a time. */
export function hashOctets(seed: number, octets: Uint8Array, start: number, end: number): number {
  let hash = mix(seed, end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = mix(hash, octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24));
  }
  for (; at < end; at++) hash = mix(hash, octets[at]!);
  return hash;
}
