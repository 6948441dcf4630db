import { Holders } from './holders.ts';
import { ABSENT } from './int-table.ts';
import type { RibMemory } from './lane.ts';
import { ToldLane } from './told-lane.ts';

/** The path of a prefix where the peer takes one alone. */
export const ONLY_PATH = 0;

const NO_PATHS: readonly number[] = [];
const ONE_PATH: readonly number[] = [ONLY_PATH];

/** The attribute set that the peer shall have for a path of a prefix; undefined: none. */
export type Wanted = (prefix: number, path: number) => number | undefined;

/**
 * What one peer was told in one family, and what it is still to be told. A peer that takes several paths for a prefix
 * (ADD-PATH, RFC 7911) has a lane for each source of paths, by the number of the source; any other has one lane.
 */
export class AdjRibOut {
  readonly #memory: RibMemory;
  readonly #lanes = new Map<number, ToldLane>();
  readonly #only: ToldLane;
  /** Lanes in which something waits, each once; only with ADD-PATH, where a peer may have very many. */
  readonly #waiting = new Set<number>();
  /** Which lanes have a prefix; only with ADD-PATH. */
  #paths: Holders | undefined;

  constructor(memory: RibMemory) {
    this.#memory = memory;
    this.#only = new ToldLane(memory);
    this.#lanes.set(ONLY_PATH, this.#only);
  }

  /** For a session that begins, when nothing is told yet. */
  begin(addPath: boolean): void {
    this.clear();
    this.#paths = addPath ? new Holders() : undefined;
    this.#waiting.clear();
    if (addPath) this.#lanes.clear();
    else this.#lanes.set(ONLY_PATH, this.#only);
  }

  /** Whether there is a lane for each source. */
  get hasPaths(): boolean {
    return this.#paths !== undefined;
  }

  /** Paths; without ADD-PATH these are prefixes. */
  get advertised(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.advertised;
    return sum;
  }

  get hasPending(): boolean {
    return this.#paths === undefined ? this.#only.hasPending : this.#waiting.size > 0;
  }

  /** The peer shall have this path (undefined: none). True where something is to be sent now. `path` is ONLY_PATH without ADD-PATH. */
  want(prefix: number, path: number, attributes: number | undefined): boolean {
    if (this.#paths === undefined) return this.#only.want(prefix, attributes);
    const lane = this.#lanes.get(path) ?? (attributes === undefined ? undefined : this.#addLane(path));
    if (lane === undefined) return false;
    const isNews = lane.want(prefix, attributes);
    if (lane.hasPending) this.#waiting.add(path);
    this.#note(prefix, path, lane);
    return isNews;
  }

  /** The paths of the prefix that the peer has, or is to hear something about. */
  pathsOf(prefix: number): readonly number[] {
    if (this.#paths !== undefined) return this.#paths.all(prefix);
    return this.#only.has(prefix) ? ONE_PATH : NO_PATHS;
  }

  /** The attribute set that the peer has, or ABSENT. */
  told(prefix: number, path: number): number {
    return this.#lanes.get(path)?.told(prefix) ?? ABSENT;
  }

  isPending(prefix: number, path: number): boolean {
    return this.#lanes.get(path)?.isPending(prefix) === true;
  }

  /**
   * One message's worth of one path, withdrawals first: `begin` gets the attribute set (undefined: withdraw) and the
   * path, then `fits` each prefix until it answers false; what fitted counts as told. False where nothing waits.
   */
  take(begin: (attributes: number | undefined, path: number) => void, fits: (prefix: number) => boolean): boolean {
    if (this.#paths === undefined) return this.#only.take((attributes) => begin(attributes, ONLY_PATH), fits);
    for (const path of this.#waiting) {
      const lane = this.#lanes.get(path);
      let isWithdrawal = false;
      const taken = lane?.take(
        (attributes) => {
          isWithdrawal = attributes === undefined;
          begin(attributes, path);
        },
        (prefix) => {
          const does = fits(prefix);
          if (does && isWithdrawal) this.#paths?.remove(prefix, path);
          return does;
        },
      );
      if (lane?.isEmpty === true) this.#lanes.delete(path);
      if (lane?.hasPending !== true) this.#waiting.delete(path);
      if (taken === true) return true;
    }
    return false;
  }

  /** The peer asks for everything again. RFC 2918 §4. */
  tellAgain(wanted: Wanted): void {
    for (const [path, lane] of this.#lanes) {
      lane.tellAgain((prefix) => wanted(prefix, path));
      if (this.#paths !== undefined && lane.hasPending) this.#waiting.add(path);
    }
  }

  /** The session is gone, and with it all that the peer was told. */
  clear(): void {
    for (const lane of this.#lanes.values()) lane.clear();
    if (this.#paths === undefined) return;
    this.#lanes.clear();
    this.#waiting.clear();
    this.#paths = new Holders();
  }

  #addLane(path: number): ToldLane {
    const lane = new ToldLane(this.#memory);
    this.#lanes.set(path, lane);
    return lane;
  }

  #note(prefix: number, path: number, lane: ToldLane): void {
    if (lane.has(prefix)) this.#paths?.add(prefix, path);
    else this.#paths?.remove(prefix, path);
  }
}
