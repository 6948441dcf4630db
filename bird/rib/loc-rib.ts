import { isFarBeyond, longer, longerOctets } from './columns.ts';
import { Contest } from './contest.ts';
import type { Deciding } from './contest.ts';
import type { Selection } from './decision.ts';
import { EqualPaths } from './equal-paths.ts';
import type { Best } from './equal-paths.ts';
import { Holders, NOBODY, SEVERAL } from './holders.ts';
import { IntQueue } from './int-queue.ts';
import { ABSENT } from './int-table.ts';
import type { RibMemory } from './lane.ts';

export type { Deciding, PathPeer, ShortWay } from './contest.ts';
export type { Best } from './equal-paths.ts';

/** A table that routes come from: a lane of a peer's Adj-RIB-In, or the routes of this node. */
export interface RouteSource {
  /** The attribute set of a usable route, or ABSENT. */
  usable(prefix: number): number;
}

/** What a source has come to offer, alike for several prefixes. */
export interface Offered extends Best {
  readonly areNew: boolean;
}

/** What selection found. */
export interface SettleListener {
  /** Its best route is another now. */
  bestChanged(prefix: number): void;
  /** The same of the first `count` of `prefixes`. */
  bestsChanged(prefixes: Int32Array, count: number): void;
  /** The best stands, but other paths are as good as it now. */
  equalsChanged(prefix: number): void;
  /** It was due, whatever came of it: a path of it is another, or came or went. */
  readonly settled: ((prefix: number) => void) | undefined;
}

/**
 * The best route of every prefix of one family. Who offers a prefix is one integer where it is a single source, which
 * is nearly always; only contested prefixes have a list and go through the decision.
 *
 * What was selected stands until selection runs again, also where its source has withdrawn it meanwhile: so the best
 * routes can be read at any time, and change only where a listener hears of it, that of `settle` or of `selectAtOnce`.
 * Their attribute sets are held for that long.
 */
export class LocRib {
  readonly #memory: RibMemory;
  readonly #sources: (RouteSource | undefined)[] = [];
  readonly #deciding: Deciding;
  readonly #offers = new Holders();
  readonly #contest: Contest;
  readonly #equals: EqualPaths;
  #bestSource = new Int32Array(8).fill(NOBODY);
  #bestAttributes = new Int32Array(8).fill(ABSENT);
  #dirtyMarks = new Uint8Array(8);
  /** Prefixes that are due. */
  readonly #dirty = new IntQueue();
  #size = 0;
  /** Who hears of what is selected at once; undefined: nothing is. */
  #atOnce: SettleListener | undefined;

