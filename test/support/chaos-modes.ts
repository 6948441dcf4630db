/** The pool's mode changed again and again on every host, under traffic. */
import { expect, test } from 'vitest';
import type { Encapsulation } from './chaos-lab.ts';
import { PAIRS, randomOf, shuffled, tell } from './chaos-lab.ts';
import type { DataplaneLab } from './dataplane-lab.ts';
import { HOSTS, poolOf } from './dataplane-lab.ts';
import { inWords, pingWhile, unexplainedLossOf } from './pinger.ts';
import type { Modes } from './route-oracle.ts';
import { expectedRoutes, kernelRoutes } from './route-oracle.ts';

const SWITCHES = 20;
/** Answers on every flow between two switches. */
const ANSWERS = 20;

export function testModes(lab: DataplaneLab, { modes }: Encapsulation, seeds: readonly number[]): void {
  test.each(seeds)(
    'the mode switched 20 times, seed %i: no packet is lost, no route is ever gone (CHAOS_SEED)',
    async (seed) => {
      const random = randomOf(seed);
      const began = performance.now();
      let current: Modes = modes[1]!;
      const heard = new Map<string, string>();
      const switchAll = async (answers: (count: number) => Promise<void>): Promise<void> => {
        for (let i = 0; i < SWITCHES; i++) {
          current = random.pick(modes.filter((mode) => mode !== current));
          for (const host of shuffled(HOSTS, random)) {
            await lab.update(host, { pools: [poolOf(current)] });
            expect(kernelRoutes(lab, host)).toEqual(expectedRoutes(host, current));
          }
          await answers(ANSWERS);
        }
      };
      const reports = await pingWhile(lab.flows(...PAIRS), async ({ answers }) => {
        // The monitors of all hosts around the same work.
        const watched = HOSTS.reduce<() => Promise<void>>(
          (work, { name }) =>
            async () =>
              void heard.set(name, await lab.monitored(name, work)),
          () => switchAll(answers),
        );
        await watched();
      });
      tell(
        `${SWITCHES} switches of seed ${seed} in ${((performance.now() - began) / 1000).toFixed(1)} s; ${inWords(reports)}`,
      );
      expect(unexplainedLossOf(reports)).toEqual({});
      for (const { name } of HOSTS) expect(deletedBlocks(heard.get(name) ?? '')).toEqual([]);
    },
  );
}

/** Lines of `ip monitor` that say that a way to another host's pods is gone. */
function deletedBlocks(heard: string): readonly string[] {
  expect(heard).toContain('proto 80');
  const blocks = HOSTS.map(({ block }) => block);
  return heard.split('\n').filter((line) => /^Deleted/.test(line) && blocks.some((block) => line.includes(block)));
}
