/** `npm run bench -- reaction`: from the moment that somebody deletes a route of ours until it is back. Needs root: the real kernel. */
import { cpus } from 'node:os';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import type { Kernel } from '../../felix/kernel.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseInterfaceAddress } from '../../src/model/ip.ts';
import type { LearnedRoute } from '../../src/model/route.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { inputs, learned, pool } from '../support/dataplane-inputs.ts';
import { makeNetns } from '../support/netns.ts';
import { median } from './rounds.ts';
import { atMost } from './scenario.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const SIZES = [100, 1000, 10_000, 100_000];
/** Each of another route, so that they make no fight. */
const DELETIONS_PER_ROUND = 5;
const SETTINGS = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const AIM_MS = 100;

interface Result {
  readonly routes: number;
  readonly gapsMs: readonly number[];
}

export const reaction: Scenario = {
  name: 'reaction',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    const results: Result[] = [];
    for (const routes of SIZES) results.push(await measure(routes, rounds * DELETIONS_PER_ROUND));
    return {
      heading: [
        `reaction: ${rounds * DELETIONS_PER_ROUND} deletions each; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        `aim: back within ${AIM_MS} ms`,
      ],
      table: [['routes', 'median ms', 'worst ms'], ...results.map(toRow)],
      results: { node: process.version, processor: cpus()[0]?.model, rounds, results },
      aims: results.map(({ routes, gapsMs }) => atMost(`${routes} routes, median`, median(gapsMs), [AIM_MS, 'ms'])),
    };
  },
};

const toRow = ({ routes, gapsMs }: Result): readonly string[] => [
  String(routes),
  formatFigure(median(gapsMs)),
  formatFigure(Math.max(...gapsMs)),
];

/** A namespace with one host of ours, and `count` blocks that a node in our subnet has. */
async function measure(count: number, deletions: number): Promise<Result> {
  const netns = makeNetns('ctb-reaction');
  const kernels = [createLinuxKernel({ netns: netns.path }), createLinuxKernel({ netns: netns.path })] as const;
  const [ours, others] = kernels;
  const dataplane = createDataplane(SETTINGS, {
    ...{ kernel: ours, clock: systemClock, random: systemRandom, log: silentLogger },
  });
  const stop = new AbortController();
  try {
    await layHost(ours);
    await dataplane.start();
    dataplane.update(inputs({ pools: [pool('10.0.0.0/8')], learned: blocks(count) }));
    await dataplane.settled();
    const back = new Map<string, () => void>();
    const tell = (route: KernelRoute): void => back.get(formatPrefix(route.prefix))?.();
    await others.watch((event) => event.kind === 'route' && event.change === 'set' && tell(event.route), stop.signal);
    const routes = [...(await others.listRoutes())].filter(({ protocol }) => protocol === 80);
    if (routes.length !== count) throw new Error(`${routes.length} routes are in the kernel instead of ${count}`);
    const gapsMs: number[] = [];
    for (let i = 0; i < deletions; i++) {
      const route = routes[Math.floor((i * count) / deletions)]!;
      gapsMs.push(await gap(others, route, back));
    }
    const { counts } = dataplane.repairs();
    if (counts.route !== deletions) throw new Error(`${counts.route} repairs are counted instead of ${deletions}`);
    return { routes: count, gapsMs };
  } finally {
    stop.abort();
    await dataplane.close();
    await others.close();
    netns.remove();
  }
}

/** Milliseconds during which the route was not there. */
async function gap(kernel: Kernel, route: KernelRoute, back: Map<string, () => void>): Promise<number> {
  const prefix = formatPrefix(route.prefix);
  const isBack = new Promise<void>((resolve) => back.set(prefix, resolve));
  const from = performance.now();
  await kernel.writeRoutes([{ op: 'remove', route }]);
  await isBack;
  back.delete(prefix);
  return performance.now() - from;
}

async function layHost(kernel: Kernel): Promise<void> {
  await kernel.createLink({ kind: 'veth', name: 'eth0', peer: { name: 'tor' } });
  for (const { name, index } of await kernel.listLinks()) {
    if (name === 'eth0' || name === 'tor') await kernel.setLink(index, { up: true });
  }
  const ifindex = (await kernel.listLinks()).find(({ name }) => name === 'eth0')!.index;
  await kernel.addAddress({ ifindex, address: parseInterfaceAddress('172.30.1.11/24'), scope: 0 });
}

const blocks = (count: number): readonly LearnedRoute[] =>
  Array.from({ length: count }, (_, i) =>
    learned(`10.${(i >>> 10) & 255}.${(i >>> 2) & 255}.${(i & 3) << 6}/26`, '172.30.1.12'),
  );
