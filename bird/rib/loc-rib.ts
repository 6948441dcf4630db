import { isFarBeyond, longer, longerOctets } from './columns.ts';
import type { Candidate, Selection } from './decision.ts';
import { Holders, NO_LINK, NOBODY, SEVERAL } from './holders.ts';
import { IntQueue } from './int-queue.ts';
import { ABSENT } from './int-table.ts';
import type { RibMemory } from './lane.ts';

/** A table that routes come from: a lane of a peer's Adj-RIB-In, or the routes of this node. */
export interface RouteSource {
  /** The attribute set of a usable route, or ABSENT. */
  usable(prefix: number): number;
}

export interface Best {
  readonly source: number;
  readonly attributes: number;
}

/** What selection found for a prefix that was due. */
export interface SettleListener {
  /** Its best route is another now. */
  bestChanged(prefix: number): void;
  /** The best stands, but other paths are as good as it now. */
  equalsChanged(prefix: number): void;
  /** It was due, whatever came of it: a path of it is another, or came or went. */
  readonly settled: ((prefix: number) => void) | undefined;
}

/** What the decision asks of a path, and how it decides. */
export interface Deciding {
  candidateOf(source: number, attributes: number, prefix: number): Candidate;
  select(candidates: readonly Candidate[]): Selection | undefined;
  /**
   * Where a path comes from, for the short way: of paths that `AttributeCache.rank` puts first, one of this node wins, and
   * if their MEDs are equal, one that comes from outside beats those from inside. Undefined: there is no short way.
   */
  readonly originOf: ((source: number) => Origin) | undefined;
}

export type Origin = 'local' | 'external' | 'internal';

/**
 * The best route of every prefix of one family. Who offers a prefix is one integer where it is a single source, which
 * is nearly always; only contested prefixes have a list and go through the decision.
 *
 * What was selected stands until selection runs again, also where its source has withdrawn it meanwhile: so the best
 * routes can be read at any time, and change only where the listener of `settle` hears of it. Their attribute sets are
 * held for that long.
 */
export class LocRib {
  readonly #memory: RibMemory;
  readonly #sources: (RouteSource | undefined)[] = [];
  readonly #deciding: Deciding;
  readonly #offers = new Holders();
  /** The best path and those as good as it; only where there are several. */
  readonly #equals = new Map<number, readonly Best[]>();
  #bestSource = new Int32Array(8).fill(NOBODY);
  #bestAttributes = new Int32Array(8).fill(ABSENT);
  #dirtyMarks = new Uint8Array(8);
  /** Prefixes that are due. */
  readonly #dirty = new IntQueue();
  /** Of a prefix that is being decided: the paths that none is better than so far. */
  readonly #leading: number[] = [];
  #size = 0;

  constructor(memory: RibMemory, deciding: Deciding) {
    this.#memory = memory;
    this.#deciding = deciding;
  }

  /** How many prefixes have a best route. */
  get size(): number {
    return this.#size;
  }

  /** One more than the largest prefix that may have a best route. */
  get rows(): number {
    return this.#bestSource.length;
  }

