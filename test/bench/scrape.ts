/** `npm run bench -- scrape`: how long a scrape of /metrics holds up the loop, with 100,000 routes and 500 peers. Needs root: the real kernel. */
import { cpus } from 'node:os';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import { AgentHealth } from '../../src/agent/agent-health.ts';
import { AgentMetrics } from '../../src/agent/agent-metrics.ts';
import { emptyResources } from '../../src/resources/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { peerSettings } from '../support/bgp.ts';
import { readExposition } from '../support/exposition.ts';
import { fakeSpeaker } from '../support/fake-speaker.ts';
import { peerView } from '../support/moment.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import { OWN_ADDRESS, PARENT, ROUTES, inputsOf } from './felix-routes.ts';
import { median } from './rounds.ts';
import { atMost } from './scenario.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const PEERS = 500;
const AIM_MS = 10;
/** Not one that is due by itself while it is measured. */
const SETTINGS = { resyncSeconds: 0, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

/** In time of the thread, so that others on the machine do not count. */
interface Scrape {
  readonly longestTurnMs: number;
  readonly totalMs: number;
  readonly samples: number;
}

export const scrape: Scenario = {
  name: 'scrape',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!isRoot) throw new Error('scrape needs root: it works in a network namespace of its own');
    const scrapes = await measure(rounds);
    const [turns, totals] = [scrapes.map((each) => each.longestTurnMs), scrapes.map((each) => each.totalMs)];
    return {
      heading: [
        `scrape: ${ROUTES} routes, ${PEERS} peers of which half are down; time of the thread; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        `aim: no turn of the loop over ${AIM_MS} ms`,
      ],
      table: [
        ['', 'median ms', 'worst ms'],
        ['longest turn', formatFigure(median(turns)), formatFigure(Math.max(...turns))],
        ['whole scrape', formatFigure(median(totals)), formatFigure(Math.max(...totals))],
      ],
      results: { node: process.version, processor: cpus()[0]?.model, routes: ROUTES, peers: PEERS, scrapes },
      aims: [atMost('longest turn of the loop', Math.max(...turns), [AIM_MS, 'ms'])],
    };
  },
};

async function measure(rounds: number): Promise<readonly Scrape[]> {
  const netns = makeNetns('ctb-scrape');
  const kernel = createLinuxKernel({ netns: netns.path });
  const dataplane = createDataplane(SETTINGS, {
    ...{ kernel, clock: systemClock, random: systemRandom, log: silentLogger },
  });
  try {
    netns.run('ip', 'link', 'add', PARENT, 'type', 'veth', 'peer', 'name', 'far');
    netns.run('ip', 'addr', 'add', OWN_ADDRESS, 'dev', PARENT);
    for (const link of ['lo', PARENT, 'far']) netns.run('ip', 'link', 'set', link, 'up');
    await dataplane.start();
    dataplane.update(inputsOf(0));
    await dataplane.settled();
    const metrics = metricsOf(dataplane);
    // The first loads the library.
    await metrics.scrape({ process: true, runtime: true });
    const scrapes: Scrape[] = [];
    // The first is the compiler's.
    for (let i = 0; i <= rounds; i++) scrapes.push(await measureOne(metrics));
    return scrapes.slice(1);
  } finally {
    await dataplane.close();
    netns.remove();
  }
}

function metricsOf(dataplane: Dataplane): AgentMetrics {
  const health = new AgentHealth({ clock: systemClock, dataplane, asBirdReady: false });
  const metrics = new AgentMetrics({ ...{ node: 'a', version: '1', clock: systemClock, dataplane, health } });
  const peers = Array.from({ length: PEERS }, (_, i) =>
    peerView({
      state: i % 2 === 0 ? 'Established' : 'Active',
      settings: peerSettings({ address: `10.0.${i >> 8}.${i & 255}` }),
    }),
  );
  const speaker = fakeSpeaker({
    peers: () => peers,
    explainPeer: () => ({ cause: 'no answer', verdict: '', evidence: [], next: [] }),
  });
  metrics.attend(() => ({
    ...{ view: { entries: new Map(), revision: 1, inSync: true }, counts: { listed: 1, lost: 0 }, isLocked: false },
    ...{ knowledge: { node: 'a', resources: emptyResources(), blocks: [] }, speaker, unmet: 0, settingProblems: 0 },
  }));
  return metrics;
}

async function measureOne(metrics: AgentMetrics): Promise<Scrape> {
  const start = process.threadCpuUsage();
  let [last, longestTurnMs, isDone] = [start, 0, false];
  const turn = (): void => {
    longestTurnMs = Math.max(longestTurnMs, msSince(last));
    last = process.threadCpuUsage();
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const { text } = await metrics.scrape({ process: true, runtime: true });
  isDone = true;
  const totalMs = msSince(start);
  const families = readExposition(text);
  const routes = families.get('calico_ts_routes')?.samples.get('calico_ts_routes{class="no-encap",state="programmed"}');
  if (routes?.value !== ROUTES) throw new Error(`${routes?.value ?? 0} routes are told, ${ROUTES} are there`);
  return { longestTurnMs, totalMs, samples: [...families.values()].reduce((sum, each) => sum + each.samples.size, 0) };
}

function msSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
