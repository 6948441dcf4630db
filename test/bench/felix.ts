/** `npm run bench -- felix`: 100,000 routes through our own rtnetlink, and from inputs to the kernel, beside `ip -batch` doing the same. */
import type { ChildProcess } from 'node:child_process';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';
import type { Answer, Request, Stage } from './felix-process.ts';
import { STAGES } from './felix-process.ts';
import { OWN_ADDRESS, PARENT, ROUTES, batchOf, firstGateway } from './felix-routes.ts';
import { median } from './rounds.ts';
import { atMost, missedLines } from './scenario.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const YARDSTICK = 'ip -batch';
const WHOLE = 'dataplane';
const OURS = ['kernel port', WHOLE] as const;
const AIMS = { timesIp: 1, resyncMs: 500, residentMb: 40 };
const COLUMNS = [
  'stage',
  'contender',
  'ms',
  'routes/s',
  'times ip',
  'per round',
  'longest turn, ms',
  'written',
  'lists',
];
const MB = 1e6;
/** A stage that takes longer has failed. */
const STAGE_LIMIT_MS = 120_000;

interface Sample extends Partial<Answer> {
  readonly ms: number;
}

interface Result {
  readonly stage: Stage;
  readonly contender: string;
  readonly roundMs: readonly number[];
  readonly medianMs: number;
  /** How many times as long as `ip -batch` of the same round. */
  readonly roundTimesIp: readonly number[];
  readonly longestTurnMs?: number;
  readonly written?: number;
  readonly listed?: number;
}

interface Memory {
  readonly contender: string;
  /** Over what the process had with its inputs, before the first route: MB after the first reading back, the same collected, and the peak. */
  readonly growthMb: number;
  readonly collectedMb: number;
  readonly peakMb: number;
}

interface Contender {
  readonly name: string;
  /** Before its first stage of a round, and after its last. A dataplane that watched others at work would undo it. */
  readonly turn: (begins: boolean) => Promise<unknown>;
  readonly run: (stage: Stage) => Promise<Sample>;
}

export const felix: Scenario = {
  name: 'felix',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!isRoot) throw new Error('felix needs root: it works in a network namespace of its own');
    const netns = makeNetns('ctb-felix');
    const directory = mkdtempSync(join(tmpdir(), 'ctb-felix-'));
    const children: ChildProcess[] = [];
    try {
      layCable(netns);
      for (const which of OURS) children.push(await startProcess(which, netns));
      return await measure(rounds, { netns, directory, children });
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
      netns.remove();
    }
  },
};

function layCable(netns: TestNetns): void {
  netns.run('ip', 'link', 'add', PARENT, 'type', 'veth', 'peer', 'name', 'far');
  for (const name of [PARENT, 'far']) netns.run('ip', 'link', 'set', name, 'up');
  netns.run('ip', 'address', 'add', OWN_ADDRESS, 'dev', PARENT);
}

interface Lab {
  readonly netns: TestNetns;
  readonly directory: string;
  readonly children: readonly ChildProcess[];
}

