import { isFarBeyond, longer, longerOctets } from '../rib/columns.ts';
import { ABSENT } from '../rib/int-table.ts';
import { IntQueue } from '../rib/int-queue.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import { NO_PEER } from './batch.ts';
import type { Batch } from './batch.ts';
import type { Told, ToldSets } from './told-sets.ts';

/** What a group wants told of a prefix. */
export interface Wish {
  /** Works it out for a prefix; the two below hold until the next call. */
  look(prefix: number): void;
  /** The set that it answered may be gone, or its number mean another: it is worked out anew next time. `from` stays. */
  forget(): void;
  /** What its peers are told, or ABSENT. */
  readonly target: Told;
  /** Whose route it is, and so who is not told: split horizon. NO_PEER: this node's. */
  readonly from: number;
}

export interface SharedMemory {
  readonly prefixes: PrefixTable;
  readonly toldSets: ToldSets;
}

/** One row that changed: who is told what now, and was before. */
export interface RowChange {
  readonly prefix: number;
  readonly before: Told;
  readonly beforeFrom: number;
  readonly after: Told;
  readonly afterFrom: number;
}

/** A peer that looks on. */
export interface Watcher {
  readonly peer: number;
  /** A row is another, and what was said about it to the group was not said to this peer. */
  rowChanged(rib: SharedRibOut, change: RowChange): void;
  /** Of a peer that is told with the group: this prefix is told to it alone. `has`: what it has of it, or ABSENT. */
  setApart(rib: SharedRibOut, prefix: number, has: Told): void;
  /** The peer does not keep up with its group: it is told by itself from now on. */
  fallBehind(): void;
  /** A batch in which some rows were set apart has been sent. */
  strayed(): void;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The Adj-RIB-Out that all peers with the same view of us share (RFC 4271 §3.2): a row for each prefix says what they
 * have been told. A peer is told with the group, or watches apart and remembers for itself where it differs: one that
 * is new, is slow, or is to hear something that concerns it alone. So a change costs as much for a thousand peers as
 * for one. Holds its prefixes and attribute sets alive, some 9 octets a prefix.
 */
export class SharedRibOut {
  /** Every row has been looked at once: what the group was told is what is wanted, but for what is due. */
  isFilled = false;
  readonly toldSets: ToldSets;
  readonly #prefixes: PrefixTable;
  readonly #wish: Wish;
  /** By prefix: what was told, or ABSENT, and whose route that is. */
  #told = new Int32Array(8).fill(ABSENT);
  #from = new Int32Array(8);
  #dueMarks = new Uint8Array(8);
  readonly #due = new IntQueue();
  /** Rows by whose routes they are. */
  readonly #counts: number[] = [];
  #count = 0;
  readonly #together = new Map<number, Watcher>();
  readonly #apart = new Set<Watcher>();
  readonly #strays = new Set<Watcher>();
  /** One object for all rows: overwritten with each, so a watcher must not keep it. */
  readonly #change: Writable<RowChange> = {
    ...{ prefix: 0, before: ABSENT, beforeFrom: NO_PEER, after: ABSENT, afterFrom: NO_PEER },
  };
  readonly #unwatched: () => void;

  /** `unwatched`: the last peer has left, and nobody may come any more. */
  constructor({ prefixes, toldSets }: SharedMemory, wish: Wish, unwatched: () => void) {
    this.#prefixes = prefixes;
    this.toldSets = toldSets;
    this.#wish = wish;
    this.#unwatched = unwatched;
  }

  /** One more than the last row. */
  get rows(): number {
    return this.#told.length;
  }

  get hasDue(): boolean {
    return this.#due.size > 0;
  }

  get isWatched(): boolean {
    return this.#together.size + this.#apart.size > 0;
  }

  /** Those that are told by themselves, or come from here and compare. */
  get apart(): ReadonlySet<Watcher> {
    return this.#apart;
  }

