/** A sequence of numbers that its seed settles: `sfc32`, reseeded for each input so that inputs stand alone. */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** The start of input `index` of the stream called `stream`. The same three give the same numbers. */
  reseed(seed: number, stream: number, index: number): this {
    this.#a = mix(seed ^ 0x9e3779b9);
    this.#b = mix(stream ^ 0x85ebca6b);
    this.#c = mix(index ^ 0xc2b2ae35);
    this.#counter = 1;
    for (let round = 0; round < 8; round++) this.#next();
    return this;
  }

  /** 0 to `limit` - 1; `limit` up to 2 ** 32. */
  below(limit: number): number {
    return Math.floor(((this.#next() >>> 0) / 0x1_0000_0000) * limit);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  octet(): number {
    return this.#next() >>> 24;
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }
}

/** FNV-1a over octets or the characters of a text: a name or an input as a number of 32 bits. */
export function hashOf(value: Uint8Array | string, start = 0x811c9dc5): number {
  let hash = start;
  for (let at = 0; at < value.length; at++) {
    const unit = typeof value === 'string' ? value.charCodeAt(at) : value[at]!;
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  return hash >>> 0;
}

function mix(value: number): number {
  let word = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
  return word ^ (word >>> 15);
}
