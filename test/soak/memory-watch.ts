/** Whether the speaker's memory is flat once it has seen everything: after the first third of the time. */
import type { SpeakerMemory } from '../support/speaker-process.ts';

const GROWTH_SHARE = 0.15;
const GROWTH_MEGABYTES = 10;

/** Resident, and what is alive in it, which shows a leak long before. MB. */
interface Sample {
  readonly share: number;
  readonly rss: number;
  readonly live: number;
}

export type Measure = 'rss' | 'live';

export class MemoryWatch {
  readonly #samples: Sample[] = [];

  /** `share`: how much of the time has passed, 0 to 1. Garbage was collected before. */
  add(share: number, { rss, heap, buffers }: SpeakerMemory): void {
    this.#samples.push({ share, rss, live: heap + buffers });
  }

  /** The most of the first third. */
  before(measure: Measure): number {
    const early = this.#samples.filter(({ share }, i) => i === 0 || share <= 1 / 3);
    return Math.max(...early.map((sample) => sample[measure]));
  }

  /** The last. */
  after(measure: Measure): number {
    return this.#samples.at(-1)?.[measure] ?? 0;
  }

  /**
   * A sentence for each measure that grew beyond 15 % and 10 MB. What is resident says nothing in the first minutes, in
   * which the runtime finds out how much room it wants: `measures` leaves it out where a run is short.
   */
  faults(measures: readonly Measure[]): readonly string[] {
    return measures.flatMap((measure) => {
      const [before, after] = [this.before(measure), this.after(measure)];
      const bound = before * (1 + GROWTH_SHARE) + GROWTH_MEGABYTES;
      if (after <= bound) return [];
      const text = `${before.toFixed(1)} MB in the first third, ${after.toFixed(1)} MB at the end`;
      return [`memory, ${measure}: ${text}, ${bound.toFixed(1)} MB allowed`];
    });
  }
}