  constructor(memory: RibMemory, deciding: Deciding) {
    this.#memory = memory;
    this.#deciding = deciding;
    this.#contest = new Contest(memory.attributes.qualities, deciding, (source, prefix) =>
      this.#usable(source, prefix),
    );
    this.#equals = new EqualPaths(memory.attributes);
  }

  /** How many prefixes have a best route. */
  get size(): number {
    return this.#size;
  }

  /** One more than the largest prefix that may have a best route. */
  get rows(): number {
    return this.#bestSource.length;
  }

  /** Octets of all columns. */
  get octets(): number {
    const own = this.#bestSource.byteLength + this.#bestAttributes.byteLength + this.#dirtyMarks.byteLength;
    return own + this.#offers.octets + this.#equals.octets;
  }

  /** `shorten` gives something back, however long the prefixes are. */
  get isUntidy(): boolean {
    return this.#offers.isIdle || this.#equals.isIdle;
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

  /**
   * From now on, while one peer alone offers anything at all, its prefixes are selected in the moment in which an UPDATE brings or
   * takes them: there is nothing to decide, and to wait for their turn would cost more than that. Of several peers the paths
   * that come together are to be decided together, or the first would be told, and then the best. Undefined: all wait.
   */
  selectAtOnce(listener: SettleListener | undefined): void {
    this.#atOnce = listener;
  }

  /** A usable route of `source` came, changed or went; selection is due for the prefix, however often this is called. */
  touch(prefix: number, source: number): void {
    this.changed(prefix, source, this.#usable(source, prefix) !== ABSENT);
  }

  /** The same where it is known whether there is one now. */
  changed(prefix: number, source: number, isOffered: boolean): void {
    if (prefix >= this.#bestSource.length) this.#grow();
    let isNew = false;
    if (isOffered) isNew = this.#offers.add(prefix, source);
    else this.#offers.remove(prefix, source);
    if (this.#dirtyMarks[prefix] === 1) return;
    if (isNew && this.#isIdle(prefix, source, this.#usable(source, prefix))) return;
    this.#becomeDue(prefix);
  }

  /**
   * `changed` for the first `count` of `prefixes`: the source offers them with these attributes, and where they are new has
   * offered none of them until now. Writes to `prefixes`.
   */
  offered(prefixes: Int32Array, count: number, { source, attributes, areNew }: Offered): void {
    const atOnce = this.#atOnceFor(source, count);
    let selected = 0;
    for (let i = 0; i < count; i++) {
      const prefix = prefixes[i]!;
      const isFree = atOnce !== undefined && this.#bestSource[prefix] === NOBODY;
      if (isFree && this.#offers.addFirst(prefix, source)) {
        this.#bestSource[prefix] = source;
        this.#bestAttributes[prefix] = attributes;
        prefixes[selected++] = prefix;
      } else if (areNew) {
        this.#came(prefix, source, attributes);
      } else {
        this.changed(prefix, source, true);
      }
    }
    if (selected === 0) return;
    this.#memory.attributes.retain(attributes, selected);
    this.#size += selected;
    atOnce?.bestsChanged(prefixes, selected);
  }

  /** The same where the source offers them no more. */
  withdrawn(prefixes: Int32Array, count: number, source: number): void {
    const atOnce = this.#atOnceFor(source, count);
    const { attributes } = this.#memory;
    let selected = 0;
    for (let i = 0; i < count; i++) {
      const prefix = prefixes[i]!;
      // Where it is due, paths that were as good as this one may still stand beside it.
      const isAlone = atOnce !== undefined && this.#bestSource[prefix] === source && this.#dirtyMarks[prefix] === 0;
      if (isAlone && this.#offers.removeOnly(prefix, source)) {
        attributes.release(this.#bestAttributes[prefix]!);
        this.#bestSource[prefix] = NOBODY;
        this.#bestAttributes[prefix] = ABSENT;
        prefixes[selected++] = prefix;
      } else {
        this.changed(prefix, source, false);
      }
    }
    if (selected === 0) return;
    this.#size -= selected;
    atOnce?.bestsChanged(prefixes, selected);
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
    // Of a prefix whose paths were all refused nobody has told us.
    if (prefix >= this.#bestSource.length) this.#grow();
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
    return this.#bestSource[prefix] === source || this.#equals.has(prefix, source);
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
    return this.#deciding.select(this.#contest.candidates(prefix, this.#offers));
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
    this.#equals.shorten(rows);
    if (!isFarBeyond(this.#bestSource, rows)) return;
    this.#bestSource = this.#bestSource.slice(0, rows);
    this.#bestAttributes = this.#bestAttributes.slice(0, rows);
    this.#dirtyMarks = this.#dirtyMarks.slice(0, rows);
  }

  /** For so many prefixes; undefined where they wait. There is a row for each then. */
  #atOnceFor(source: number, count: number): SettleListener | undefined {
    if (count === 0 || this.#atOnce === undefined || this.#deciding.hearsOfAll()) return undefined;
    const others = this.#offers.othersThan(source);
    if (others > 1 || (others === 1 && !this.#offers.holdsAny(this.#deciding.own))) return undefined;
    if (this.#memory.prefixes.capacity > this.#bestSource.length) this.#grow();
    return this.#atOnce;
  }

  #select(prefix: number): 'best' | 'equals' | undefined {
    const holder = this.#offers.only(prefix);
    const { sources, sets } = this.#contest;
    const count = holder === SEVERAL ? this.#contest.run(prefix, this.#offers) : 1;
    const source = holder === SEVERAL ? sources[0]! : holder;
    const attributes = holder === SEVERAL ? sets[0]! : source === NOBODY ? ABSENT : this.#usable(source, prefix);
    const isOther = this.#replaceBest(prefix, source, attributes);
    const hasOthers = this.#equals.replace(prefix, count, sources, sets);
    if (isOther) return 'best';
    return hasOthers ? 'equals' : undefined;
  }

  /**
   * Nothing would come of selection for a prefix that is not due: the path is new, there is a best one, and that beats it by
   * more than a tie. One that replaces another of its source is not so: with that one an exclusion by MED may be gone.
   */
  #isIdle(prefix: number, source: number, attributes: number): boolean {
    const best = this.best(prefix);
    if (best === undefined || this.#deciding.hearsOfAll()) return false;
    return this.#contest.isWorse(source, attributes, best);
  }

  /** `changed` for a path that is new. */
  #came(prefix: number, source: number, attributes: number): void {
    if (prefix >= this.#bestSource.length) this.#grow();
    this.#offers.addNew(prefix, source);
    if (this.#dirtyMarks[prefix] === 0 && !this.#isIdle(prefix, source, attributes)) this.#becomeDue(prefix);
  }

  #becomeDue(prefix: number): void {
    this.#dirtyMarks[prefix] = 1;
    this.#memory.prefixes.retain(prefix);
    this.#dirty.push(prefix);
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

  #grow(): void {
    const rows = this.#memory.prefixes.capacity;
    this.#bestSource = longer(this.#bestSource, rows, NOBODY);
    this.#bestAttributes = longer(this.#bestAttributes, rows, ABSENT);
    this.#dirtyMarks = longerOctets(this.#dirtyMarks, rows);
  }
}
