/** The demo's cluster, of which one agent after the other is ended and started again while all others run. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLinuxKernel } from '../../felix/index.ts';
import type { Kernel } from '../../felix/index.ts';
import { agentClient, agentStatus, startAgent } from '../../src/demo/agents.ts';
import type { ClusterChoice } from '../../src/demo/choice.ts';
import { raiseCluster, removeCluster } from '../../src/demo/cluster.ts';
import type { Layout } from '../../src/demo/layout.ts';
import { logFile, netnsPath } from '../../src/demo/layout.ts';
import { mustRun, run } from '../../src/demo/process.ts';
import { NODES, SWITCHES } from '../../src/demo/topology.ts';
import type { DemoNode } from '../../src/demo/topology.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { wallNow } from './cluster-clock.ts';

/**
 * `new`: the agent left the cluster's routing, its host's kernel is empty and the others have forgotten its routes. `restart`: it
 * was killed, and is started in the same moment.
 */
export const KINDS = ['new', 'restart'] as const;
export type StartKind = (typeof KINDS)[number];

/** From before the process was started, ms. */
export interface StartSample {
  readonly kind: StartKind;
  readonly node: string;
  /** It has the cluster's state and its speaker listens. */
  readonly startedMs: number;
  /** The last of its peers says that the session is up. */
  readonly sessionsMs: number;
  /** It has heard all that its peers had to say, and selected. */
  readonly selectedMs: number;
  /** The last change of a route in its kernel, and in all the others. */
  readonly ownRoutesMs: number;
  readonly otherRoutesMs: number;
  /** All of it is there. */
  readonly doneMs: number;
  /** Routes that any kernel was without for a moment. */
  readonly lost: number;
}

const LAYOUT: Layout = { prefix: 'ctb-start-', directory: '/run/ctb-start' };
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;
/** No route changes for so long after all is there: then iproute2 is asked. */
const QUIET_MS = 500;
/** Peers call whoever left every 5 s at most: started at any moment of it. */
const AWAY_MS = [6_000, 11_000] as const;
const OURS = 80;

const HOSTS = [...NODES, ...SWITCHES];

interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Of one host: what its kernel had at the beginning, and what happened there. */
interface Watched {
  readonly host: string;
  readonly kernel: Kernel;
  /** Lines of iproute2 by prefix. */
  expected: ReadonlyMap<string, string>;
  readonly setAt: Map<string, number>;
  readonly removedAt: Map<string, number>;
}

export class StartLab {
  readonly #stop = new AbortController();
  readonly #watched: Watched[] = [];
  readonly #choice: ClusterChoice;

  constructor() {
    this.#choice = { datastore: 'etcd', encap: 'vxlan', switches: 'own', project: process.cwd() };
  }

