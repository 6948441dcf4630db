/** `npm run bench -- plan`: how long a plan takes of a change that concerns all of a thousand nodes. */
import { cpus } from 'node:os';
import { affinityKey } from '../../src/datastore/keys.ts';
import type { Entry } from '../../src/datastore/store.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { planChange, worldOf } from '../../src/plan/plan.ts';
import type { PlanReport } from '../../src/plan/plan.ts';
import { ResourceReader } from '../../src/resources/index.ts';
import type { AnyResource } from '../../src/resources/index.ts';
import { entryOf, resource } from '../support/resources.ts';
import { median } from './rounds.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const NODES = 1000;
const SUBNETS = 4;
const PER_SUBNET = NODES / SUBNETS;
const BLOCKS_PER_NODE = 20;
const REFLECTORS = 2;
const MESH = (NODES * (NODES - 1)) / 2;
/** Those of a reflector with everybody, which the mesh had, too. */
const STAYING = (NODES - REFLECTORS) * REFLECTORS + (REFLECTORS * (REFLECTORS - 1)) / 2;

interface Change {
  readonly name: string;
  readonly before: readonly AnyResource[];
  readonly after: readonly AnyResource[];
  /** What must come out: sessions and routes, all nodes together. */
  readonly expected: Pick<PlanReport['summary'], 'sessions' | 'routes'>;
}

const numbered = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const node = (i: number, bgp: object = {}): AnyResource =>
  resource(
    'Node',
    { name: `node-${String(i).padStart(4, '0')}`, labels: i < REFLECTORS ? { reflector: 'yes' } : {} },
    { bgp: { ipv4Address: `172.16.${Math.floor(i / PER_SUBNET)}.${(i % PER_SUBNET) + 1}/24`, ...bgp } },
  );

const nodes = numbered(NODES).map((i) => node(i));
/** They leave the mesh by it, so that they are no part of the other changes. */
const reflectors = numbered(REFLECTORS).map((i) => node(i, { routeReflectorClusterID: '1.0.0.1' }));

/** /26s of 10.0.0.0/8, one after the other. */
const blocks: readonly Entry[] = nodes.flatMap(({ metadata: { name } }, i) =>
  numbered(BLOCKS_PER_NODE).map((k): Entry => {
    const at = (i * BLOCKS_PER_NODE + k) * 64;
    const cidr = parsePrefix(`10.${at >>> 16}.${(at >>> 8) & 255}.${at & 255}/26`);
    return { key: affinityKey(name, cidr), value: { state: 'confirmed', deleted: false }, revision: 1 };
  }),
);

const pool = (ipipMode: string): AnyResource => resource('IPPool', 'pods', { cidr: '10.0.0.0/8', ipipMode });
const bgp = (spec: object): AnyResource => resource('BGPConfiguration', 'default', spec);
const toReflectors = resource('BGPPeer', 'to-reflectors', {
  nodeSelector: 'all()',
  peerSelector: "reflector == 'yes'",
});

const NO_SESSIONS = { come: 0, go: 0, reset: 0, change: 0 };
const NO_ROUTES = { come: 0, go: 0, lost: 0, changeWay: 0 };

const CHANGES: readonly Change[] = [
  {
    name: 'ipipMode Always → CrossSubnet',
    before: [pool('Always')],
    after: [pool('CrossSubnet')],
    expected: {
      sessions: NO_SESSIONS,
      routes: { ...NO_ROUTES, changeWay: SUBNETS * PER_SUBNET * (PER_SUBNET - 1) * BLOCKS_PER_NODE },
    },
  },
  {
    name: `mesh → ${REFLECTORS} reflectors`,
    before: [pool('Always')],
    after: [pool('Always'), ...reflectors, bgp({ nodeToNodeMeshEnabled: false }), toReflectors],
    expected: {
      sessions: { ...NO_SESSIONS, go: MESH - STAYING, change: STAYING },
      routes: NO_ROUTES,
    },
  },
  {
    name: 'another AS for all of a mesh',
    before: [pool('Always')],
    after: [pool('Always'), bgp({ asNumber: 64600 })],
    expected: { sessions: { ...NO_SESSIONS, reset: MESH }, routes: NO_ROUTES },
  },
];

export const plan: Scenario = {
  name: 'plan',
  run: ({ rounds }: BenchOptions): Report => {
    const samples = CHANGES.map((): Sample[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, change] of CHANGES.entries()) samples[i]!.push(sample(change));
    }
    return {
      heading: [
        `plan: ${NODES} nodes in ${SUBNETS} subnets, ${BLOCKS_PER_NODE} blocks each; ${rounds} rounds; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
        'entries read and compared, in memory',
      ],
      table: [
        ['change', 'median s', 'least s', 'processor s'],
        ...CHANGES.map(({ name }, i) => [
          name,
          formatFigure(median(samples[i]!.map(({ ms }) => ms)) / 1000),
          formatFigure(Math.min(...samples[i]!.map(({ ms }) => ms)) / 1000),
          formatFigure(median(samples[i]!.map(({ cpuMs }) => cpuMs)) / 1000),
        ]),
      ],
      results: {
        ...{ node: process.version, processor: cpus()[0]?.model, nodes: NODES, blocksPerNode: BLOCKS_PER_NODE, rounds },
        changes: CHANGES.map(({ name }, i) => ({ name, samples: samples[i] })),
      },
    };
  },
};

interface Sample {
  readonly ms: number;
  /** Of all threads: on a busy machine it says more than the clock. */
  readonly cpuMs: number;
}

/** From the entries of both worlds to the report. Throws where it says something else than it must. */
function sample({ name, before, after, expected }: Change): Sample {
  /** A later one of the same key stands for an earlier one. */
  const entries = (own: readonly AnyResource[]): readonly Entry[] => [
    ...new Map([...nodes, ...own].map((one) => [`${one.kind} ${one.metadata.name}`, entryOf(one)])).values(),
    ...blocks,
  ];
  const [then, now] = [entries(before), entries(after)];
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  const reader = new ResourceReader();
  const { summary } = planChange(worldOf(then, reader), worldOf(now, reader));
  const [ms, cpu] = [performance.now() - startedAt, process.cpuUsage(cpuBefore)];
  const found = JSON.stringify({ sessions: summary.sessions, routes: summary.routes });
  if (found !== JSON.stringify(expected)) throw new Error(`${name}: ${found}, not ${JSON.stringify(expected)}`);
  return { ms, cpuMs: (cpu.user + cpu.system) / 1000 };
}
