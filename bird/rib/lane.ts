import type { AttributeCache } from './attribute-cache.ts';
import { ABSENT, IntTable } from './int-table.ts';
import { PageTable } from './page-table.ts';
import { NO_PREFIX } from './prefix-table.ts';
import type { PrefixTable } from './prefix-table.ts';

/** In the flags of a row: left over from before the peer's restart, RFC 4724 §4.2, or its refresh, RFC 7313 §4. */
const STALE = 1;
/** Also STALE, and so for long enough to become long-lived stale, RFC 9494 §4.2: a walk is on its way to it. */
const AGING = 2;
/** Also STALE, and to be removed: a walk is on its way to it. */
const DOOMED = 4;
const STATE = STALE | AGING | DOOMED;
/** In the flags of a row, above its state, five bits: why import refused it, 0 where it did not. */
const REJECTION_SHIFT = 3;

/** The rejection of what is beyond the peer's prefix limit: such rows do not count against it. */
export const BEYOND_LIMIT = 31;

export interface RibMemory {
  readonly prefixes: PrefixTable;
  readonly attributes: AttributeCache;
}

/** An attribute set with what import made of it; the same for all prefixes that it is shared by. */
export interface JudgedSet {
  /** As received. */
  readonly attributes: number;
  /** As selection and everybody after it sees it; the same set unless import rewrites it. */
  readonly used: number;
  /** 0: accepted; up to 31. */
  readonly rejection: number;
}

/** What came of an announcement of several prefixes. */
export interface Announced {
  /** For so many of them selection must look again. */
  readonly changed: number;
  /** And none of these had a row before. */
  readonly areNew: boolean;
}

/**
 * One path at most for each prefix, of one peer in one family, before selection; rejected ones stay, with the reason.
 * About six octets a row beside the shared prefix and attributes; path identifiers and rewritten attribute sets stand
 * in tables that are there only while they are needed. Holds its prefixes and attribute sets alive.
 */
export class Lane {
  /** Names this table among all that selection looks at. */
  readonly source: number;
  readonly #memory: RibMemory;
  readonly #rows = new PageTable();
  readonly #announced = { changed: 0, areNew: false };
  /** Where selection uses another set than the one received. */
  #used: IntTable | undefined;
  /** RFC 7911, signed; none where the session had no ADD-PATH. */
  #pathIds: IntTable | undefined;
  #accepted = 0;
  #beyond = 0;
  #counted = 0;
  #stale = 0;
  #aging = 0;
  #doomed = 0;

