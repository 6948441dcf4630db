import type { PathAttributes } from '../wire.ts';
import { ABSENT } from '../rib/int-table.ts';
import { ONLY_PATH } from '../rib/adj-rib-out.ts';
import type { AdjRibOut } from '../rib/adj-rib-out.ts';
import type { RibMemory } from '../rib/lane.ts';
import { NO_PEER } from './batch.ts';
import type { Batch } from './batch.ts';
import { Behind } from './behind.ts';
import type { RowChange, SharedRibOut, Watcher } from './shared-rib-out.ts';
import { asTold } from './told-sets.ts';
import type { Told } from './told-sets.ts';

/**
 * What a peer has: of rows before `row` what this group was told, of the others what `base` says, or nothing. Until `row`
 * is ALL a walk is on its way from the first row to the last; `isAgain`: it says everything, also what the peer has.
 */
interface Standing {
  readonly rib: SharedRibOut;
  row: number;
  readonly base: Standing | undefined;
  readonly isAgain: boolean;
}

/** Behind the last row: the walk is over. */
const ALL = Infinity;
/** So many rows with nothing to say end a turn. */
const IDLE_ROWS = 65_536;

const NO_PATHS: readonly number[] = [];
const ONE_PATH: readonly number[] = [ONLY_PATH];

/** A peer of a group: told with it, or by itself as long as it differs. */
export class Member implements AdjRibOut, Watcher {
  readonly peer: number;
  readonly #memory: RibMemory;
  #standing: Standing;
  /** Where it is told by itself: what it has of a prefix, or ABSENT. Held alive. */
  readonly #behind = new Behind();
  #isTogether = false;
  /** While it is told by itself. */
  #advertised = 0;

  /** Of a session that begins: it has nothing. */
  constructor(peer: number, rib: SharedRibOut, memory: RibMemory) {
    this.peer = peer;
    this.#memory = memory;
    this.#standing = { rib, row: 0, base: undefined, isAgain: false };
    rib.part(this);
  }

  readonly hasPaths = false;

  get advertised(): number {
    return this.#isTogether ? this.#standing.rib.countFor(this.peer) : this.#advertised;
  }

  /** It is to be told something by itself, or that may be. */
  get isApart(): boolean {
    return !this.#isTogether;
  }

  get isTellingAgain(): boolean {
    return this.#standing.isAgain;
  }

  /** Rows where it differs from its group; bounded by the number of prefixes. */
  get behind(): number {
    return this.#behind.size;
  }

  told(prefix: number): PathAttributes | undefined {
    const behind = this.#behind.get(prefix);
    if (behind === ABSENT) return undefined;
    if (behind !== undefined) return this.#memory.attributes.attributes(behind);
    const base = this.#base(prefix);
    return base?.toldSets.read(base.toldTo(this.peer, prefix));
  }

  isPending(prefix: number): boolean {
    return this.#standing.rib.isDue(prefix) || !this.#hasWanted(prefix, this.#behind.get(prefix), this.#base(prefix));
  }

  pathsOf(prefix: number): readonly number[] {
    const hasSome = this.#hasSome(prefix, this.#behind.get(prefix), this.#base(prefix));
    return hasSome || this.isPending(prefix) ? ONE_PATH : NO_PATHS;
  }

  /** Tells from now on what another group is told, as far as it differs. */
  moveTo(rib: SharedRibOut): void {
    this.#part();
    this.#standing = { rib, row: 0, base: this.#standing, isAgain: this.isTellingAgain };
    rib.part(this);
  }

  /** Everything is to be said once more. RFC 2918 §4. */
  tellAgain(): void {
    this.#part();
    this.#standing = { rib: this.#standing.rib, row: 0, base: this.#standing, isAgain: true };
  }

  /** It does not keep up with its group. */
  fallBehind(): void {
    this.#part();
  }