  async raise(): Promise<void> {
    const progress = (): void => undefined;
    await raiseCluster({ layout: LAYOUT, choice: this.#choice, signal: this.#stop.signal, progress });
    await sleep(QUIET_MS);
    for (const { name } of HOSTS) this.#watched.push(await this.#watch(name));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const { kernel } of this.#watched) await kernel.close();
    await removeCluster(LAYOUT);
  }

  /** Ends the agent of one node, starts it, and waits until all is as before. Throws where it is not. */
  async measure(kind: StartKind, node: DemoNode): Promise<StartSample> {
    for (const { setAt, removedAt } of this.#watched) {
      setAt.clear();
      removedAt.clear();
    }
    const own = this.#watched.find(({ host }) => host === node.name)!;
    const missing = await (kind === 'new' ? this.#leave(node) : this.#kill(node));
    const startedAt = wallNow();
    await startAgent(LAYOUT, node, this.#choice);
    const { started, sessions, selected } = await this.#untilThere(node, startedAt, missing);
    await this.#verify(node);
    const since = (at: number): number => Math.max(0, at - startedAt);
    const lastSet = ({ expected, setAt }: Watched): number =>
      since(Math.max(0, ...[...expected.keys()].map((prefix) => setAt.get(prefix) ?? 0)));
    const moments = {
      ...{ startedMs: since(started), sessionsMs: since(sessions), selectedMs: since(selected) },
      ownRoutesMs: lastSet(own),
      otherRoutesMs: Math.max(...this.#watched.filter((each) => each !== own).map(lastSet)),
    };
    const lost = kind === 'new' ? [] : this.#watched.flatMap(lostRoutes);
    return { kind, node: node.name, ...moments, doneMs: Math.max(...Object.values(moments)), lost: lost.length };
  }

  async #watch(host: string): Promise<Watched> {
    const kernel = createLinuxKernel({ netns: netnsPath(LAYOUT, host) });
    const watched: Watched = { host, kernel, expected: await routesOf(host), setAt: new Map(), removedAt: new Map() };
    await kernel.watch((event) => {
      if (event.kind !== 'route') return;
      const at = event.change === 'set' ? watched.setAt : watched.removedAt;
      at.set(formatPrefix(event.route.prefix), wallNow());
    }, this.#stop.signal);
    return watched;
  }

  /** By host, the routes that are gone then. */
  async #leave(node: DemoNode): Promise<ReadonlyMap<string, readonly string[]>> {
    const { pid } = await agentStatus(LAYOUT, node.name);
    await agentClient(LAYOUT, node.name).post('/v1/stop', { message: 'npm run bench -- start' });
    await gone(pid);
    const namespace = `${LAYOUT.prefix}${node.name}`;
    await mustRun(['ip', '-n', namespace, 'route', 'flush', 'protocol', String(OURS)]);
    await run(['ip', '-n', namespace, 'link', 'delete', 'vxlan.calico']);
    const [least, most] = AWAY_MS;
    await sleep(least + Math.random() * (most - least));
    const missing = new Map<string, readonly string[]>();
    for (const { host, expected, setAt } of this.#watched) {
      const present = await routesOf(host);
      missing.set(
        host,
        [...expected.keys()].filter((prefix) => !present.has(prefix)),
      );
      if (missing.get(host)!.length === 0) throw new Error(`${host} still has all routes after ${node.name} left`);
      setAt.clear();
    }
    return missing;
  }

  async #kill(node: DemoNode): Promise<ReadonlyMap<string, readonly string[]>> {
    const { pid } = await agentStatus(LAYOUT, node.name);
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    return new Map();
  }

  async #untilThere(
    node: DemoNode,
    startedAt: number,
    missing: ReadonlyMap<string, readonly string[]>,
  ): Promise<{ readonly started: number; readonly sessions: number; readonly selected: number }> {
    const peers = [...NODES.filter((each) => each !== node), SWITCHES.find(({ rack }) => rack === node.rack)!];
    let said = '';
    while (wallNow() - startedAt < LIMIT_MS) {
      await sleep(LOOK_EVERY_MS);
      const ups = peers.map(({ name }) => {
        const program = NODES.some((each) => each.name === name) ? 'calico-node-ts' : 'switch';
        return lastLine(logFile(LAYOUT, name, program), startedAt, `neighbor ${node.address} Up`);
      });
      const own = logFile(LAYOUT, node.name, 'calico-node-ts');
      const started = lastLine(own, startedAt, 'calico-node-ts started');
      // Of an empty kernel it selects as it hears; then the routes say when.
      const selected = missing.size > 0 ? started : lastLine(own, startedAt, 'selection starts after the restart');
      const absent = this.#watched.flatMap(({ host, setAt }) =>
        (missing.get(host) ?? []).filter((prefix) => !setAt.has(prefix)),
      );
      said = `${ups.filter((up) => up !== undefined).length} of ${peers.length} sessions, ${absent.length} routes missing`;
      if (started === undefined || selected === undefined || absent.length > 0 || ups.includes(undefined)) continue;
      await this.#untilQuiet();
      return { started: started.at, sessions: Math.max(...ups.map((up) => up!.at)), selected: selected.at };
    }
    throw new Error(`${node.name} after ${LIMIT_MS / 1000} s: ${said}`);
  }

  async #untilQuiet(): Promise<void> {
    const last = (): number => Math.max(0, ...this.#watched.flatMap(({ setAt }) => [...setAt.values()]));
    do await sleep(QUIET_MS);
    while (wallNow() - last() < QUIET_MS);
  }

  /** By iproute2 and by each peer's own word. */
  async #verify(node: DemoNode): Promise<void> {
    for (const { host, expected } of this.#watched) {
      const present = await routesOf(host);
      for (const [prefix, line] of expected) {
        if (present.get(prefix) !== line) throw new Error(`${host}: '${present.get(prefix) ?? ''}', not '${line}'`);
      }
      if (present.size !== expected.size) throw new Error(`${host} has ${present.size} routes, not ${expected.size}`);
    }
    for (const { name } of NODES.filter((each) => each !== node)) {
      const { bgp } = await agentStatus(LAYOUT, name);
      const peer = bgp.peers.find(({ address }) => address === node.address);
      if (peer?.state !== 'Established') throw new Error(`${name}: ${node.address} is ${peer?.state ?? 'no peer'}`);
    }
  }
}

const lostRoutes = ({ expected, removedAt }: Watched): readonly string[] =>
  [...removedAt.keys()].filter((prefix) => expected.has(prefix));

/** What iproute2 shows of ours, by prefix; it leaves out the length of a host's route. */
async function routesOf(host: string): Promise<ReadonlyMap<string, string>> {
  const shown = await mustRun(['ip', '-n', `${LAYOUT.prefix}${host}`, '-4', 'route', 'show', 'protocol', String(OURS)]);
  return new Map(
    shown
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => {
        const destination = line.replace(/^(blackhole|unreachable|prohibit) /, '').split(' ')[0]!;
        return [destination.includes('/') ? destination : `${destination}/32`, line];
      }),
  );
}

/** The last line since `from` whose message contains the text. */
function lastLine(file: string, from: number, text: string): LogLine | undefined {
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}') && line.includes(text))
    .map((line) => ({ at: Date.parse((JSON.parse(line) as { readonly time: string }).time) }))
    .findLast(({ at }) => at >= from);
}

async function gone(pid: number): Promise<void> {
  for (const startedAt = wallNow(); wallNow() - startedAt < LIMIT_MS;) {
    if (!existsSync(`/proc/${pid}`)) return;
    await sleep(1);
  }
  throw new Error(`process ${pid} does not end`);
}
