import type { Candidate, Selection } from './decision.ts';
import { selectBest } from './decision.ts';
import { ABSENT } from './int-table.ts';
import type { PrefixTable } from './prefix-table.ts';

/** A table that routes come from: a peer's Adj-RIB-In, or the routes of this node. */
export interface RouteSource {
  /** The attribute set of a usable route, or ABSENT. */
  usable(prefix: number): number;
}

export interface Best {
  readonly source: number;
  readonly attributes: number;
}

export type CandidateOf = (source: number, attributes: number) => Candidate;

const NOBODY = -1;
const SEVERAL = -2;

/**
 * The best route of every prefix of one family. Who offers a prefix is one integer where it is a single source, which
 * is nearly always; only contested prefixes have a list and go through the decision.
 */
export class LocRib {
  readonly #prefixes: PrefixTable;
  readonly #sources = new Map<number, RouteSource>();
  readonly #candidateOf: CandidateOf;
  readonly #contested = new Map<number, number[]>();
  #offeredBy = new Int32Array(8).fill(NOBODY);
  #bestSource = new Int32Array(8).fill(NOBODY);
  #bestAttributes = new Int32Array(8).fill(ABSENT);
  #dirtyMarks = new Uint8Array(8);
  /** Prefixes that are due, from `#dirtyFrom` on. */
  #dirty: number[] = [];
  #dirtyFrom = 0;
  #size = 0;

  constructor(prefixes: PrefixTable, candidateOf: CandidateOf) {
    this.#prefixes = prefixes;
    this.#candidateOf = candidateOf;
  }

  /** How many prefixes have a best route. */
  get size(): number {
    return this.#size;
  }

  get hasDirty(): boolean {
    return this.#dirtyFrom < this.#dirty.length;
  }

  addSource(index: number, source: RouteSource): void {
    this.#sources.set(index, source);
  }

  /** The source must offer nothing any more. */
  removeSource(index: number): void {
    this.#sources.delete(index);
  }

  /** A usable route of `source` came, changed or went; selection is due for the prefix, however often this is called. */
  touch(prefix: number, source: number): void {
    this.#grow();
    const offered = this.#sources.get(source)!.usable(prefix) !== ABSENT;
    if (offered) this.#offer(prefix, source);
    else this.#retract(prefix, source);
    if (this.#dirtyMarks[prefix] === 1) return;
    this.#dirtyMarks[prefix] = 1;
    this.#prefixes.retain(prefix);
    this.#dirty.push(prefix);
  }

  /**
   * Selects for at most `limit` prefixes that are due. `changed` gets each whose best route is another now,
   * `contested` each that several sources offer and whose set of equal paths may be another.
   */
  settle(limit: number, changed: (prefix: number) => void, contested: (prefix: number) => void): void {
    const end = Math.min(this.#dirty.length, this.#dirtyFrom + limit);
    while (this.#dirtyFrom < end) {
      const prefix = this.#dirty[this.#dirtyFrom++]!;
      this.#dirtyMarks[prefix] = 0;
      if (this.#select(prefix)) changed(prefix);
      else if (this.#offeredBy[prefix] === SEVERAL) contested(prefix);
      this.#prefixes.release(prefix);
    }
    if (this.hasDirty) return;
    this.#dirty = [];
    this.#dirtyFrom = 0;
  }

  /** Selects for what is due and offered by `source` alone; the rest stays due. */
  settleOnly(source: number, changed: (prefix: number) => void): void {
    const offers = this.#sources.get(source)!;
    const isMine = (prefix: number): boolean => offers.usable(prefix) !== ABSENT;
    const due = this.#dirty.slice(this.#dirtyFrom);
    const rest = due.filter((prefix) => !isMine(prefix));
    this.#dirty = due.filter(isMine);
    this.#dirtyFrom = 0;
    this.settle(this.#dirty.length, changed, () => undefined);
    this.#dirty = rest;
  }

  best(prefix: number): Best | undefined {
    const source = this.#bestSource[prefix] ?? NOBODY;
    return source === NOBODY ? undefined : { source, attributes: this.#bestAttributes[prefix]! };
  }

  /** The full decision with its reasons, worked out anew; for people and for multipath. */
  explain(prefix: number): Selection | undefined {
    return selectBest(this.#candidates(prefix));
  }

  /** Whether several sources offer it, so that there may be more than one next hop. */
  isContested(prefix: number): boolean {
    return this.#offeredBy[prefix] === SEVERAL;
  }

  forEachBest(visit: (prefix: number, source: number, attributes: number) => void): void {
    for (let prefix = 0; prefix < this.#bestSource.length; prefix++) {
      const source = this.#bestSource[prefix]!;
      if (source !== NOBODY) visit(prefix, source, this.#bestAttributes[prefix]!);
    }
  }

  #select(prefix: number): boolean {
    const holder = this.#offeredBy[prefix]!;
    const source = holder === SEVERAL ? (selectBest(this.#candidates(prefix))?.best.source ?? NOBODY) : holder;
    const attributes = source === NOBODY ? ABSENT : this.#sources.get(source)!.usable(prefix);
    const before = this.#bestSource[prefix]!;
    if (before === source && this.#bestAttributes[prefix] === attributes) return false;
    this.#size += Number(source !== NOBODY) - Number(before !== NOBODY);
    this.#bestSource[prefix] = source;
    this.#bestAttributes[prefix] = attributes;
    return true;
  }

  #candidates(prefix: number): readonly Candidate[] {
    const holder = this.#offeredBy[prefix] ?? NOBODY;
    if (holder === NOBODY) return [];
    const sources = holder === SEVERAL ? this.#contested.get(prefix)! : [holder];
    return sources.map((source) => this.#candidateOf(source, this.#sources.get(source)!.usable(prefix)));
  }

  #offer(prefix: number, source: number): void {
    const holder = this.#offeredBy[prefix]!;
    if (holder === source) return;
    if (holder === NOBODY) {
      this.#offeredBy[prefix] = source;
    } else if (holder === SEVERAL) {
      const list = this.#contested.get(prefix)!;
      if (!list.includes(source)) list.push(source);
    } else {
      this.#offeredBy[prefix] = SEVERAL;
      this.#contested.set(prefix, [holder, source]);
    }
  }

  #retract(prefix: number, source: number): void {
    const holder = this.#offeredBy[prefix]!;
    if (holder === source) {
      this.#offeredBy[prefix] = NOBODY;
    } else if (holder === SEVERAL) {
      const left = this.#contested.get(prefix)!.filter((other) => other !== source);
      this.#contested.set(prefix, left);
      if (left.length > 1) return;
      this.#contested.delete(prefix);
      this.#offeredBy[prefix] = left[0] ?? NOBODY;
    }
  }

  #grow(): void {
    const rows = this.#prefixes.capacity;
    if (rows <= this.#offeredBy.length) return;
    this.#offeredBy = grown(this.#offeredBy, rows, NOBODY);
    this.#bestSource = grown(this.#bestSource, rows, NOBODY);
    this.#bestAttributes = grown(this.#bestAttributes, rows, ABSENT);
    const marks = new Uint8Array(rows);
    marks.set(this.#dirtyMarks);
    this.#dirtyMarks = marks;
  }
}

function grown(column: Int32Array<ArrayBuffer>, rows: number, filler: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(rows).fill(filler);
  longer.set(column);
  return longer;
}
