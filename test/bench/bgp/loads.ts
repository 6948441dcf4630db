/** The loads, one row each: what the generator does, and which figures of it are shown. Pure. */
import type { DaemonKind } from './daemon.ts';
import type { LoadResult } from './result.ts';
import { numberAt } from './result.ts';
import type { Family } from './topology.ts';

export type Unit = 's' | 'ms' | 'MB' | 'B' | '';

/** One column. The first of a load is the one that ratios are of. */
export interface Figure {
  readonly title: string;
  readonly unit: Unit;
  readonly of: (result: LoadResult) => number | undefined;
}

export interface Load {
  readonly name: string;
  readonly title: string;
  /** The generator's, without the dashes. */
  readonly options: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
  readonly kinds: readonly DaemonKind[];
  readonly family: Family;
  /** `mesh`: injectors are iBGP peers, the monitor stands outside; `reflector`: all are clients. */
  readonly role: 'ebgp' | 'mesh' | 'reflector';
  /** Whether ten sessions more, with hold time 3 and no routes, have their keepalives timed. */
  readonly watched: boolean;
  /** Measured in the runs of this load. */
  readonly within?: string;
}

const figure = (title: string, unit: Unit, path: string): Figure => ({
  ...{ title, unit },
  of: (result) => numberAt(result, path),
});

const sum = (title: string, unit: Unit, paths: readonly string[]): Figure => ({
  ...{ title, unit },
  of: (result) => {
    const values = paths.map((path) => numberAt(result, path));
    return values.every((value) => value !== undefined) ? values.reduce((a, b) => a + b, 0) : undefined;
  },
});

const MEBIBYTE = 2 ** 20;

/** Resident memory of the loaded daemon above what it had with its sessions and no routes, for each route. */
const bytesPerRoute: Figure = {
  ...{ title: 'a route', unit: 'B' },
  of: (result) => {
    const [after, before] = [numberAt(result, 'load.rss_mb'), numberAt(result, 'at_established.rss_mb')];
    const routes = numberAt(result, 'load.expected');
    if (after === undefined || before === undefined || routes === undefined) return undefined;
    return ((after - before) * MEBIBYTE) / routes;
  },
};

const cpu = (where: string, title = 'CPU'): Figure => figure(title, 's', `${where}.dut_cpu_s`);
const memory = (where: string): Figure => figure('RSS', 'MB', `${where}.rss_mb`);
const loaded = (...more: readonly Figure[]): readonly Figure[] => [
  figure('converged', 's', 'load.converged_s'),
  ...more,
  cpu('load'),
  memory('load'),
  figure('RSS peak', 'MB', 'load.hwm_mb'),
];
const served = figure('all peers served', 's', 'load.fanout_s');
const sessionsUp: readonly Figure[] = [
  figure('all sessions up', 's', 'setup.all_s'),
  figure('median session', 's', 'setup.median_s'),
];
const sent: readonly Figure[] = [
  figure('sent and acknowledged', 's', 'load.acked_s'),
  figure('given to the kernel', 's', 'load.injected_s'),
  figure('CPU of the generator', 's', 'load.gen_cpu_s'),
];
const routers: readonly DaemonKind[] = ['router'];
const routersAndRelay: readonly DaemonKind[] = ['router', 'relay'];

type Row = Pick<Load, 'title' | 'options' | 'figures'> & Partial<Load>;
const load = (name: string, row: Row): Load => ({
  ...{ name, kinds: routersAndRelay, family: 4, role: 'ebgp', watched: true },
  ...row,
});

const MILLION = 1_000_000;
const PODS = { mix: 'pod26' } as const;
const manyPeers = { injectors: 1000, prefixes: 20, ...PODS, pack: 20, hold: 90 } as const;

