/** `npm run bench -- cluster`: an agent starts in a cluster of a thousand nodes that run already; how its cost grows with their number. */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { HAS_ETCD } from '../support/etcd-server.ts';
import { isRoot } from '../support/netns.ts';
import { ClusterLab } from './cluster-lab.ts';
import type { StartSample } from './cluster-lab.ts';
import type { ClusterShape } from './cluster-data.ts';
import { median } from './rounds.ts';
import { atMost, missedLines } from './scenario.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const SIZES = [250, 500, 1000];
const PEERINGS = ['mesh', 'reflectors'] as const;
/** With so many nodes. */
const AIMS = { nodes: 1000, routesSeconds: 10, rssMb: 150 };
/** How often a start is measured of each size and peering: each takes some seconds, and a new lab some more. */
const MOST_ROUNDS = 3;

interface Result {
  readonly shape: ClusterShape;
  readonly samples: readonly StartSample[];
}

export const cluster: Scenario = {
  name: 'cluster',
  run: async ({ rounds: asked }: BenchOptions): Promise<Report> => {
    if (!isRoot) throw new Error('cluster needs root: it works in network namespaces of its own');
    if (!HAS_ETCD) throw new Error('cluster needs /usr/bin/etcd (Debian: etcd-server)');
    if (!existsSync('dist/calico-node-ts.mjs'))
      throw new Error('cluster starts what npm run build makes: run it first');
    const rounds = Math.min(asked, MOST_ROUNDS);
    const results: Result[] = [];
    for (const peering of PEERINGS) {
      for (const nodes of SIZES) results.push(await measure({ nodes, peering }, rounds));
    }
    const aims = results.flatMap(aimsOf);
    return {
      aims,
      heading: [
        `cluster: one agent starts among nodes with 20 blocks each, real etcd, real kernel; ${rounds} starts, medians; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        'every route is verified by iproute2, and every peer has heard of this node’s blocks',
        ...missedLines(aims),
      ],
      table: [
        ['peering', 'nodes', 'sessions', 'all up s', 'all routes s', 'processor s', 'growth', 'RSS MB', 'peak MB'],
        ...results.map((result, i) => row(result, results[i - 1])),
      ],
      results: { node: process.version, processor: cpus()[0]?.model, rounds, results },
    };
  },
};

async function measure(shape: ClusterShape, rounds: number): Promise<Result> {
  const lab = new ClusterLab(shape);
  try {
    await lab.start();
    const samples: StartSample[] = [];
    for (let round = 0; round < rounds; round++) {
      samples.push(await lab.measureStart());
      await lab.reset();
    }
    return { shape, samples };
  } finally {
    await lab.close();
  }
}

const middle = ({ samples }: Result, field: keyof StartSample): number =>
  median(samples.map((sample) => sample[field]));

/** `growth`: of processor time, by how much it grew for each doubling of the nodes; 2.0 is in proportion. */
function row(result: Result, smaller: Result | undefined): readonly string[] {
  const { nodes, peering } = result.shape;
  const isSame = smaller?.shape.peering === peering;
  return [
    ...[peering, String(nodes), String(peering === 'mesh' ? nodes - 1 : 2)],
    ...(['sessionsMs', 'routesMs', 'cpuMs'] as const).map((field) => formatFigure(middle(result, field) / 1000)),
    isSame ? formatFigure(middle(result, 'cpuMs') / middle(smaller, 'cpuMs')) : '',
    ...(['rssMb', 'peakMb'] as const).map((field) => formatFigure(middle(result, field))),
  ];
}

function aimsOf(result: Result): readonly Aim[] {
  const { nodes, peering } = result.shape;
  if (nodes !== AIMS.nodes) return [];
  const where = `${peering} of ${nodes} nodes`;
  return [
    atMost(`${where}: all routes`, middle(result, 'routesMs') / 1000, [AIMS.routesSeconds, 's']),
    atMost(`${where}: resident then`, middle(result, 'rssMb'), [AIMS.rssMb, 'MB']),
  ];
}