  constructor(source: number, memory: RibMemory) {
    this.source = source;
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

  /** Rows beyond the prefix limit. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Rows that count against the prefix limit: neither beyond it nor stale. */
  get counted(): number {
    return this.#counted;
  }

  get aging(): number {
    return this.#aging;
  }

  get doomed(): number {
    return this.#doomed;
  }

  has(prefix: number): boolean {
    return this.#rows.has(prefix);
  }

  /** The attribute set that selection may use, or ABSENT. */
  usable(prefix: number): number {
    return this.#usableAt(this.#rows.slotOf(prefix), prefix);
  }

  /** The attribute set as received, accepted or not, or ABSENT. */
  get(prefix: number): number {
    return this.#rows.get(prefix);
  }

  /** The attribute set as import left it, accepted or not, or ABSENT. */
  used(prefix: number): number {
    const rewritten = this.#used?.get(prefix) ?? ABSENT;
    return rewritten === ABSENT ? this.#rows.get(prefix) : rewritten;
  }

  rejection(prefix: number): number {
    return this.#rows.flags(prefix) >>> REJECTION_SHIFT;
  }

  isStale(prefix: number): boolean {
    return (this.#rows.flags(prefix) & STALE) !== 0;
  }

  isAging(prefix: number): boolean {
    return (this.#rows.flags(prefix) & AGING) !== 0;
  }

  isDoomed(prefix: number): boolean {
    return (this.#rows.flags(prefix) & DOOMED) !== 0;
  }

  /** RFC 7911; undefined where the path came without one. */
  pathId(prefix: number): number | undefined {
    const slot = this.#pathIds?.slotOf(prefix) ?? -1;
    return slot === -1 ? undefined : this.#pathIds!.valueAt(slot) >>> 0;
  }

  /** An announcement; replaces what stood there, and is fresh. True where selection must look again. */
  announce(prefix: number, route: JudgedSet, pathId?: number): boolean {
    const { attributes, used, rejection } = route;
    const { attributes: sets, prefixes } = this.#memory;
    const flags = rejection << REJECTION_SHIFT;
    const slot = this.#rows.slotOf(prefix);
    const before = this.#usableAt(slot, prefix);
    const old = slot === -1 ? ABSENT : this.#rows.valueAt(slot);
    if (old !== attributes) sets.retain(attributes);
    if (slot === -1) {
      prefixes.retain(prefix);
      this.#rows.set(prefix, attributes, flags);
    } else {
      this.#count(this.#rows.flagsAt(slot), -1);
      this.#rows.setAt(slot, attributes, flags);
    }
    this.#count(flags, 1);
    if (used !== attributes || this.#used !== undefined) this.#use(prefix, used === attributes ? ABSENT : used);
    if (pathId !== undefined || this.#pathIds !== undefined) this.#rename(prefix, pathId);
    if (old !== attributes && old !== ABSENT) sets.release(old);
    return before !== (rejection === 0 ? used : ABSENT);
  }

  /**
   * `announce` for the first `count` of `ids`, all with the same attributes. Those for which selection must look again are
   * the first of `ids` afterwards. One answer for all calls, which holds until the next.
   */
  announceAll(ids: Int32Array, count: number, route: JudgedSet): Announced {
    const { attributes, used, rejection } = route;
    const isPlain = used === attributes && this.#used === undefined && this.#pathIds === undefined;
    const { prefixes } = this.#memory;
    const rows = this.#rows;
    const flags = rejection << REJECTION_SHIFT;
    let changed = 0;
    let added = 0;
    for (let i = 0; i < count; i++) {
      const prefix = ids[i]!;
      if (isPlain && rows.add(prefix, attributes, flags)) {
        prefixes.retain(prefix);
        added++;
        if (rejection === 0) ids[changed++] = prefix;
      } else if (this.announce(prefix, route)) {
        ids[changed++] = prefix;
      }
    }
    this.#announced.changed = changed;
    this.#announced.areNew = added === changed;
    if (added === 0) return this.#announced;
    this.#memory.attributes.retain(attributes, added);
    this.#count(flags, added);
    return this.#announced;
  }

  /** Policy changed its mind about a row that stands. True where selection must look again. */
  judgeAgain(prefix: number, { used, rejection }: Omit<JudgedSet, 'attributes'>): boolean {
    const slot = this.#rows.slotOf(prefix);
    if (slot === -1) return false;
    const before = this.usable(prefix);
    const flags = this.#rows.flagsAt(slot);
    const received = this.#rows.valueAt(slot);
    this.#count(flags, -1);
    this.#rows.setAt(slot, received, (rejection << REJECTION_SHIFT) | (flags & STATE));
    this.#count(this.#rows.flagsAt(slot), 1);
    this.#use(prefix, used === received ? ABSENT : used);
    return before !== this.usable(prefix);
  }

  /**
   * True where selection must look again. The prefix may be held by nobody then, and still has its id: until somebody
   * interns another.
   */
  withdraw(prefix: number): boolean {
    const slot = this.#rows.slotOf(prefix);
    if (slot === -1) return false;
    const { attributes, prefixes } = this.#memory;
    const received = this.#rows.valueAt(slot);
    const flags = this.#rows.flagsAt(slot);
    this.#count(flags, -1);
    this.#rows.delete(prefix);
    if (this.#used !== undefined) this.#use(prefix, ABSENT);
    if (this.#pathIds !== undefined) this.#rename(prefix, undefined);
    attributes.release(received);
    prefixes.release(prefix);
    return flags >>> REJECTION_SHIFT === 0;
  }

  /** The same for the first `count` of `ids`, as `announceAll` answers; NO_PREFIX among them is nothing. */
  withdrawAll(ids: Int32Array, count: number): number {
    let changed = 0;
    for (let i = 0; i < count; i++) {
      const prefix = ids[i]!;
      if (prefix !== NO_PREFIX && this.withdraw(prefix)) ids[changed++] = prefix;
    }
    return changed;
  }

  /** What is there may be out of date: every row is stale from now on, until it is announced again. */
  markStale(): void {
    this.#rows.flagAll(STALE);
    this.#stale = this.#rows.size;
    this.#counted = 0;
  }

  /** What is stale now is to become long-lived stale, unless it is announced before the walk that does it comes by. */
  ageStale(): void {
    this.#rows.flagAll(AGING, STALE);
    this.#aging = this.#stale;
  }

  /** A row has become long-lived stale. */
  aged(prefix: number): void {
    const slot = this.#rows.slotOf(prefix);
    if (slot === -1) return;
    const flags = this.#rows.flagsAt(slot);
    this.#count(flags, -1);
    this.#rows.setAt(slot, this.#rows.valueAt(slot), flags & ~AGING);
    this.#count(flags & ~AGING, 1);
  }

  /** What is stale now is to go, unless it is announced before the walk that removes it comes by. */
  doomStale(): void {
    this.#rows.flagAll(DOOMED, STALE);
    this.#doomed = this.#stale;
  }

  prefixes(): Int32Array {
    return this.#rows.keys();
  }

  #usableAt(slot: number, prefix: number): number {
    if (slot === -1 || this.#rows.flagsAt(slot) >>> REJECTION_SHIFT !== 0) return ABSENT;
    return this.#used === undefined ? this.#rows.valueAt(slot) : this.used(prefix);
  }

  /** There are `by` more rows with these flags. */
  #count(flags: number, by: number): void {
    const rejection = flags >>> REJECTION_SHIFT;
    if (rejection === 0) this.#accepted += by;
    else if (rejection === BEYOND_LIMIT) this.#beyond += by;
    if ((flags & STALE) === 0) {
      if (rejection !== BEYOND_LIMIT) this.#counted += by;
      return;
    }
    this.#stale += by;
    if ((flags & AGING) !== 0) this.#aging += by;
    if ((flags & DOOMED) !== 0) this.#doomed += by;
  }

  /** ABSENT: the set that was received. */
  #use(prefix: number, used: number): void {
    const { attributes } = this.#memory;
    const old = this.#used?.get(prefix) ?? ABSENT;
    if (old === used) return;
    if (used === ABSENT) {
      this.#used!.delete(prefix);
      if (this.#used!.size === 0) this.#used = undefined;
    } else {
      attributes.retain(used);
      this.#used ??= new IntTable();
      this.#used.set(prefix, used);
    }
    if (old !== ABSENT) attributes.release(old);
  }

  #rename(prefix: number, pathId: number | undefined): void {
    if (pathId === undefined) {
      this.#pathIds?.delete(prefix);
      if (this.#pathIds?.size === 0) this.#pathIds = undefined;
    } else {
      this.#pathIds ??= new IntTable();
      this.#pathIds.set(prefix, pathId | 0);
    }
  }
}