export const LOADS: readonly Load[] = [
  load('G1', {
    title: 'the generator alone: 1 injector, 1,000,000 prefixes, into a sink',
    options: { monitors: 0, prefixes: MILLION },
    ...{ figures: sent, kinds: ['sink'], watched: false },
  }),
  load('G2', {
    title: 'the generator alone: 500 injectors, 4,000 prefixes each, into a sink',
    options: { injectors: 500, monitors: 0, prefixes: 4000 },
    ...{ figures: sent, kinds: ['sink'], watched: false },
  }),
  load('S1', {
    title: '100,000 prefixes from 1 peer to 1 peer',
    options: { prefixes: 100_000 },
    figures: loaded(),
  }),
  load('S1v6', {
    title: 'S1 with IPv6 prefixes over IPv6',
    options: { prefixes: 100_000 },
    ...{ figures: loaded(), family: 6 },
  }),
  load('S2', {
    title: 'a full table: 1,000,000 prefixes from 1 peer to 1 peer',
    options: { prefixes: MILLION, phases: 'load,withdraw' },
    figures: loaded(bytesPerRoute),
  }),
  load('S3', {
    title: 'the same 100,000 prefixes from 10 peers, the best path to 1 peer',
    options: { injectors: 10, prefixes: 100_000, stride: 0 },
    figures: loaded(figure('path changes', '', 'load.mon_path_changes'), figure('settled', 's', 'load.settled_s')),
    kinds: routers,
  }),
  load('S4', {
    title: '200 pod blocks from each of 100 eBGP peers, to all of them and 10 more',
    options: { injectors: 100, monitors: 10, prefixes: 200, ...PODS, pack: 200 },
    figures: loaded(served),
  }),
  load('S4rr', {
    title: 'S4 as route reflector of 110 clients',
    options: { injectors: 100, monitors: 10, prefixes: 200, ...PODS, pack: 200 },
    ...{ figures: loaded(served), role: 'reflector' },
  }),
  load('S5', {
    title: '20,000 prefixes, of which 200 in a second are withdrawn and a second later announced, for 10 s',
    options: { prefixes: 20_000, phases: 'load,churn', 'churn-rate': 200, 'churn-secs': 10 },
    figures: [
      figure('p50', 'ms', 'churn.all.p50_ms'),
      figure('p99', 'ms', 'churn.all.p99_ms'),
      figure('max', 'ms', 'churn.all.max_ms'),
      cpu('churn'),
      memory('churn'),
    ],
  }),
  load('S6', {
    title: 'all 1,000,000 prefixes of S2 withdrawn',
    options: {},
    figures: [figure('all withdrawn', 's', 'withdraw.converged_s'), cpu('withdraw'), memory('withdraw')],
    within: 'S2',
  }),
  load('S7', {
    title: '20 pod blocks from each of 500 eBGP peers, to all of them and 1 more',
    options: { injectors: 500, prefixes: 20, ...PODS, pack: 20 },
    figures: [figure('converged', 's', 'load.converged_s'), ...sessionsUp, ...loaded(served).slice(1)],
  }),
  load('S7h', {
    title: '501 sessions, all connecting at one instant',
    options: { injectors: 500, prefixes: 20, ...PODS, pack: 20, window: 0, phases: 'none' },
    figures: [...sessionsUp, figure('retries', '', 'setup.retries'), cpu('setup')],
    watched: false,
  }),
  load('S8', {
    title: 'idle: just started, then with 2 sessions and no routes',
    options: { prefixes: 0, phases: 'idle' },
    figures: [
      figure('RSS, 2 sessions', 'MB', 'idle.rss_mb'),
      figure('RSS at the start', 'MB', 'at_start.rss_mb'),
      figure('PSS at the start', 'MB', 'at_start.pss_mb'),
      figure('start to listening', 's', 'runner.start_s'),
      cpu('idle', 'CPU in 3 s'),
    ],
    watched: false,
  }),
  load('S9', {
    title: 'a new peer joins and gets 1,000,000 prefixes',
    options: { prefixes: MILLION, late: 1, phases: 'load,join' },
    figures: [figure('joined', 's', 'join.converged_s'), cpu('join'), memory('join')],
    kinds: routers,
  }),
  load('S10', {
    title: 'reset of the one peer that told 100,000 prefixes',
    options: { prefixes: 100_000, phases: 'load,reset' },
    figures: [
      sum('withdrawn and back', 's', ['reset-down.converged_s', 'reset-up.converged_s']),
      figure('all withdrawn', 's', 'reset-down.converged_s'),
      figure('session back', 's', 'reset-up.established_s'),
      figure('all back', 's', 'reset-up.converged_s'),
      cpu('reset-down', 'CPU down'),
      cpu('reset-up', 'CPU up'),
    ],
    kinds: routers,
  }),
  load('M1', {
    title: '20 pod blocks from each of 1,000 iBGP peers in a mesh, to 1 eBGP peer',
    options: manyPeers,
    figures: [
      sum('up and converged', 's', ['setup.all_s', 'load.converged_s']),
      ...sessionsUp.slice(0, 1),
      ...loaded(),
    ],
    ...{ kinds: routers, role: 'mesh' },
  }),
  load('M1rr', {
    title: '20 pod blocks from each of 1,000 clients of a route reflector, to all of them and 1 more',
    options: manyPeers,
    figures: [
      sum('up and all served', 's', ['setup.all_s', 'load.fanout_s']),
      ...sessionsUp.slice(0, 1),
      ...loaded(served),
    ],
    ...{ kinds: routers, role: 'reflector' },
  }),
  load('R1', {
    title:
      '50,000 prefixes from 1 peer to 100, of which 10 stop reading while all is announced and withdrawn again and again',
    options: { monitors: 100, prefixes: 50_000, phases: 'load,withdraw,deaf', deaf: 10, hold: 240 },
    figures: [
      figure('the other 90', 's', 'deaf-load.converged_s'),
      figure('all 100 reading', 's', 'load.converged_s'),
      figure('the 10 caught up', 's', 'deaf-resume.converged_s'),
      memory('load'),
      figure('peak meanwhile', 'MB', 'deaf-rest.hwm_mb'),
      figure('RSS 5 s after', 'MB', 'deaf-rest.rss_mb'),
    ],
    kinds: routers,
  }),
];

/** Throws an Error that names the load that is not known. */
export function loadNamed(name: string): Load {
  const found = LOADS.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`load '${name}' is unknown; known: ${LOADS.map((row) => row.name).join(', ')}`);
  return found;
}
