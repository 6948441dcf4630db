import type { Lane } from './lane.ts';

/** Makes lane `at` of a peer, known to selection; undefined: there shall be no more. */
export type MakeLane = (at: number) => Lane | undefined;

/**
 * What one peer told us in one family. A peer without ADD-PATH has one path for each prefix and one lane. With ADD-PATH
 * (RFC 7911) a path stays in the lane in which it came first for as long as it lives; the lane is its source for
 * selection.
 */
export class AdjRibIn {
  readonly #makeLane: MakeLane;
  readonly #lanes: Lane[];
  #ignored = 0;

  constructor(first: Lane, makeLane: MakeLane) {
    this.#lanes = [first];
    this.#makeLane = makeLane;
  }

  /** At least one. */
  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  /** Paths; without ADD-PATH these are prefixes. */
  get received(): number {
    return this.#sum((lane) => lane.received);
  }

  get accepted(): number {
    return this.#sum((lane) => lane.accepted);
  }

  get stale(): number {
    return this.#sum((lane) => lane.stale);
  }

  /** Paths beyond the prefix limit. */
  get beyond(): number {
    return this.#sum((lane) => lane.beyond);
  }

  /** Paths that count against the prefix limit. */
  get counted(): number {
    return this.#sum((lane) => lane.counted);
  }

  /** How many announcements came to nothing, since there were more paths for the prefix than lanes. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Where the path stands; undefined where it does not. */
  laneOf(prefix: number, pathId: number | undefined): Lane | undefined {
    if (pathId === undefined) return this.#lanes[0];
    return this.#lanes.find((lane) => lane.pathId(prefix) === pathId);
  }

  /**
   * Where the path stands or is to stand: a path without identifier is left over from a session without ADD-PATH, and
   * gives way, and so does one that is to go. Undefined where no lane is left; it then counts as ignored.
   */
  laneFor(prefix: number, pathId: number | undefined): Lane | undefined {
    if (pathId === undefined) return this.#lanes[0];
    let free: Lane | undefined;
    for (const lane of this.#lanes) {
      const own = lane.pathId(prefix);
      if (own === pathId) return lane;
      if (own === undefined || lane.isDoomed(prefix)) free ??= lane;
    }
    return free ?? this.#addLane();
  }

  /** All but the first that hold the prefix: of a peer without ADD-PATH they are of an earlier session. */
  otherLanes(prefix: number): readonly Lane[] {
    return this.#lanes.length === 1 ? NO_LANES : this.#lanes.slice(1).filter((lane) => lane.has(prefix));
  }

  markStale(): void {
    for (const lane of this.#lanes) lane.markStale();
  }

  #addLane(): Lane | undefined {
    const lane = this.#makeLane(this.#lanes.length);
    if (lane === undefined) this.#ignored++;
    else this.#lanes.push(lane);
    return lane;
  }

  #sum(count: (lane: Lane) => number): number {
    return this.#lanes.reduce((sum, lane) => sum + count(lane), 0);
  }
}

const NO_LANES: readonly Lane[] = [];
