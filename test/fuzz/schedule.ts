import type { FuzzInput } from './mutate.ts';
import { hashOf, Random } from './random.ts';
import type { FuzzTarget } from './targets/target.ts';

/** Which target each index belongs to, and what its input is. The same for every worker. */
export interface Schedule {
  readonly targets: readonly FuzzTarget[];
  targetOf(index: number): FuzzTarget;
  inputOf(index: number): FuzzInput;
}

const SLOTS = 100;

/** One target alone, or all of them by their shares. Throws where there is no target of that name. */
export function scheduleOf(all: readonly FuzzTarget[], only: string | undefined, seed: number): Schedule {
  const targets = all.filter(({ name }) => only === undefined || name === only);
  if (targets.length === 0) {
    throw new Error(`no target ${only ?? ''}; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  const sum = targets.reduce((total, { share }) => total + share, 0);
  const slots = targets.flatMap((target) => Array<FuzzTarget>(Math.ceil((target.share * SLOTS) / sum)).fill(target));
  const streams = new Map(targets.map((target) => [target, hashOf(target.name)]));
  const random = new Random();
  const targetOf = (index: number): FuzzTarget => slots[index % slots.length]!;
  return {
    targets,
    targetOf,
    inputOf: (index) => {
      const target = targetOf(index);
      return target.make(random.reseed(seed, streams.get(target)!, index));
    },
  };
}
