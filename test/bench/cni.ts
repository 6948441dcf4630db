/** `npm run bench -- cni`: ADD and DEL as a runtime calls them, beside ptp with host-local in the same namespace. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeAgentLab, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { buildPlugins } from '../support/cni-plugin.ts';
import { environmentOf } from '../support/cni-runtime.ts';
import type { Json } from '../support/cni-runtime.ts';
import { makeNetns } from '../support/netns.ts';
import { percentile } from '../support/pod-burst.ts';
import type { CallerJob } from './cni-caller.ts';
import { median } from './rounds.ts';
import { atMost, missedLines } from './scenario.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const PODS = 50;
const PREFIX = 'ctn-pod';
const DEBIAN = '/usr/lib/cni';
const AIM = 1;

type Verb = 'ADD' | 'DEL';
const MODES = [
  { name: 'alone', parallel: 1 },
  { name: `${PODS} in parallel`, parallel: PODS },
] as const;

interface Contender {
  readonly name: string;
  readonly program: string;
  readonly config: Json;
}

/** Milliseconds of all calls of one round. */
interface Sample {
  readonly contender: string;
  readonly mode: string;
  readonly verb: Verb;
  readonly ms: readonly number[];
}

export const cni: Scenario = {
  name: 'cni',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!existsSync(join(DEBIAN, 'ptp'))) throw new Error(`${DEBIAN}/ptp is not there: containernetworking-plugins`);
    const directory = mkdtempSync(join(tmpdir(), 'calico-ts-bench-'));
    const lab = makeAgentLab('ctn');
    const names = Array.from({ length: PODS }, (_, i) => `${PREFIX}-${i}`);
    try {
      buildPlugins(directory);
      for (const name of names) makeNetns(name);
      return report(await measure(lab, { directory, names, rounds }), rounds);
    } finally {
      await lab.remove();
      removeSpaces(names);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function removeSpaces(names: readonly string[]): void {
  const input = names.map((name) => `netns del ${name}\n`).join('');
  try {
    execFileSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] });
  } catch {
    // Some were not made.
  }
}

async function measure(
  lab: AgentLab,
  { directory, names, rounds }: { directory: string; names: readonly string[]; rounds: number },
): Promise<readonly Sample[]> {
  for (const node of lab.nodes) node.start();
  await untilSettled(lab);
  const [node] = lab.nodes as readonly [LabNode];
  const contenders = [ours(node, directory), theirs(directory)];
  const samples: Sample[] = [];
  // The first round is nobody's: files come into the cache, the agent's code is compiled.
  for (let round = -1; round < rounds; round++) {
    for (const mode of MODES) {
      for (const contender of contenders) {
        for (const verb of ['ADD', 'DEL'] as const) {
          const ms = await callAll(node, contender, { verb, parallel: mode.parallel, names });
          if (round >= 0) samples.push({ contender: contender.name, mode: mode.name, verb, ms });
        }
      }
    }
  }
  return samples;
}

const ours = (node: LabNode, directory: string): Contender => ({
  name: 'calico-cni-ts',
  program: join(directory, `calico-cni-ts-${process.arch}`),
  config: {
    ...{ cniVersion: '1.0.0', name: 'k8s-pod-network', type: 'calico-cni-ts' },
    socket: join(node.environment['CALICO_RUN_DIR']!, 'calico-ts.sock'),
  },
});

const theirs = (directory: string): Contender => ({
  name: 'ptp + host-local',
  program: join(DEBIAN, 'ptp'),
  config: {
    ...{ cniVersion: '1.0.0', name: 'ptp', type: 'ptp' },
    ipam: {
      ...{ type: 'host-local', dataDir: join(directory, 'host-local') },
      ...{ ranges: [[{ subnet: '10.99.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
  },
});

async function callAll(
  node: LabNode,
  { program, config }: Contender,
  { verb, parallel, names }: { verb: Verb; parallel: number; names: readonly string[] },
): Promise<readonly number[]> {
  const stdin = JSON.stringify(config);
  const calls = names.map((name) => ({
    env: {
      ...environmentOf(verb, {
        ...{ containerId: name, netns: `/var/run/netns/${name}` },
        args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${name}`,
      }),
      CNI_PATH: DEBIAN,
    },
    stdin,
  }));
  const job: CallerJob = { program, calls, parallel };
  const command = ['netns', 'exec', node.netns.name, process.execPath, 'test/bench/cni-caller.ts', 'work'];
  const caller = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  caller.stdin.end(JSON.stringify(job));
  const said = await text(caller.stdout);
  if (said === '') throw new Error(`${verb} of ${program} failed\n${node.log().split('\n').slice(-5).join('\n')}`);
  return JSON.parse(said) as readonly number[];
}

function report(samples: readonly Sample[], rounds: number): Report {
  const of = (contender: string, mode: string, verb: Verb): readonly (readonly number[])[] =>
    samples
      .filter((each) => each.contender === contender && each.mode === mode && each.verb === verb)
      .map(({ ms }) => ms);
  const rows = MODES.flatMap(({ name: mode }) =>
    (['ADD', 'DEL'] as const).map((verb) => {
      const [us, them] = ['calico-cni-ts', 'ptp + host-local'].map((contender) => of(contender, mode, verb));
      const ratios = us!.map((ms, i) => percentile(ms, 50) / percentile(them![i]!, 50));
      return { mode, verb, us: us!.flat(), them: them!.flat(), ratio: median(ratios), ratios };
    }),
  );
  const aims = [atMost('ADD alone', rows[0]!.ratio, [AIM, 'times theirs'])];
  return {
    heading: [
      `cni: ${PODS} pods, ${rounds} rounds; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      'from the start of the plugin to its end; the pods’ namespaces are there before',
      ...missedLines(aims),
    ],
    table: [
      ['', 'calico-cni-ts p50 ms', 'p99', 'ptp + host-local p50 ms', 'p99', 'times theirs', 'per round'],
      ...rows.map(({ mode, verb, us, them, ratio, ratios }) => [
        `${verb} ${mode}`,
        ...[us, them].flatMap((ms) => [50, 99].map((percent) => formatFigure(percentile(ms, percent)))),
        ratio.toFixed(2),
        `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
      ]),
    ],
    results: { node: process.version, processor: cpus()[0]?.model, rounds, pods: PODS, samples },
    aims,
  };
}
