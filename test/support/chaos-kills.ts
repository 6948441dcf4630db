/** kill -9 in the middle of an apply, again and again, under traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import type { Random } from '../fuzz/random.ts';
import type { Encapsulation } from './chaos-lab.ts';
import { PAIRS, randomOf, tell } from './chaos-lab.ts';
import { learned } from './dataplane-inputs.ts';
import { countDrops, risen } from './kernel-drops.ts';
import type { DataplaneLab, LabHost } from './dataplane-lab.ts';
import { HOSTS, poolOf } from './dataplane-lab.ts';
import type { PingReport } from './pinger.ts';
import { inWords, pingWhile, unexplainedLossOf } from './pinger.ts';
import type { Learnt, Modes } from './route-oracle.ts';
import { expectedRoutes, kernelRoutes } from './route-oracle.ts';

/** So that one apply is a batch of some size: prefixes beside the blocks, whose owners change. */
const MORE_PREFIXES = 60;
/** Two thirds of them have a new owner each time; hardly ever fewer than this. */
const LEAST_WRITES = 30;

interface Kills {
  readonly seeds: readonly number[];
  readonly kills: number;
  /** On a machine on which the kills take longer than `ms`, so many of them will do. */
  readonly orAfter?: { readonly ms: number; readonly kills: number };
}

interface Wish {
  readonly modes: Modes;
  readonly more: readonly Learnt[];
}

export function testKills(lab: DataplaneLab, encapsulation: Encapsulation, { seeds, kills, orAfter }: Kills): void {
  test.each(seeds)(
    `killed ${kills} times in the middle of an apply, seed %i: no packet is lost and the kernel is right (CHAOS_SEED)`,
    async (seed) => {
      const random = randomOf(seed);
      const siege = new Siege(lab, random);
      const began = performance.now();
      const goal = (): number =>
        orAfter !== undefined && performance.now() - began > orAfter.ms ? orAfter.kills : kills;
      const before = countDrops(lab.spaces);
      let after = before;
      const reports = await pingWhile(lab.flows(...PAIRS), async () => {
        while (siege.killed < goal()) await siege.round(wish(encapsulation, random));
        after = countDrops(lab.spaces);
      });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      tell(`${siege.killed} kills of seed ${seed} in ${seconds} s, ${siege.inWords()}; ${inWords(reports)}`);
      expect(
        unexplainedLossOf(reports),
        `${siege.around(reports)}\ncounted: ${risen(before, after)}\n${inWords(reports)}`,
      ).toEqual({});
      await expectRight(lab, siege.wish);
    },
  );
}

function wish({ modes }: Encapsulation, random: Random): Wish {
  const more = Array.from({ length: MORE_PREFIXES }, (_, i) => ({
    prefix: `192.168.${100 + i}.0/26`,
    owner: random.pick(HOSTS),
  }));
  return { modes: random.pick(modes), more };
}

const inputsOf = ({ modes, more }: Wish, host: LabHost): Partial<DataplaneInputs> => ({
  pools: [poolOf(modes)],
  learned: [...HOSTS.map(({ block: prefix, address }) => ({ prefix, address })), ...more.map(asLearned)]
    .filter(({ address }) => address !== host.address)
    .map(({ prefix, address }) => learned(prefix, address)),
});

const asLearned = ({ prefix, owner }: Learnt) => ({ prefix, address: owner.address });

class Siege {
  readonly #lab: DataplaneLab;
  readonly #random: Random;
  /** How long the last apply took, and the last life from its birth to the end of its first apply. */
  readonly #lastMs = { apply: 20, life: 150 };
  readonly #count = { write: 0, apply: 0, life: 0, late: 0 };
  /** What was done to whom, and when; Unix time in milliseconds. */
  readonly #diary: { readonly atMs: number; readonly what: string }[] = [];
  wish: Wish = { modes: {}, more: [] };