async function measure(rounds: number, lab: Lab): Promise<Report> {
  const memory: Memory[] = [];
  for (const [i, name] of OURS.entries()) memory.push(await measureMemory(name, lab.children[i]!));
  const contenders = [ipBatch(lab), ...OURS.map((name, i) => ours(name, lab.children[i]!))];
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, ...contender } of contenders) {
      await contender.turn(true);
      for (const stage of STAGES) {
        const sample = await contender.run(stage);
        checkKernel(stage, name, lab.netns);
        samples.set(`${stage} ${name}`, [...(samples.get(`${stage} ${name}`) ?? []), sample]);
      }
      await contender.turn(false);
    }
  }
  for (const child of lab.children) await end(child);
  const results = STAGES.flatMap((stage) =>
    contenders.map(({ name }) => resultOf(stage, name, (who) => samples.get(`${stage} ${who}`)!)),
  );
  const aims = aimsOf(results, memory);
  return {
    aims,
    heading: [
      `felix: ${ROUTES} routes, ${rounds} rounds, medians; Node ${process.version}, Linux ${release()}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      ...memory.map(memoryLine),
      ...missedLines(aims),
    ],
    table: [COLUMNS, ...results.map(toRow)],
    results: { node: process.version, kernel: release(), processor: cpus()[0]?.model, rounds, results, memory },
  };
}

/** Of the dataplane: inputs to kernel as fast as iproute2 does what it is told, and a full resync that finds nothing. */
function aimsOf(results: readonly Result[], memory: readonly Memory[]): readonly Aim[] {
  const stages = results.filter(({ contender }) => contender === WHOLE);
  const resync = stages.find(({ stage }) => stage === 'read')!;
  const { collectedMb } = memory.find(({ contender }) => contender === WHOLE)!;
  return [
    ...stages.map(({ stage, roundTimesIp }) => atMost(stage, median(roundTimesIp), [AIMS.timesIp, 'times ip -batch'])),
    atMost('read, by itself', resync.medianMs, [AIMS.resyncMs, 'ms']),
    atMost('routes written by a read', resync.written ?? 0, [0, '']),
    atMost('resident for all routes', collectedMb, [AIMS.residentMb, 'MB']),
  ];
}

/** Once, first of all and not timed, so that it warms up too. */
async function measureMemory(contender: string, child: ChildProcess): Promise<Memory> {
  await ask(child, 'open');
  const before = await ask(child, 'memory');
  await ask(child, 'add');
  const after = await ask(child, 'read');
  const collected = await ask(child, 'memory');
  for (const stage of ['change', 'remove', 'close'] as const) await ask(child, stage);
  const over = (octets: number): number => (octets - before.rss) / MB;
  return {
    contender,
    growthMb: over(after.rss),
    collectedMb: over(collected.rss),
    peakMb: over(after.peak),
  };
}

const memoryLine = ({ contender, growthMb, collectedMb, peakMb }: Memory): string =>
  `${contender}: resident memory grew by ${formatFigure(growthMb)} MB, ` +
  `${formatFigure(Math.max(0, collectedMb))} MB after a collection, ${formatFigure(peakMb)} MB at the peak`;

function ipBatch({ netns, directory }: Lab): Contender {
  const files = {
    add: batchOf('add', 0),
    read: 'route show proto 80\n',
    change: batchOf('replace', 1),
    remove: batchOf('del', 1),
  };
  for (const stage of STAGES) writeFileSync(join(directory, stage), files[stage]);
  return {
    name: YARDSTICK,
    turn: () => Promise.resolve(),
    run: (stage) => {
      const start = performance.now();
      const { status, stderr } = spawnSync('ip', ['-n', netns.name, '-batch', join(directory, stage)], {
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`ip -batch ${stage}: ${stderr}`);
      return Promise.resolve({ ms: performance.now() - start });
    },
  };
}

const ours = (name: string, child: ChildProcess): Contender => ({
  name,
  turn: (begins) => ask(child, begins ? 'open' : 'close'),
  run: (stage) => ask(child, stage),
});

/** What iproute2 sees must be what the stage was for. */
function checkKernel(stage: Stage, contender: string, netns: TestNetns): void {
  const listed = spawnSync('ip', ['-n', netns.name, 'route', 'show', 'proto', '80'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  }).stdout.trim();
  const lines = listed === '' ? [] : listed.split('\n');
  const expected = stage === 'remove' ? 0 : ROUTES;
  if (lines.length !== expected)
    throw new Error(`${contender} ${stage}: ${lines.length} routes instead of ${expected}`);
  const gateway = `via ${firstGateway(stage === 'change' ? 1 : 0)} `;
  if (expected > 0 && !lines[0]!.includes(gateway))
    throw new Error(`${contender} ${stage}: '${lines[0]}', not ${gateway}`);
}

function resultOf(stage: Stage, contender: string, samplesOf: (who: string) => readonly Sample[]): Result {
  const samples = samplesOf(contender);
  const ip = samplesOf(YARDSTICK);
  const worst = (field: 'longestTurnMs' | 'written' | 'listed') => Math.max(...samples.map((one) => one[field] ?? 0));
  return {
    stage,
    contender,
    roundMs: samples.map(({ ms }) => ms),
    medianMs: median(samples.map(({ ms }) => ms)),
    roundTimesIp: samples.map(({ ms }, round) => ms / ip[round]!.ms),
    ...(contender !== YARDSTICK && {
      longestTurnMs: median(samples.map(({ longestTurnMs = 0 }) => longestTurnMs)),
      written: worst('written'),
      listed: worst('listed'),
    }),
  };
}

const toRow = ({
  stage,
  contender,
  medianMs,
  roundTimesIp,
  longestTurnMs,
  written,
  listed,
}: Result): readonly string[] => [
  stage,
  contender,
  formatFigure(medianMs),
  formatFigure((ROUTES / medianMs) * 1000),
  formatFigure(median(roundTimesIp)),
  `${formatFigure(Math.min(...roundTimesIp))}-${formatFigure(Math.max(...roundTimesIp))}`,
  ...(longestTurnMs === undefined ? ['', '', ''] : [formatFigure(longestTurnMs), `${written}`, `${listed}`]),
];

async function startProcess(which: string, netns: TestNetns): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'felix-process.ts'), [which, netns.path], { execArgv: [...NODE_FLAGS] });
  await answerOf(child);
  return child;
}

function ask(child: ChildProcess, stage: Request['stage']): Promise<Answer> {
  child.send({ stage } satisfies Request);
  return answerOf(child) as Promise<Answer>;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.send({ stage: 'end' } satisfies Request);
  await ended;
}

/** The next message; an error where the process ends instead. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController();
  const limit = AbortSignal.any([gone.signal, AbortSignal.timeout(STAGE_LIMIT_MS)]);
  const onExit = (): void => gone.abort();
  child.once('exit', onExit);
  try {
    const [message] = (await once(child, 'message', { signal: limit })) as [unknown];
    return message;
  } catch (error) {
    throw new Error('the measured process ended or did not answer', { cause: error });
  } finally {
    child.off('exit', onExit);
  }
}
