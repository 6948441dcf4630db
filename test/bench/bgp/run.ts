/** One daemon under one load, once, in namespaces and a folder of its own; nothing is left of it. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedDaemon, RunContext } from './daemon.ts';
import { listens } from './daemon.ts';
import { endpoint } from './daemons/relay.ts';
import { generatorProgram } from './generator-program.ts';
import { makeLink } from './link.ts';
import type { Link } from './link.ts';
import type { Load } from './loads.ts';
import { isInside, startIn, treeOf } from './processes.ts';
import type { RunningProcess } from './processes.ts';
import { failure, parseResult } from './result.ts';
import type { LoadResult } from './result.ts';
import { ADDRESSES, DAEMON_ASN, FIRST_ASN, peersOf, PORT, WATCHERS } from './topology.ts';
import { remember } from './undo.ts';

export const FOLDER_PREFIX = 'calico-ts-load-';
const READY_SECONDS = 20;
const GENERATOR_SECONDS = 110;
/** So that what a daemon still does after its start is not measured. */
const SETTLE_MS = 1000;

/** Options of the generator that are not the load's, such as a shorter patience. */
export type MoreOptions = Readonly<Record<string, string | number>>;

/** A daemon that fails is a result, not an error; throws where the run itself cannot be made. */
export async function runOnce(daemon: LoadedDaemon, load: Load, more: MoreOptions = {}): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-${daemon.name}-`));
  const removeFolder = remember(() => rmSync(folder, { recursive: true, force: true }));
  try {
    // Daemons that give up root must find their files.
    chmodSync(folder, 0o755);
    const peers = peersOf(load);
    const context: RunContext = {
      ...{ folder, family: load.family, addresses: ADDRESSES[load.family], peers },
      isReflector: load.role === 'reflector',
    };
    for (const [name, content] of Object.entries(daemon.configure(context))) {
      writeFileSync(join(folder, name), content, { mode: daemon.name === 'openbgpd' ? 0o600 : 0o644 });
    }
    const link = makeLink(load.family, peers);
    try {
      return await underLoad({ daemon, load, context, link, more });
    } finally {
      link.remove();
    }
  } finally {
    removeFolder();
  }
}

interface Rig {
  readonly daemon: LoadedDaemon;
  readonly load: Load;
  readonly context: RunContext;
  readonly link: Link;
  readonly more: MoreOptions;
}

async function underLoad(rig: Rig): Promise<LoadResult> {
  const { daemon, context, link } = rig;
  const command = daemon.command(context);
  const log = openSync(join(context.folder, 'stdout.log'), 'w');
  const undoChroot = daemon.name === 'openbgpd' ? makeChroot() : (): void => undefined;
  const startedAt = performance.now();
  const running = startIn({ namespace: link.daemon, folder: context.folder, stdio: ['ignore', log, log] }, command);
  try {
    const trouble = await untilReady(running, rig);
    if (trouble !== undefined) return failure(trouble, lastWords(context.folder));
    const start_s = (performance.now() - startedAt) / 1000;
    await sleep(SETTLE_MS);
    const result = await generate(rig, treeOf(running.pid));
    return { ...result, runner: { start_s } };
  } finally {
    running.stop();
    closeSync(log);
    undoChroot();
  }
}

/** Undefined when it is, else why not. */
async function untilReady({ child, pid }: RunningProcess, { daemon, link }: Rig): Promise<string | undefined> {
  const end = performance.now() + READY_SECONDS * 1000;
  while (performance.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null) {
      return `the daemon ended with ${child.exitCode ?? child.signalCode ?? ''}`;
    }
    if (isInside(pid, link.daemon) && listens(pid, PORT) && treeOf(pid).length >= daemon.processes) return undefined;
    await sleep(5);
  }
  return `the daemon was not ready within ${READY_SECONDS} s`;
}

async function generate({ load, context, link, more }: Rig, pids: readonly number[]): Promise<LoadResult> {
  const { addresses } = context;
  const options = {
    ...{ dut: endpoint(context), 'dut-as': DAEMON_ASN, src: addresses.injector, 'inj-as': FIRST_ASN.injector },
    ...{ 'mon-src': addresses.monitor, 'mon-as': FIRST_ASN.monitor },
    ...{ 'watch-src': addresses.watcher, 'watch-as': FIRST_ASN.watcher, watchers: load.watched ? WATCHERS : 0 },
    ...{ pids: pids.join(','), timeout: GENERATOR_SECONDS },
    ...load.options,
    ...more,
  };
  const role = { ebgp: [], mesh: ['--mesh'], reflector: ['--rr'] }[load.role];
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const generator = startIn({ namespace: link.generator, folder: context.folder, stdio: ['ignore', 'pipe', 'pipe'] }, [
    generatorProgram(),
    'run',
    ...role,
    ...args,
  ]);
  const { stdout, stderr } = generator.child;
  if (stdout === null || stderr === null) throw new Error('the generator has no output');
  try {
    const [said, complaint] = await Promise.all([text(stdout), text(stderr)]);
    return said === '' ? failure(`the generator: ${complaint.trim()}`) : parseResult(said);
  } finally {
    generator.stop();
  }
}

/** The end of each log: why a daemon would not start. */
const lastWords = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(folder, name), 'utf8').slice(-600).trim())
    .join('\n');

/** Where systemd runs, tmpfiles.d makes it. */
function makeChroot(): () => void {
  const path = '/run/openbgpd';
  if (existsSync(path)) return () => undefined;
  mkdirSync(path, { mode: 0o755 });
  return remember(() => rmSync(path, { recursive: true, force: true }));
}
