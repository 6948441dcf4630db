/** `npm run bench -- pods`: 250 pods started at once on one node, through a whole agent in a namespace. */
import { cpus } from 'node:os';
import { makeAgentLab } from '../support/agent-lab.ts';
import { percentile, PodBursts } from '../support/pod-burst.ts';
import type { Burst } from '../support/pod-burst.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** kubelet's own limit is 110. */
const PODS = 250;

export const pods: Scenario = {
  name: 'pods',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    const bursts = await measure(rounds);
    const all = bursts.flatMap(({ pods: made }) => made.map(({ ms }) => ms));
    const row = (name: string, values: readonly number[]): readonly string[] => [
      name,
      ...[50, 99, 100].map((percent) => formatFigure(percentile(values, percent))),
    ];
    return {
      heading: [
        `pods: ${PODS} at once on one node, ${rounds} bursts, all reachable; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        'a pod’s time is from the CNI plugin’s request to the answer, when the kernel has its route',
      ],
      table: [
        ['milliseconds', 'median', 'p99', 'longest'],
        row('one pod, from its request', all),
        row(
          'the whole burst',
          bursts.map(({ allMs }) => allMs),
        ),
        row(
          'burst / pods',
          bursts.map(({ allMs }) => allMs / PODS),
        ),
      ],
      results: {
        ...{ node: process.version, processor: cpus()[0]?.model, pods: PODS },
        bursts: bursts.map(({ pods: made, allMs }) => ({ allMs, podMs: made.map(({ ms }) => ms) })),
      },
    };
  },
};

async function measure(rounds: number): Promise<readonly Burst[]> {
  const lab = new PodBursts(makeAgentLab('ctp'), { prefix: 'ctp-pod', pods: PODS });
  const bursts: Burst[] = [];
  try {
    await lab.start();
    for (let i = 0; i < rounds; i++) {
      const burst = await lab.run();
      if (burst.unreachable.length > 0) throw new Error(`no answer from ${burst.unreachable.join(', ')}`);
      bursts.push(burst);
      await lab.clear();
    }
  } finally {
    await lab.close();
  }
  return bursts;
}
