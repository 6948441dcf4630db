/** Prefixes of one family in columns, as a RIB holds them, in the order in which they are sent. */
export interface PrefixColumns {
  readonly family: 4 | 6;
  readonly count: number;
  /** One word per prefix for IPv4, four for IPv6; host bits zero. */
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
}

/** Prefixes that share an attribute set, next to each other in the columns. */
export interface Group {
  readonly start: number;
  readonly end: number;
  /** Encoded; for IPv6 without the next hop, which MP_REACH carries. */
  readonly block: Uint8Array;
  readonly nextHop: Uint8Array;
}

/** Of `weight` in all the weights, prefixes of `length` bits. */
type Mix = readonly (readonly [length: number, weight: number])[];

/** In per mille, about as in the tables of the default-free zone. */
const LENGTHS: Readonly<Record<4 | 6, Mix>> = {
  4: [
    [16, 14],
    [17, 8],
    [18, 14],
    [19, 26],
    [20, 46],
    [21, 54],
    [22, 113],
    [23, 105],
    [24, 620],
  ],
  6: [
    [28, 10],
    [29, 25],
    [32, 120],
    [36, 40],
    [40, 85],
    [42, 20],
    [44, 125],
    [46, 40],
    [47, 35],
    [48, 490],
    [56, 6],
    [64, 4],
  ],
};

/** The same prefixes for the same arguments, everywhere. */
export function makePrefixes(family: 4 | 6, count: number, random: () => number): PrefixColumns {
  const width = family === 4 ? 1 : 4;
  const words = new Uint32Array(count * width);
  const lengths = new Uint8Array(count);
  const pick = lengthPicker(LENGTHS[family]);
  for (let i = 0; i < count; i++) {
    const length = pick(random());
    lengths[i] = length;
    for (let word = 0; word < width; word++) {
      const bits = Math.max(0, Math.min(32, length - 32 * word));
      words[i * width + word] = bits === 0 ? 0 : random() & (-1 << (32 - bits));
    }
    // IANA gives out IPv6 unicast addresses from 2000::/3.
    if (family === 6) words[i * width] = (words[i * width]! & 0x1fffffff) | 0x20000000;
  }
  return { family, count, words, lengths };
}

/** Unsigned 32-bit words, never 0, the same for the same seed. Marsaglia's xorshift32: good enough to defeat a cache. */
export function seededWords(seed: number): () => number {
  let state = seed === 0 ? 1 : seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function lengthPicker(mix: Mix): (word: number) => number {
  const table = mix.flatMap(([length, weight]) => new Array<number>(weight).fill(length));
  return (word) => table[word % table.length]!;
}
