/** `npm run bench -- start`: an agent of the demo's cluster starts while the others run; when are its sessions up and all routes there? */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { NODES } from '../../src/demo/topology.ts';
import { HAS_ETCD } from '../support/etcd-server.ts';
import { isRoot } from '../support/netns.ts';
import { median } from './rounds.ts';
import { atMost, missedLines } from './scenario.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { KINDS, StartLab } from './start-lab.ts';
import type { StartKind, StartSample } from './start-lab.ts';
import { formatFigure } from './table.ts';

const AIM_MS = 1000;

const WHAT: Readonly<Record<StartKind, string>> = {
  new: 'from an empty kernel',
  restart: 'killed and started again',
};

export const start: Scenario = {
  name: 'start',
  rounds: { standard: 4, least: 1 },
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!isRoot || !HAS_ETCD) throw new Error('start needs root and /usr/bin/etcd (Debian: etcd-server)');
    if (!existsSync('dist/calico-node-ts.mjs')) throw new Error('start starts what npm run build makes: run it first');
    return report(await measure(rounds));
  },
};

/** Each round another node: of a mesh's two ends one calls, so the nodes are not alike. */
async function measure(rounds: number): Promise<readonly StartSample[]> {
  const lab = new StartLab();
  const samples: StartSample[] = [];
  try {
    await lab.raise();
    for (let round = 0; round < rounds; round++) {
      for (const kind of KINDS) samples.push(await lab.measure(kind, NODES[round % NODES.length]!));
    }
    return samples;
  } finally {
    await lab.close();
  }
}

function report(samples: readonly StartSample[]): Report {
  const of = (kind: StartKind): readonly StartSample[] => samples.filter((sample) => sample.kind === kind);
  const row = (kind: StartKind): readonly string[] => {
    const middle = (field: 'startedMs' | 'sessionsMs' | 'ownRoutesMs' | 'otherRoutesMs' | 'doneMs'): string =>
      formatFigure(median(of(kind).map((sample) => sample[field])));
    const done = of(kind).map(({ doneMs }) => doneMs);
    return [
      ...[WHAT[kind], middle('startedMs'), middle('sessionsMs'), middle('ownRoutesMs'), middle('otherRoutesMs')],
      ...[middle('doneMs'), formatFigure(Math.max(...done))],
    ];
  };
  const aims: readonly Aim[] = KINDS.map((kind) =>
    atMost(`${WHAT[kind]}: all there`, median(of(kind).map(({ doneMs }) => doneMs)), [AIM_MS, 'ms']),
  );
  return {
    heading: [
      `start: an agent of the demo's cluster starts, the others run; ${of('new').length} starts of each kind; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      'sessions by the word of the peers, all routes of all six kernels verified by iproute2',
      ...missedLines(aims),
    ],
    table: [
      [
        'from the start of the process, ms',
        'listens',
        'sessions up',
        'own routes',
        "others' routes",
        'all there',
        'longest',
      ],
      ...KINDS.map(row),
    ],
    results: { node: process.version, processor: cpus()[0]?.model, samples },
    aims,
    wrong: samples
      .filter(({ lost }) => lost > 0)
      .map(({ node, lost }) => `${node}: ${lost} routes were gone for a moment while its agent restarted`),
  };
}