  /**
   * What it is to be told by itself, until the batch has `limit` rows. True where there may be more; where there is no
   * more it is told with its group from now on. Not before the group is filled.
   */
  take(limit: number, batch: Batch): boolean {
    if (this.#isTogether || !this.#standing.rib.isFilled) return false;
    if (this.#standing.row !== ALL) return this.#walk(limit, batch);
    for (const [prefix, has] of this.#behind.round()) {
      this.#drop(prefix, has);
      this.#say(prefix, has !== ABSENT, batch);
      if (batch.size >= limit) return true;
    }
    this.#isTogether = true;
    this.#standing.rib.join(this);
    return false;
  }

  rowChanged(rib: SharedRibOut, { prefix, before, beforeFrom, after, afterFrom }: RowChange): void {
    if (this.#base(prefix) !== rib) return;
    const had = beforeFrom === this.peer ? ABSENT : before;
    const wanted = afterFrom === this.peer ? ABSENT : after;
    if (had === wanted) return;
    const has = this.#behind.get(prefix);
    if (has === undefined) this.setApart(rib, prefix, had);
    else if (isSame(rib, wanted, has)) this.#forget(prefix, has);
  }

  setApart({ toldSets }: SharedRibOut, prefix: number, has: Told): void {
    this.#memory.prefixes.retain(prefix);
    this.#behind.set(prefix, toldSets.hold(has));
  }

  /** The peer is cut off from its group after a batch in which rows were set apart. */
  strayed(): void {
    this.#part();
    const { rib } = this.#standing;
    for (const [prefix, has] of this.#behind) {
      this.#advertised += Number(has !== ABSENT) - Number(rib.toldTo(this.peer, prefix) !== ABSENT);
    }
  }

  /** The session is over: nobody tells it anything. */
  leave(): void {
    for (let at: Standing | undefined = this.#standing; at !== undefined; at = at.base) at.rib.leave(this);
    this.#isTogether = false;
  }

  /** After `leave`: lets go of some of what it holds; false where it holds nothing. */
  letGo(): boolean {
    for (const [prefix, has] of this.#behind.round()) {
      this.#forget(prefix, has);
      return true;
    }
    return false;
  }

  #part(): void {
    if (!this.#isTogether) return;
    this.#advertised = this.#standing.rib.countFor(this.peer);
    this.#isTogether = false;
    this.#standing.rib.part(this);
  }

  /** Whose rows say what the peer has of a prefix, but for what it is behind; undefined: it has nothing. */
  #base(prefix: number): SharedRibOut | undefined {
    let at: Standing | undefined = this.#standing;
    while (at !== undefined && prefix >= at.row) at = at.base;
    return at?.rib;
  }

  #walk(limit: number, batch: Batch): boolean {
    const standing = this.#standing;
    const { rib, isAgain } = standing;
    for (let idle = 0; batch.size < limit && idle < IDLE_ROWS; idle++) {
      if (standing.row >= rib.rows && !this.#hasRowsBehind(standing)) {
        this.#arrive();
        return true;
      }
      const prefix = standing.row;
      const behind = this.#behind.get(prefix);
      const base = this.#base(prefix);
      const hasSome = this.#hasSome(prefix, behind, base);
      const isDone = !(isAgain && hasSome) && this.#hasWanted(prefix, behind, base);
      standing.row++;
      if (isDone) {
        if (behind !== undefined) this.#forget(prefix, behind);
        continue;
      }
      if (behind === undefined) this.#memory.prefixes.retain(prefix);
      else this.#drop(prefix, behind);
      this.#say(prefix, hasSome, batch);
    }
    return true;
  }

  /** The group that it comes from may have rows that the new one has none of yet. */
  #hasRowsBehind({ row, base }: Standing): boolean {
    for (let at = base; at !== undefined; at = at.base) if (row < at.rib.rows) return true;
    return false;
  }

  #arrive(): void {
    const { rib } = this.#standing;
    for (let at = this.#standing.base; at !== undefined; at = at.base) if (at.rib !== rib) at.rib.leave(this);
    this.#standing = { rib, row: ALL, base: undefined, isAgain: false };
  }

  /** Whether the peer has something of the prefix; `base`: whose rows say so where it is not `behind`. */
  #hasSome(prefix: number, behind: number | undefined, base: SharedRibOut | undefined): boolean {
    if (behind !== undefined) return behind !== ABSENT;
    return base !== undefined && base.toldTo(this.peer, prefix) !== ABSENT;
  }

  /** Whether that is what its group was told. */
  #hasWanted(prefix: number, behind: number | undefined, base: SharedRibOut | undefined): boolean {
    const { rib } = this.#standing;
    const wanted = rib.toldTo(this.peer, prefix);
    if (behind !== undefined) return isSame(rib, wanted, behind);
    if (base === undefined) return wanted === ABSENT;
    return rib.toldSets.isSame(wanted, base.toldSets, base.toldTo(this.peer, prefix));
  }

  /** The batch takes the hold on the prefix over. */
  #say(prefix: number, hasSome: boolean, batch: Batch): void {
    const wanted = this.#standing.rib.toldTo(this.peer, prefix);
    batch.add(prefix, wanted, NO_PEER);
    this.#advertised += Number(wanted !== ABSENT) - Number(hasSome);
  }

  /** It is not behind any more; the hold on the prefix goes elsewhere. */
  #drop(prefix: number, has: number): void {
    this.#behind.delete(prefix);
    if (has !== ABSENT) this.#memory.attributes.release(has);
  }

  #forget(prefix: number, has: number): void {
    this.#drop(prefix, has);
    this.#memory.prefixes.release(prefix);
  }
}

/** Whether a peer that has this set, or ABSENT, has what the group was told. */
const isSame = ({ toldSets }: SharedRibOut, wanted: Told, has: number): boolean =>
  toldSets.isSame(wanted, toldSets, has === ABSENT ? ABSENT : asTold(has));
