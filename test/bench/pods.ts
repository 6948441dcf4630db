/** `npm run bench -- pods`: pods one by one, and 250 at once, on one node, through a whole agent in a namespace. */
import { cpus } from 'node:os';
import { makeAgentLab } from '../support/agent-lab.ts';
import { percentile, PodBursts } from '../support/pod-burst.ts';
import type { Burst, BurstPod } from '../support/pod-burst.ts';
import { atMost, missedLines } from './scenario.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** kubelet's own limit is 110. */
const PODS = 250;
/** Before the bursts; the pause lets the agent come to rest. */
const ALONE = { pods: 50, pauseMs: 100 };
/** For all of a burst, by the number of pods; and for the slowest of them. */
const AIMS = { burstMsPerPod: 10, burstP99Ms: 2500 };

interface Measured {
  readonly alone: readonly BurstPod[];
  readonly bursts: readonly Burst[];
}

const timesOf = (made: readonly BurstPod[]): readonly number[] => made.map(({ ms }) => ms);

export const pods: Scenario = {
  name: 'pods',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    const { alone, bursts } = await measure(rounds);
    const row = (name: string, values: readonly number[]): readonly string[] => [
      name,
      ...[50, 99, 100].map((percent) => formatFigure(percentile(values, percent))),
    ];
    const all = bursts.flatMap(({ pods: made }) => timesOf(made));
    const perPod = bursts.map(({ allMs }) => allMs / PODS);
    const aims = [
      atMost('a burst, each pod', percentile(perPod, 50), [AIMS.burstMsPerPod, 'ms']),
      atMost('a burst, p99', percentile(all, 99), [AIMS.burstP99Ms, 'ms']),
    ];
    return {
      heading: [
        `pods: ${ALONE.pods} one by one, then ${PODS} at once on one node, ${rounds} bursts, all reachable; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        'a pod’s time is from the CNI plugin’s request to the answer, when the kernel has its route',
        ...missedLines(aims),
      ],
      table: [
        ['milliseconds', 'median', 'p99', 'longest'],
        row('a pod that comes alone', timesOf(alone)),
        row('a pod of a burst, from its request', all),
        row(
          'the whole burst',
          bursts.map(({ allMs }) => allMs),
        ),
        row('burst / pods', perPod),
      ],
      results: {
        ...{ node: process.version, processor: cpus()[0]?.model, pods: PODS, aloneMs: timesOf(alone) },
        bursts: bursts.map(({ pods: made, allMs }) => ({ allMs, podMs: timesOf(made) })),
      },
      aims,
    };
  },
};

async function measure(rounds: number): Promise<Measured> {
  const lab = new PodBursts(makeAgentLab('ctp'), { prefix: 'ctp-pod', pods: PODS });
  const bursts: Burst[] = [];
  try {
    await lab.start();
    const alone = await lab.oneByOne(ALONE.pods, ALONE.pauseMs);
    await lab.clear();
    for (let i = 0; i < rounds; i++) {
      const burst = await lab.run();
      if (burst.unreachable.length > 0) throw new Error(`no answer from ${burst.unreachable.join(', ')}`);
      bursts.push(burst);
      await lab.clear();
    }
    return { alone, bursts };
  } finally {
    await lab.close();
  }
}
