/** One contender of the felix scenario in a process of its own, so that its memory is its own: a stage per message, one answer each. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dataplane, Kernel } from '../../felix/index.ts';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import { collectAtRest } from '../../src/runtime/heap-rest.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { PARENT, inputsOf, kernelRoutesOf } from './felix-routes.ts';
import { SkippingClock } from './skipping-clock.ts';

export const STAGES = ['add', 'read', 'change', 'remove'] as const;
export type Stage = (typeof STAGES)[number];
/** Beside the stages: to take the kernel and to leave it to others, what is resident after a collection, the end. */
export interface Request {
  readonly stage: Stage | 'open' | 'close' | 'memory' | 'end';
}

export interface Answer {
  readonly ms: number;
  /** For so long nothing else had its turn. */
  readonly longestTurnMs: number;
  /** Changes written to the kernel, and full lists of its routes read, until the process was quiet again. */
  readonly written: number;
  readonly listed: number;
  /** Octets resident, and the most there ever were. */
  readonly rss: number;
  readonly peak: number;
}

/** What a contender does in each stage, prepared beforehand. */
type Steps = Readonly<Record<Stage, () => Promise<unknown>>> & { readonly close: () => Promise<void> };

const RESYNC_SECONDS = 90;
/** Without a call to the kernel for so long, nothing more is to come. */
const QUIET_MS = 400;

type Inputs = ReturnType<typeof inputsOf>;

const counts = { written: 0, listed: 0, calls: 0 };

/** The port, with what goes through it counted. */
function counted(kernel: Kernel): Kernel {
  return new Proxy(kernel, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...values: unknown[]): unknown => {
        counts.calls++;
        if (name === 'listRoutes') counts.listed++;
        if (name === 'writeRoutes') counts.written += [...(values[0] as Iterable<unknown>)].length;
        return member.apply(target, values);
      };
    },
  });
}

async function kernelSteps(kernel: Kernel): Promise<Steps> {
  const { index } = (await kernel.listLinks()).find(({ name }) => name === PARENT)!;
  const before = kernelRoutesOf(0, index);
  const after = kernelRoutesOf(1, index);
  const write = (op: 'replace' | 'remove', routes: typeof before) => async () => {
    const refused = (await kernel.writeRoutes(routes.map((route) => ({ op, route })))).find((error) => error);
    if (refused !== undefined) throw refused;
  };
  return {
    add: write('replace', before),
    read: () => kernel.listRoutes(),
    change: write('replace', after),
    remove: write('remove', after),
    close: () => kernel.close(),
  };
}

/** Made once: they belong to the process before anything is measured. */
const INPUTS: readonly Inputs[] = process.argv[2] === 'dataplane' ? [undefined, 0, 1].map(inputsOf) : [];

async function dataplaneSteps(kernel: Kernel): Promise<Steps> {
  const clock = new SkippingClock();
  const settings = { resyncSeconds: RESYNC_SECONDS, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
  const ports = { kernel, clock, random: systemRandom, log: silentLogger };
  const dataplane: Dataplane = createDataplane(settings, ports);
  await dataplane.start();
  const [none, before, after] = INPUTS as [Inputs, Inputs, Inputs];
  const update = (wanted: Inputs) => () => {
    dataplane.update(wanted);
    return dataplane.settled();
  };
  await update(none)();
  return {
    add: update(before),
    // The next pass is past the time at which everything is read again.
    read: () => {
      clock.skip(RESYNC_SECONDS * 2000);
      return update(before)();
    },
    change: update(after),
    remove: update(none),
    close: () => dataplane.close(),
  };
}

async function quiet(): Promise<void> {
  for (let seen = -1; seen !== counts.calls;) {
    seen = counts.calls;
    await sleep(QUIET_MS);
  }
}

async function measured(work: () => Promise<unknown>): Promise<Answer> {
  Object.assign(counts, { written: 0, listed: 0 });
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  delays.disable();
  await quiet();
  const { written, listed } = counts;
  const peak = process.resourceUsage().maxRSS * 1024;
  return { ms, longestTurnMs: delays.max / 1e6, written, listed, rss: process.memoryUsage.rss(), peak };
}

if (import.meta.main) {
  const [which = '', netns = ''] = process.argv.slice(2);
  const open = (): Promise<Steps> =>
    (which === 'kernel port' ? kernelSteps : dataplaneSteps)(counted(createLinuxKernel({ netns })));
  let steps: Steps | undefined;
  const obey = async (stage: Request['stage']): Promise<void> => {
    if (stage === 'open') steps = await open();
    else if (stage === 'close') await steps!.close();
    else if (stage === 'memory') collectAtRest(globalThis.gc!);
    else if (stage !== 'end') await steps![stage]();
  };
  process.on('message', ({ stage }: Request) => {
    void measured(() => obey(stage)).then((answer) => {
      process.send!(answer);
      if (stage === 'end') process.disconnect();
    });
  });
  process.send!('ready');
}
