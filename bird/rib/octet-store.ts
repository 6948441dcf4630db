/** A chunk, in octets; a longer run of octets has one of its own. */
const CHUNK_OCTETS = 65_536;
const CHUNK_WORDS = CHUNK_OCTETS / 4;
/** A place is the number of a chunk, and in the lowest bits a word of it. */
const WORD_BITS = Math.log2(CHUNK_WORDS);
const WORD_MASK = CHUNK_WORDS - 1;
/** In front of each run, in words: who owns it, and how many octets it has. */
const HEADER_WORDS = 2;
/** Chunks that are empty and kept, so that coming and going does not wait for the garbage collector. */
const MAX_SPARE = 8;
/** So many words that nobody uses are not worth an effort. */
const IDLE_WORDS = 4 * CHUNK_WORDS;

interface Chunk {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Words from the start that are taken, and those of them that are in use. */
  taken: number;
  used: number;
}

/** Hears where a run of octets stands from now on. */
export type Moved = (owner: number, place: number) => void;

/**
 * Runs of octets of any length, one behind the other in chunks: no object for each, and no hole where one is gone. A place is
 * the number of a word. Where half of all is gone, what is left in the emptiest chunk moves, one chunk at a time, so that
 * the store takes at most about twice of what is in it.
 */
export class OctetStore {
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #spare: Chunk[] = [];
  readonly #moved: Moved;
  /** Where the next run goes. */
  #open = -1;
  #takenWords = 0;
  #usedWords = 0;

  constructor(moved: Moved) {
    this.#moved = moved;
  }

  /** Octets of all chunks, and of what is in them. */
  get sizes(): { readonly held: number; readonly used: number } {
    const held = this.#chunks.reduce((sum, chunk) => sum + (chunk?.octets.length ?? 0), 0);
    return { held, used: this.#usedWords * 4 };
  }

  /** Copies `octets[start, end)`; the place holds until `moved` says otherwise. */
  add(owner: number, octets: Uint8Array, start: number, end: number): number {
    const words = HEADER_WORDS + ((end - start + 3) >>> 2);
    const number = this.#roomFor(words);
    const chunk = this.#chunks[number]!;
    const at = chunk.taken;
    chunk.words[at] = owner;
    chunk.words[at + 1] = end - start;
    const to = (at + HEADER_WORDS) * 4 - start;
    for (let from = start; from < end; from++) chunk.octets[to + from] = octets[from]!;
    this.#take(chunk, words);
    return ((number << WORD_BITS) | at) >>> 0;
  }

  /** The owner must have forgotten the place, or named another. */
  remove(place: number): void {
    const number = place >>> WORD_BITS;
    const chunk = this.#chunks[number]!;
    const words = wordsAt(chunk, place & WORD_MASK);
    chunk.words[(place & WORD_MASK) + 1]! |= GONE;
    chunk.used -= words;
    this.#usedWords -= words;
    if (chunk.used === 0) this.#drop(number, chunk);
    else if (this.#takenWords > 2 * this.#usedWords + IDLE_WORDS) this.#evacuate();
  }

  /** The octets that a run lies in, from `startOf` on. */
  octetsOf(place: number): Uint8Array {
    return this.#chunks[place >>> WORD_BITS]!.octets;
  }

  startOf(place: number): number {
    return ((place & WORD_MASK) + HEADER_WORDS) * 4;
  }

  lengthOf(place: number): number {
    return this.#chunks[place >>> WORD_BITS]!.words[(place & WORD_MASK) + 1]!;
  }

  /** Whether it is `octets[start, end)`. */
  isSame(place: number, octets: Uint8Array, start: number, end: number): boolean {
    const chunk = this.#chunks[place >>> WORD_BITS]!;
    const at = place & WORD_MASK;
    if (chunk.words[at + 1] !== end - start) return false;
    const own = chunk.octets;
    const from = (at + HEADER_WORDS) * 4 - start;
    for (let i = start; i < end; i++) if (own[from + i] !== octets[i]) return false;
    return true;
  }

  /** The number of a chunk with so much room. */
  #roomFor(words: number): number {
    const open = this.#chunks[this.#open];
    if (open !== undefined && open.taken + words <= open.words.length) return this.#open;
    this.#open = this.#freeNumbers.pop() ?? this.#chunks.length;
    const isLong = words > CHUNK_WORDS;
    this.#chunks[this.#open] = isLong ? chunkOf(words) : (this.#spare.pop() ?? chunkOf(CHUNK_WORDS));
    return this.#open;
  }

  #take(chunk: Chunk, words: number): void {
    chunk.taken += words;
    chunk.used += words;
    this.#takenWords += words;
    this.#usedWords += words;
  }

  #drop(number: number, chunk: Chunk): void {
    this.#takenWords -= chunk.taken;
    chunk.taken = 0;
    this.#chunks[number] = undefined;
    this.#freeNumbers.push(number);
    if (chunk.words.length === CHUNK_WORDS && this.#spare.length < MAX_SPARE) this.#spare.push(chunk);
  }

  #evacuate(): void {
    let emptiest = -1;
    let least = 1;
    for (const [number, chunk] of this.#chunks.entries()) {
      if (chunk === undefined || number === this.#open || chunk.used / chunk.taken >= least) continue;
      least = chunk.used / chunk.taken;
      emptiest = number;
    }
    const chunk = this.#chunks[emptiest];
    if (chunk !== undefined) this.#moveAll(emptiest, chunk);
  }

  #moveAll(number: number, chunk: Chunk): void {
    let at = 0;
    while (at < chunk.taken) {
      const length = chunk.words[at + 1]!;
      const words = wordsAt(chunk, at);
      if (length < GONE) {
        const start = (at + HEADER_WORDS) * 4;
        const owner = chunk.words[at]!;
        this.#usedWords -= words;
        this.#moved(owner, this.add(owner, chunk.octets, start, start + length));
      }
      at += words;
    }
    this.#drop(number, chunk);
  }
}

/** In the length of a run. */
const GONE = 0x8000_0000;

const wordsAt = (chunk: Chunk, at: number): number => HEADER_WORDS + (((chunk.words[at + 1]! & ~GONE) + 3) >>> 2);

function chunkOf(words: number): Chunk {
  const octets = new Uint8Array(words * 4);
  return { octets, words: new Uint32Array(octets.buffer), taken: 0, used: 0 };
}
