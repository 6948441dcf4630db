import type { NlriVisitor } from '../../bird/bgp-ts/index.ts';

/** Counts prefixes and sums them up, so that two ways through the same bytes can be held against each other. */
export interface Tally {
  /** Takes one prefix, IPv4 in `w0`, the other words then 0. The order counts, too. */
  readonly visit: NlriVisitor;
  reset(): void;
  /** `1000000 prefixes, checksum 5d3f09aa`. */
  text(): string;
}

export function createTally(): Tally {
  let count = 0;
  let sum = 0;
  // The products do not wait for each other, so that the sum costs a walk little. The factors are odd and arbitrary.
  // eslint-disable-next-line max-params -- NlriVisitor's shape
  const visit: NlriVisitor = (pathId, w0, w1, w2, w3, length) => {
    count++;
    const words =
      Math.imul(w0, 0x2c1b3c6d) ^ Math.imul(w1, 0x297a2d39) ^ Math.imul(w2, 0x3c6ef373) ^ Math.imul(w3, 0x1b873593);
    sum = Math.imul(sum ^ words, 0x01000193) + ((pathId << 8) | length);
    sum |= 0;
  };
  return {
    visit,
    reset: () => {
      count = 0;
      sum = 0;
    },
    text: () => `${count} prefixes, checksum ${(sum >>> 0).toString(16).padStart(8, '0')}`,
  };
}
