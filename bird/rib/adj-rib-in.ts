import type { AttributeCache } from './attribute-cache.ts';
import { ABSENT, IntTable } from './int-table.ts';
import type { PrefixTable } from './prefix-table.ts';

/** In the flags of a row: left over from before the peer's restart. RFC 4724 §4.2. */
const STALE = 1;
/** In the flags of a row, above STALE: why import refused it, 0 where it did not. */
const REJECTION_SHIFT = 1;

export interface RibMemory {
  readonly prefixes: PrefixTable;
  readonly attributes: AttributeCache;
}

/**
 * What one peer told us in one family, before selection; rejected routes stay, with the reason. One row per prefix:
 * about 18 octets beside the shared prefix and attributes. Holds its prefixes and attribute sets alive.
 */
export class AdjRibIn {
  readonly #memory: RibMemory;
  readonly #rows = new IntTable();
  #stale = 0;
  #accepted = 0;

  constructor(memory: RibMemory) {
    this.#memory = memory;
  }

  get received(): number {
    return this.#rows.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get stale(): number {
    return this.#stale;
  }

  /** The attribute set of an accepted route, or ABSENT: what selection may use. */
  usable(prefix: number): number {
    return this.rejection(prefix) === 0 ? this.#rows.get(prefix) : ABSENT;
  }

  /** The attribute set, accepted or not, or ABSENT. */
  get(prefix: number): number {
    return this.#rows.get(prefix);
  }

  rejection(prefix: number): number {
    return this.#rows.flags(prefix) >>> REJECTION_SHIFT;
  }

  isStale(prefix: number): boolean {
    return (this.#rows.flags(prefix) & STALE) !== 0;
  }

  /** An announcement; replaces what stood there, and is fresh. True where selection must look again. */
  announce(prefix: number, attributes: number, rejection: number): boolean {
    const before = this.usable(prefix);
    const old = this.#rows.get(prefix);
    if (old === ABSENT) this.#memory.prefixes.retain(prefix);
    if (old !== attributes) {
      this.#memory.attributes.retain(attributes);
      if (old !== ABSENT) this.#memory.attributes.release(old);
    }
    if (this.isStale(prefix)) this.#stale--;
    this.#rows.set(prefix, attributes, rejection << REJECTION_SHIFT);
    const after = rejection === 0 ? attributes : ABSENT;
    this.#accepted += Number(after !== ABSENT) - Number(before !== ABSENT);
    return before !== after;
  }

  /** Policy changed its mind about a route that stands. True where selection must look again. */
  judgeAgain(prefix: number, rejection: number): boolean {
    const before = this.rejection(prefix);
    if (before === rejection) return false;
    const stale = this.isStale(prefix) ? STALE : 0;
    this.#rows.set(prefix, this.#rows.get(prefix), (rejection << REJECTION_SHIFT) | stale);
    this.#accepted += Number(rejection === 0) - Number(before === 0);
    return rejection === 0 || before === 0;
  }

  /** Other attributes for a route that stands; it stays stale if it is. True where selection must look again. */
  replace(prefix: number, attributes: number): boolean {
    const old = this.#rows.get(prefix);
    if (old === ABSENT || old === attributes) return false;
    this.#memory.attributes.retain(attributes);
    this.#rows.set(prefix, attributes, this.#rows.flags(prefix));
    this.#memory.attributes.release(old);
    return this.rejection(prefix) === 0;
  }

  /** Calls `changed` where selection must look again, while the prefix still lives. */
  withdraw(prefix: number, changed: (prefix: number) => void): void {
    const old = this.#rows.get(prefix);
    if (old === ABSENT) return;
    const wasUsable = this.rejection(prefix) === 0;
    if (this.isStale(prefix)) this.#stale--;
    if (wasUsable) this.#accepted--;
    this.#rows.delete(prefix);
    if (wasUsable) changed(prefix);
    this.#memory.attributes.release(old);
    this.#memory.prefixes.release(prefix);
  }

  /** The session is gone and may come back: every route is stale from now on. */
  markStale(): void {
    for (const prefix of this.#rows.keys()) {
      this.#rows.set(prefix, this.#rows.get(prefix), this.#rows.flags(prefix) | STALE);
    }
    this.#stale = this.#rows.size;
  }

  prefixes(): Int32Array {
    return this.#rows.keys();
  }

  stalePrefixes(): Int32Array {
    return this.#rows.keys().filter((prefix) => this.isStale(prefix));
  }
}