  watchers(): readonly Watcher[] {
    return [...this.#together.values(), ...this.#apart];
  }

  /** Those that are told with the group. */
  get together(): ReadonlyMap<number, Watcher> {
    return this.#together;
  }

  isDue(prefix: number): boolean {
    return this.#dueMarks[prefix] === 1;
  }

  /** What the peer is to have of a prefix, as far as the group was told, or ABSENT. */
  toldTo(peer: number, prefix: number): Told {
    return prefix >= this.#told.length || this.#from[prefix] === peer ? ABSENT : this.#told[prefix]!;
  }

  /** How many prefixes that is. */
  countFor(peer: number): number {
    return this.#count - (this.#counts[peer] ?? 0);
  }

  /** From now on told with the group; it must have what the group has. */
  join(watcher: Watcher): void {
    this.#apart.delete(watcher);
    this.#together.set(watcher.peer, watcher);
  }

  /** From now on told by itself. */
  part(watcher: Watcher): void {
    this.#together.delete(watcher.peer);
    this.#apart.add(watcher);
  }

  leave(watcher: Watcher): void {
    if (this.#together.get(watcher.peer) === watcher) this.#together.delete(watcher.peer);
    this.#apart.delete(watcher);
    this.#strays.delete(watcher);
    if (!this.isWatched) this.#unwatched();
  }

  /** What is wanted for a prefix may be another now; looked at once by `tell`, however often this is called. */
  touch(prefix: number): void {
    if (prefix >= this.#told.length) this.#grow();
    if (this.#dueMarks[prefix] === 1) return;
    this.#dueMarks[prefix] = 1;
    this.#prefixes.retain(prefix);
    this.#due.push(prefix);
  }

  /** The same for the first `count` of `rows`. */
  touchAll(rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.touch(rows[i]!);
  }

  /** Brings one row up to date that nobody was told anything of: before the first peer is told. */
  fill(prefix: number): boolean {
    if (prefix >= this.#told.length) this.#grow();
    const isOther = this.#bringUp(prefix);
    if (isOther) this.#watched();
    return isOther;
  }

  /** At most `limit` of the rows that are due; what is to be said goes to the batch. A row that throws has left the queue. */
  tell(limit: number, batch: Batch): void {
    for (let left = Math.min(limit, this.#due.size); left > 0 && !batch.isFull; left--) {
      const prefix = this.#due.shift();
      this.#dueMarks[prefix] = 0;
      let isTaken = false;
      try {
        isTaken = this.#bringUp(prefix) && this.#watched(batch);
      } finally {
        if (!isTaken) this.#prefixes.release(prefix);
      }
    }
  }

  /** Peers of the group that must hear something of the last batch by themselves: after it has been sent. */
  takeStrays(): readonly Watcher[] {
    if (this.#strays.size === 0) return NOBODY_ASTRAY;
    const strays = [...this.#strays];
    this.#strays.clear();
    for (const stray of strays) stray.strayed();
    return strays;
  }

  /** Lets go of what a row holds, when nobody watches any more; true where it held something. */
  letGo(prefix: number): boolean {
    const prefixes = this.#prefixes;
    const told = this.#told[prefix]!;
    const isDue = this.#dueMarks[prefix] === 1;
    if (told !== ABSENT) this.toldSets.release(told);
    if (told !== ABSENT) prefixes.release(prefix);
    if (isDue) prefixes.release(prefix);
    this.#told[prefix] = ABSENT;
    this.#dueMarks[prefix] = 0;
    return told !== ABSENT || isDue;
  }

  /** Gives back rows that the prefixes do not reach to any more. */
  shorten(): void {
    const rows = this.#prefixes.capacity;
    if (!isFarBeyond(this.#told, rows)) return;
    this.#told = this.#told.slice(0, rows);
    this.#from = this.#from.slice(0, rows);
    this.#dueMarks = this.#dueMarks.slice(0, rows);
  }

  /** True where the row is another: `#change` says how. The set before is held until `#watched`. */
  #bringUp(prefix: number): boolean {
    const told = this.#told;
    const from = this.#from;
    const wish = this.#wish;
    wish.look(prefix);
    const before = told[prefix]!;
    const beforeFrom = from[prefix]!;
    const after = this.#settled(before, wish.target);
    const afterFrom = after === ABSENT ? NO_PEER : wish.from;
    if (before === after && beforeFrom === afterFrom) return false;
    if (after !== ABSENT) {
      this.toldSets.retain(after);
      this.#counts[afterFrom] = (this.#counts[afterFrom] ?? 0) + 1;
    }
    if (before !== ABSENT) this.#counts[beforeFrom]!--;
    this.#count += Number(after !== ABSENT) - Number(before !== ABSENT);
    told[prefix] = after;
    from[prefix] = afterFrom;
    if (before === ABSENT) this.#prefixes.retain(prefix);
    const change = this.#change;
    change.prefix = prefix;
    change.before = before;
    change.beforeFrom = beforeFrom;
    change.after = after;
    change.afterFrom = afterFrom;
    return true;
  }

  /** What a row becomes: what was told stands where the peers would be told the same again. */
  #settled(before: Told, wanted: Told): Told {
    const { toldSets } = this;
    if (before === ABSENT || wanted === ABSENT || before === wanted) return wanted;
    if (!toldSets.isSame(before, toldSets, wanted)) return wanted;
    // It may be new, and nobody's.
    toldSets.retain(wanted);
    toldSets.release(wanted);
    this.#wish.forget();
    return before;
  }

  /** Everybody hears of the change, each in the way that is his; true where the batch took the hold on the prefix over. */
  #watched(batch?: Batch): boolean {
    const change = this.#change;
    const { prefix, before, beforeFrom, after, afterFrom } = change;
    if (this.#apart.size > 0) for (const watcher of this.#apart) watcher.rowChanged(this, change);
    let isTaken = false;
    if (batch !== undefined && this.#together.size > 0) {
      if (before !== after) {
        batch.add(prefix, after, after === ABSENT ? beforeFrom : afterFrom);
        isTaken = true;
      }
      if (beforeFrom !== afterFrom) this.#noteStrays(change);
    }
    if (before !== ABSENT) this.toldSets.release(before);
    if (after === ABSENT) this.#prefixes.release(prefix);
    return isTaken;
  }

  /** Whose route it is now is not among those who are told, and still has what was there before. */
  #noteStrays({ prefix, before, beforeFrom, after, afterFrom }: RowChange): void {
    const giver = before === ABSENT || after === ABSENT ? undefined : this.#together.get(afterFrom);
    if (giver !== undefined) {
      giver.setApart(this, prefix, before);
      this.#strays.add(giver);
    }
    const former = before === after ? this.#together.get(beforeFrom) : undefined;
    if (former === undefined) return;
    former.setApart(this, prefix, ABSENT);
    this.#strays.add(former);
  }

  #grow(): void {
    const rows = this.#prefixes.capacity;
    this.#told = longer(this.#told, rows, ABSENT);
    this.#from = longer(this.#from, rows, NO_PEER);
    this.#dueMarks = longerOctets(this.#dueMarks, rows);
  }
}

const NOBODY_ASTRAY: readonly Watcher[] = [];
