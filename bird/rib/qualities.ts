import { longerOctets, longerWords } from './columns.ts';
import type { KeptSet } from './kept-set.ts';
import { qualityOf } from './quality.ts';

const UNRANKED = -1;

/** By number of attribute set its `Quality`, as columns: worked out when it is asked for, and so of paths alone that are compared. */
export class Qualities {
  readonly #keptSet: (set: number) => KeptSet;
  #ranks = new Float64Array();
  #meds = new Uint32Array();
  #neighbors = new Uint32Array();
  #reflected = new Uint8Array();

  constructor(keptSet: (set: number) => KeptSet) {
    this.#keptSet = keptSet;
  }

  /** `Quality.rank`. */
  rank(set: number): number {
    return this.#isRanked(set) ? this.#ranks[set]! : this.#workOut(set);
  }

  /** MULTI_EXIT_DISC, 0 where there is none. */
  med(set: number): number {
    if (!this.#isRanked(set)) this.#workOut(set);
    return this.#meds[set]!;
  }

  /** `Quality.neighborAs`. */
  neighborAs(set: number): number {
    if (!this.#isRanked(set)) this.#workOut(set);
    return this.#neighbors[set]!;
  }

  /** `Quality.isReflected`. */
  isReflected(set: number): boolean {
    if (!this.#isRanked(set)) this.#workOut(set);
    return this.#reflected[set] === 1;
  }

  /** The number may mean another set from now on. */
  forget(set: number): void {
    if (set < this.#ranks.length) this.#ranks[set] = UNRANKED;
  }

  #isRanked(set: number): boolean {
    return set < this.#ranks.length && this.#ranks[set]! >= 0;
  }

  #workOut(set: number): number {
    const { rank, med, neighborAs, isReflected } = qualityOf(this.#keptSet(set));
    if (set >= this.#ranks.length) this.#grow(set + 1);
    this.#ranks[set] = rank;
    this.#meds[set] = med;
    this.#neighbors[set] = neighborAs;
    this.#reflected[set] = isReflected ? 1 : 0;
    return rank;
  }

  #grow(rows: number): void {
    const before = this.#ranks;
    this.#meds = longerWords(this.#meds, rows);
    this.#neighbors = longerWords(this.#neighbors, rows);
    this.#reflected = longerOctets(this.#reflected, rows);
    this.#ranks = new Float64Array(this.#meds.length).fill(UNRANKED, before.length);
    this.#ranks.set(before);
  }
}
