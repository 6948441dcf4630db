import type { RibMemory } from './lane.ts';
import { ABSENT } from './int-table.ts';
import type { PathTable } from './path-table.ts';
import { ToldLane } from './told-lane.ts';

/** The path of a prefix where the peer takes one alone. */
export const ONLY_PATH = 0;

const NO_PATHS: readonly number[] = [];
const ONE_PATH: readonly number[] = [ONLY_PATH];

export interface AdjRibOutMemory extends RibMemory {
  readonly paths: PathTable;
}

/**
 * What one peer was told in one family, and what it is still to be told: a row for each prefix or, where the peer takes
 * several paths of one (ADD-PATH, RFC 7911), for each path, by the number of its source.
 */
export class AdjRibOut {
  readonly #memory: AdjRibOutMemory;
  #rows: ToldLane;
  /** Only with ADD-PATH: what the rows stand for. */
  #paths: PathTable | undefined;

  constructor(memory: AdjRibOutMemory) {
    this.#memory = memory;
    this.#rows = new ToldLane(memory.prefixes, memory.attributes);
  }

  /** For a session that begins, when nothing is told yet. Answers what the last one left: the caller lets go of it. */
  begin(addPath: boolean): ToldLane {
    const left = this.#rows;
    const { prefixes, attributes, paths } = this.#memory;
    this.#paths = addPath ? paths : undefined;
    this.#rows = new ToldLane(this.#paths ?? prefixes, attributes);
    return left;
  }

  get hasPaths(): boolean {
    return this.#paths !== undefined;
  }

  /** Paths; without ADD-PATH these are prefixes. */
  get advertised(): number {
    return this.#rows.advertised;
  }

  get hasPending(): boolean {
    return this.#rows.hasPending;
  }

  /** The peer shall have this path (undefined: none). True where something is to be sent now. `path` is ONLY_PATH without ADD-PATH. */
  want(prefix: number, path: number, attributes: number | undefined): boolean {
    const row = this.#rowOf(prefix, path);
    if (row !== ABSENT) return this.#rows.want(row, attributes);
    return attributes !== undefined && this.#rows.want(this.#paths!.intern(prefix, path), attributes);
  }

  /** The paths of the prefix that the peer has, or is to hear something about. */
  pathsOf(prefix: number): readonly number[] {
    const paths = this.#paths;
    if (paths === undefined) return this.#rows.has(prefix) ? ONE_PATH : NO_PATHS;
    return paths
      .of(prefix)
      .filter((row) => this.#rows.has(row))
      .map((row) => paths.sourceOf(row));
  }

  /** The attribute set that the peer has, or ABSENT. */
  told(prefix: number, path: number): number {
    const row = this.#rowOf(prefix, path);
    return row === ABSENT ? ABSENT : this.#rows.told(row);
  }

  isPending(prefix: number, path: number): boolean {
    const row = this.#rowOf(prefix, path);
    return row !== ABSENT && this.#rows.isPending(row);
  }

  /**
   * One message's worth, withdrawals first: `begin` gets the attribute set (undefined: withdraw), then `fits` each prefix
   * with its path until it answers false; what fitted counts as told. False where nothing waits.
   */
  take(begin: (attributes: number | undefined) => void, fits: (prefix: number, path: number) => boolean): boolean {
    const paths = this.#paths;
    if (paths === undefined) return this.#rows.take(begin, (prefix) => fits(prefix, ONLY_PATH));
    return this.#rows.take(begin, (row) => fits(paths.prefixOf(row), paths.sourceOf(row)));
  }

  /** The peer asks for everything again: what it has of this prefix is to be said once more. RFC 2918 §4. */
  tellAgain(prefix: number, path: number, wanted: number | undefined): void {
    const row = this.#rowOf(prefix, path);
    if (row !== ABSENT) this.#rows.tellAgain(row, wanted);
  }

  /** ABSENT: a path that nobody knows. */
  #rowOf(prefix: number, path: number): number {
    return this.#paths === undefined ? prefix : this.#paths.find(prefix, path);
  }
}
