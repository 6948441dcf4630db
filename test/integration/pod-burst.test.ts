/** 250 pods at once on one node; the figures are `npm run bench -- pods`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAgentLab } from '../support/agent-lab.ts';
import { tell } from '../support/chaos-lab.ts';
import { isRoot } from '../support/netns.ts';
import { percentile, PodBursts } from '../support/pod-burst.ts';

const PODS = 250;

describe.skipIf(!isRoot && process.env['CI'] === undefined)('a burst of pods', { timeout: 180_000 }, () => {
  let bursts: PodBursts;

  beforeAll(async () => {
    bursts = new PodBursts(makeAgentLab('ctb'), { prefix: 'ctb-pod', pods: PODS });
    await bursts.start();
  }, 120_000);

  afterAll(() => bursts.close(), 120_000);

  test('all of them have an address of their own and are reached from another node', async () => {
    const { pods, allMs, unreachable } = await bursts.run();
    const times = pods.map(({ ms }) => ms);
    const [median, p99] = [50, 99].map((percent) => percentile(times, percent).toFixed(0));
    tell(`${PODS} pods in ${allMs.toFixed(0)} ms; one pod ${median} ms in the median, p99 ${p99} ms`);
    expect(unreachable).toEqual([]);
    expect(new Set(pods.map(({ address }) => address)).size).toBe(PODS);
  });
});