  get hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  addSource(index: number, source: RouteSource): void {
    while (this.#sources.length <= index) this.#sources.push(undefined);
    this.#sources[index] = source;
  }

  /** The source must offer nothing any more, nor stand in what was selected: see `settleNow`. */
  removeSource(index: number): void {
    this.#sources[index] = undefined;
  }

  /** A usable route of `source` came, changed or went; selection is due for the prefix, however often this is called. */
  touch(prefix: number, source: number): void {
    this.changed(prefix, source, this.#usable(source, prefix) !== ABSENT);
  }

  /** The same where it is known whether there is one now. */
  changed(prefix: number, source: number, isOffered: boolean): void {
    if (prefix >= this.#bestSource.length) this.#grow();
    if (isOffered) this.#offers.add(prefix, source);
    else this.#offers.remove(prefix, source);
    if (this.#dirtyMarks[prefix] === 1) return;
    this.#dirtyMarks[prefix] = 1;
    this.#memory.prefixes.retain(prefix);
    this.#dirty.push(prefix);
  }

  /** Selects for at most `limit` prefixes that are due. */
  settle(limit: number, listener: SettleListener): void {
    for (let left = Math.min(limit, this.#dirty.size); left > 0; left--) {
      const prefix = this.#dirty.shift();
      this.#dirtyMarks[prefix] = 0;
      this.settleNow(prefix, listener);
      this.#memory.prefixes.release(prefix);
    }
  }

  /** Selects for one prefix that somebody holds, out of turn; where it was due it stays so, and nothing will come of that. */
  settleNow(prefix: number, listener: SettleListener): void {
    const outcome = this.#select(prefix);
    if (outcome === 'best') listener.bestChanged(prefix);
    else if (outcome === 'equals') listener.equalsChanged(prefix);
    listener.settled?.(prefix);
  }

  /** Whose path is the best, or NOBODY. */
  bestSource(prefix: number): number {
    return prefix < this.#bestSource.length ? this.#bestSource[prefix]! : NOBODY;
  }

  /** The attribute set of the best path, or ABSENT. */
  bestAttributes(prefix: number): number {
    return prefix < this.#bestAttributes.length ? this.#bestAttributes[prefix]! : ABSENT;
  }

  best(prefix: number): Best | undefined {
    const source = this.#bestSource[prefix] ?? NOBODY;
    return source === NOBODY ? undefined : { source, attributes: this.#bestAttributes[prefix]! };
  }

  /** The best path first, then all as good as it, each with its own attribute set; undefined where there is at most one. */
  equals(prefix: number): readonly Best[] | undefined {
    return this.#equals.get(prefix);
  }

  /** Whether `source` stands in what was selected for the prefix. */
  refersTo(prefix: number, source: number): boolean {
    if (this.#bestSource[prefix] === source) return true;
    return this.#equals.get(prefix)?.some((path) => path.source === source) === true;
  }

  /** Who offers a usable path of the prefix now, selected or not. */
  sourcesOf(prefix: number): readonly number[] {
    return this.#offers.all(prefix);
  }

  /** The attribute set of what `source` offers now, or ABSENT. */
  offer(prefix: number, source: number): number {
    return this.#usable(source, prefix);
  }

  /** The full decision with its reasons, worked out anew from what is offered now; for people. */
  explain(prefix: number): Selection | undefined {
    return this.#deciding.select(this.#candidates(prefix));
  }

  forEachBest(visit: (prefix: number, source: number, attributes: number) => void): void {
    for (let prefix = 0; prefix < this.#bestSource.length; prefix++) {
      const source = this.#bestSource[prefix]!;
      if (source !== NOBODY) visit(prefix, source, this.#bestAttributes[prefix]!);
    }
  }

  /** Gives back rows that the prefixes do not reach to any more. */
  shorten(): void {
    const rows = this.#memory.prefixes.capacity;
    this.#offers.shorten(rows);
    if (!isFarBeyond(this.#bestSource, rows)) return;
    this.#bestSource = this.#bestSource.slice(0, rows);
    this.#bestAttributes = this.#bestAttributes.slice(0, rows);
    this.#dirtyMarks = this.#dirtyMarks.slice(0, rows);
  }

  #select(prefix: number): 'best' | 'equals' | undefined {
    const holder = this.#offers.only(prefix);
    const winner = holder === SEVERAL ? this.#winner(prefix) : holder;
    const equals = winner === SEVERAL ? this.#equalPaths(prefix) : undefined;
    const source = equals?.[0]?.source ?? winner;
    const attributes = source === NOBODY ? ABSENT : this.#usable(source, prefix);
    const isOther = this.#replaceBest(prefix, source, attributes);
    const hasOthers = this.#replaceEquals(prefix, equals);
    if (isOther) return 'best';
    return hasOthers ? 'equals' : undefined;
  }

  /** The source of the one path that is better than all others; SEVERAL where it takes the full decision to tell. */
  #winner(prefix: number): number {
    const { originOf } = this.#deciding;
    if (originOf === undefined) return SEVERAL;
    const { attributes } = this.#memory;
    const leading = this.#leading;
    let best = Infinity;
    leading.length = 0;
    for (let link = this.#offers.firstLink(prefix); link !== NO_LINK; link = this.#offers.nextLink(link)) {
      const source = this.#offers.holderAt(link);
      if (originOf(source) === 'local') return source;
      const rank = attributes.rank(this.#usable(source, prefix));
      if (rank > best) continue;
      if (rank < best) leading.length = 0;
      best = rank;
      leading.push(source);
    }
    return leading.length === 1 ? leading[0]! : this.#external(prefix, leading);
  }

  #external(prefix: number, leading: readonly number[]): number {
    const { attributes } = this.#memory;
    const med = attributes.med(this.#usable(leading[0]!, prefix));
    let only = NOBODY;
    for (const source of leading) {
      if (attributes.med(this.#usable(source, prefix)) !== med) return SEVERAL;
      if (this.#deciding.originOf?.(source) === 'external') only = only === NOBODY ? source : SEVERAL;
    }
    return only === NOBODY ? SEVERAL : only;
  }

  #usable(source: number, prefix: number): number {
    return this.#sources[source]?.usable(prefix) ?? ABSENT;
  }

  #replaceBest(prefix: number, source: number, attributes: number): boolean {
    const oldSource = this.#bestSource[prefix]!;
    const oldAttributes = this.#bestAttributes[prefix]!;
    if (oldSource === source && oldAttributes === attributes) return false;
    if (attributes !== ABSENT) this.#memory.attributes.retain(attributes);
    if (oldAttributes !== ABSENT) this.#memory.attributes.release(oldAttributes);
    this.#size += Number(source !== NOBODY) - Number(oldSource !== NOBODY);
    this.#bestSource[prefix] = source;
    this.#bestAttributes[prefix] = attributes;
    return true;
  }

  #replaceEquals(prefix: number, paths: readonly Best[] | undefined): boolean {
    if (paths === undefined && this.#equals.size === 0) return false;
    const old = this.#equals.get(prefix);
    const fresh = paths !== undefined && paths.length > 1 ? paths : undefined;
    if (old === undefined && fresh === undefined) return false;
    if (old !== undefined && fresh !== undefined && isSamePaths(old, fresh)) return false;
    for (const { attributes } of fresh ?? []) this.#memory.attributes.retain(attributes);
    for (const { attributes } of old ?? []) this.#memory.attributes.release(attributes);
    if (fresh === undefined) this.#equals.delete(prefix);
    else this.#equals.set(prefix, fresh);
    return true;
  }

  #equalPaths(prefix: number): readonly Best[] {
    const { multipath = [] } = this.#deciding.select(this.#candidates(prefix)) ?? {};
    return multipath.map(({ source }) => ({ source, attributes: this.#usable(source, prefix) }));
  }

  #candidates(prefix: number): readonly Candidate[] {
    return this.#offers
      .all(prefix)
      .map((source) => this.#deciding.candidateOf(source, this.#usable(source, prefix), prefix));
  }

  #grow(): void {
    const rows = this.#memory.prefixes.capacity;
    this.#bestSource = longer(this.#bestSource, rows, NOBODY);
    this.#bestAttributes = longer(this.#bestAttributes, rows, ABSENT);
    this.#dirtyMarks = longerOctets(this.#dirtyMarks, rows);
  }
}

const isSamePaths = (a: readonly Best[], b: readonly Best[]): boolean =>
  a.length === b.length &&
  a.every(({ source, attributes }, i) => source === b[i]!.source && attributes === b[i]!.attributes);
