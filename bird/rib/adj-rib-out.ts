import type { PathAttributes } from '../wire.ts';
import type { AttributeCache } from './attribute-cache.ts';
import { ABSENT } from './int-table.ts';
import type { RibMemory } from './lane.ts';
import type { PathTable } from './path-table.ts';
import { ToldLane } from './told-lane.ts';

/** The path of a prefix where the peer takes one alone. */
export const ONLY_PATH = 0;

/** What one peer was told in one family, for those who ask. RFC 4271 §3.2. */
export interface AdjRibOut {
  /** The peer takes several paths of a prefix: ADD-PATH, RFC 7911. Then a path is named by the number of its source. */
  readonly hasPaths: boolean;
  /** Paths; without ADD-PATH these are prefixes. */
  readonly advertised: number;
  /** The attributes that the peer has. */
  told(prefix: number, path: number): PathAttributes | undefined;
  isPending(prefix: number, path: number): boolean;
  /** The paths of the prefix that the peer has, or is to hear something about. */
  pathsOf(prefix: number): readonly number[];
}

/** Of a peer whose session is down. */
export const NOTHING_TOLD: AdjRibOut = {
  hasPaths: false,
  advertised: 0,
  told: () => undefined,
  isPending: () => false,
  pathsOf: () => [],
};

export interface PathsOutMemory extends RibMemory {
  readonly paths: PathTable;
}

/** The Adj-RIB-Out of a peer with ADD-PATH: a row for each path, and what it is still to be told. */
export class PathsOut implements AdjRibOut {
  readonly hasPaths = true;
  readonly #rows: ToldLane;
  readonly #paths: PathTable;
  readonly #attributes: AttributeCache;

  constructor({ attributes, paths }: PathsOutMemory) {
    this.#paths = paths;
    this.#attributes = attributes;
    this.#rows = new ToldLane(paths, attributes);
  }

  get advertised(): number {
    return this.#rows.advertised;
  }

  get hasPending(): boolean {
    return this.#rows.hasPending;
  }

  /** The peer shall have this path (undefined: none). True where something is to be sent now. */
  want(prefix: number, path: number, attributes: number | undefined): boolean {
    const row = this.#paths.find(prefix, path);
    if (row !== ABSENT) return this.#rows.want(row, attributes);
    return attributes !== undefined && this.#rows.want(this.#paths.intern(prefix, path), attributes);
  }

  pathsOf(prefix: number): readonly number[] {
    return this.#paths
      .of(prefix)
      .filter((row) => this.#rows.has(row))
      .map((row) => this.#paths.sourceOf(row));
  }

  told(prefix: number, path: number): PathAttributes | undefined {
    const row = this.#paths.find(prefix, path);
    const told = row === ABSENT ? ABSENT : this.#rows.told(row);
    return told === ABSENT ? undefined : this.#attributes.attributes(told);
  }

  isPending(prefix: number, path: number): boolean {
    const row = this.#paths.find(prefix, path);
    return row !== ABSENT && this.#rows.isPending(row);
  }

  /**
   * One message's worth, withdrawals first: `begin` gets the attribute set (undefined: withdraw), then `fits` each prefix
   * with its path until it answers false; what fitted counts as told. False where nothing waits.
   */
  take(begin: (attributes: number | undefined) => void, fits: (prefix: number, path: number) => boolean): boolean {
    const paths = this.#paths;
    return this.#rows.take(begin, (row) => fits(paths.prefixOf(row), paths.sourceOf(row)));
  }

  /** The peer asks for everything again: what it has of this prefix is to be said once more. RFC 2918 §4. */
  tellAgain(prefix: number, path: number, wanted: number | undefined): void {
    const row = this.#paths.find(prefix, path);
    if (row !== ABSENT) this.#rows.tellAgain(row, wanted);
  }

  /** How many calls of `letGo` it takes when the session is gone, and nobody uses this any more. */
  get slots(): number {
    return this.#rows.slots;
  }

  /** Lets go of what one slot holds; true where it held something. */
  letGo(slot: number): boolean {
    return this.#rows.letGo(slot);
  }
}
