import type { CodecContext } from '../../../bird/bgp-ts/index.ts';
import type { FuzzInput, Seed } from '../mutate.ts';
import type { Random } from '../random.ts';

/** One way into the code under test. */
export interface FuzzTarget {
  readonly name: string;
  /** Its part of all inputs, out of the sum of all shares. */
  readonly share: number;
  /** What its inputs are made of; the corpus is part of what a seed means. */
  readonly seeds: readonly Seed[];
  /** The next input of `random`, and nothing but that. */
  make(random: Random): FuzzInput;
  /** What came out, as a short name to count by. Throws where a promise was broken. */
  run(octets: Uint8Array, session: CodecContext): string;
}