  constructor(lab: DataplaneLab, random: Random) {
    this.#lab = lab;
    this.#random = random;
  }

  /** Kills that came before the apply's end. */
  get killed(): number {
    return this.#count.write + this.#count.apply + this.#count.life;
  }

  /** Everybody gets the wish, most of them are killed over it, and successors carry it out. */
  async round(wanted: Wish): Promise<void> {
    this.wish = wanted;
    this.#note(`all: ${JSON.stringify(wanted.modes)}`);
    await Promise.all(HOSTS.map((host) => this.#carryOut(host, this.#random.chance(80))));
  }

  inWords(): string {
    const { write, apply, life, late } = this.#count;
    return `${write} between two writes, ${apply} by the clock, ${life} by the clock in a new process, ${late} too late`;
  }

  /** What was done in the twenty seconds before each loss, and while it lasted. */
  around(reports: ReadonlyMap<string, PingReport>): string {
    return [...reports]
      .flatMap(([flow, { lost, lostBetween, remarks }]) => [
        ...remarks.map((remark) => `${flow}: ${remark}`),
        ...lost.map((number, i) => {
          const [from, to] = lostBetween[i]!;
          const deeds = this.#diary.filter(({ atMs }) => atMs > from - 20_000 && atMs < to);
          const told = deeds.map(({ atMs, what }) => `${(atMs - from).toFixed(0)} ms ${what}`).join('; ');
          return `${flow} lost ${number} within ${(to - from).toFixed(0)} ms of ${new Date(from).toISOString()}: ${told}`;
        }),
      ])
      .join('\n');
  }

  #note(what: string): void {
    this.#diary.push({ atMs: Date.now(), what });
  }

  async #carryOut(host: LabHost, isVictim: boolean): Promise<void> {
    const began = performance.now();
    if (!isVictim) {
      await this.#lab.update(host, inputsOf(this.wish, host));
      this.#note(`${host.name} updated`);
      this.#lastMs.apply = performance.now() - began;
      return;
    }
    await this.#kill(host);
    const reborn = performance.now();
    this.#note(`${host.name} starts anew`);
    await this.#lab.restart(host, inputsOf(this.wish, host));
    this.#note(`${host.name} settled anew`);
    this.#lastMs.life = performance.now() - reborn;
  }

  async #kill(victim: LabHost): Promise<void> {
    const way = this.#random.pick(['write', 'write', 'apply', 'life'] as const);
    const inputs = inputsOf(this.wish, victim);
    const point = this.#random.below(1000) / 1000;
    if (way === 'life') await this.#lab.kill(victim);
    const apply = {
      // The same seed dies at the same write.
      write: () => this.#lab.updateAndDie(victim, inputs, Math.floor(point * LEAST_WRITES)),
      apply: () => this.#lab.update(victim, inputs),
      life: () => this.#lab.restart(victim, inputs),
    }[way];
    const isDone = apply().then(
      () => true,
      () => false,
    );
    if (way !== 'write') await Promise.race([isDone, sleep(point * this.#lastMs[way])]);
    else await isDone;
    await this.#lab.kill(victim);
    this.#note(`${victim.name} killed, ${way}`);
    this.#count[(await isDone) ? 'late' : way]++;
  }
}

/** Against what we worked out by hand, and against what fresh processes want; these find nothing to do. */
async function expectRight(lab: DataplaneLab, { modes, more }: Wish): Promise<void> {
  for (const host of HOSTS) {
    expect(kernelRoutes(lab, host)).toEqual(expectedRoutes(host, modes, more));
    const heard = await lab.monitored(host.name, async () => {
      const { routes } = await lab.restart(host, inputsOf({ modes, more }, host));
      expect(routes.filter(({ state }) => state !== 'programmed')).toEqual([]);
      expect(routes.filter(({ route }) => route.prefix.address.family === 4)).toHaveLength(
        kernelRoutes(lab, host).length,
      );
    });
    expect(heard).toBe('');
  }
}
