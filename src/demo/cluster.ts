/** Raises the whole cluster, step by step, and takes it down again, whatever is left of it. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { agentStatus, startAgent, untilAnswering, untilSettled } from './agents.ts';
import type { ClusterChoice } from './choice.ts';
import { calicoctl, startDatastore } from './datastore.ts';
import type { Layout } from './layout.ts';
import { raiseHosts, removeNamespaces } from './namespaces.ts';
import { addPod } from './pods.ts';
import type { Pod } from './pods.ts';
import { mustRun } from './process.ts';
import { removeDirectory, saveState } from './state.ts';
import { startBird, startFrr, startOwnSwitches } from './switches.ts';
import { buildTopology, NODES, SWITCHES } from './topology.ts';
import { mapBounded } from './wait.ts';

export interface Cluster {
  readonly layout: Layout;
  readonly choice: ClusterChoice;
  readonly pods: readonly Pod[];
  readonly signal: AbortSignal;
  /** `calicoctl-ts` with these arguments; its stdout. */
  readonly calicoctl: (args: readonly string[]) => Promise<string>;
}

export interface RaiseOptions {
  readonly layout: Layout;
  readonly choice: ClusterChoice;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

const PODS_PER_NODE = 2;
/** Generous, because under qemu's TCG everything takes ten times as long. */
const SETTLE_MS = 180_000;

/** From nothing to pods. What it made so far stays where it fails: the caller takes it down. */
export async function raiseCluster({ layout, choice, signal, progress }: RaiseOptions): Promise<Cluster> {
  await mkdir(layout.directory, { recursive: true, mode: 0o755 });
  await saveState(layout, { pid: process.pid, kept: false, choice });
  progress('hosts and cables');
  await raiseHosts(buildTopology({ etcd: choice.datastore === 'etcd' }), layout);
  signal.throwIfAborted();
  progress(choice.switches === 'real' ? 'switches: tor-a is BIRD, tor-b is FRR' : 'switches: our own speaker');
  await startSwitches({ layout, choice, signal, progress });
  progress(choice.datastore === 'etcd' ? 'datastore: etcd' : 'datastore: a directory');
  await startDatastore(layout, choice.datastore, signal);
  const ctl = calicoctl(layout, choice.datastore, choice.project);
  const examples = join(choice.project, 'config/examples/demo');
  for (const file of (await readdir(examples)).sort()) await ctl(['apply', '-f', join(examples, file)]);
  signal.throwIfAborted();
  progress(`agents on ${NODES.map(({ name }) => name).join(', ')}`);
  await Promise.all(NODES.map((node) => startAgent(layout, node, choice)));
  await untilAnswering(layout, signal);
  for (const { name, rack } of NODES) await ctl(['label', 'nodes', name, `rack=${rack}`]);
  progress('sessions: the mesh, and each node with the switch of its rack');
  await untilSettled(layout, { timeoutMs: SETTLE_MS, signal });
  progress(`pods: ${PODS_PER_NODE} on each node`);
  const wanted = NODES.flatMap(({ name }) =>
    Array.from({ length: PODS_PER_NODE }, (_, i) => ({ name, host: `pod-${name}-${i + 1}` })),
  );
  const pods = await mapBounded(wanted, 4, ({ name, host }) => addPod(layout, name, host));
  await untilSettled(layout, { timeoutMs: SETTLE_MS, signal });
  return { layout, choice, pods, signal, calicoctl: ctl };
}

async function startSwitches({ layout, choice, signal }: RaiseOptions): Promise<void> {
  if (choice.switches === 'own') await startOwnSwitches(layout, choice, signal);
  else await Promise.all([startBird(layout, choice.project), startFrr(layout, choice.project, signal)]);
}

/** Brings back whom the last check sent away. */
export async function reviveCluster({ layout, choice, signal }: Cluster): Promise<void> {
  for (const node of NODES) {
    const namespace = `${layout.prefix}${node.name}`;
    const gateway = SWITCHES.find(({ rack }) => rack === node.rack)!.address;
    await mustRun(['ip', '-n', namespace, 'link', 'set', 'eth0', 'up']);
    await mustRun(['ip', '-n', namespace, 'route', 'replace', 'default', 'via', gateway]);
    const answers = await agentStatus(layout, node.name).then(
      () => true,
      () => false,
    );
    if (!answers) await startAgent(layout, node, choice);
  }
  await untilSettled(layout, { timeoutMs: SETTLE_MS, signal });
}

/** Processes, namespaces, files: nothing of the cluster stays. Returns how many hosts were removed. */
export async function removeCluster(layout: Layout): Promise<number> {
  const hosts = await removeNamespaces(layout);
  await removeDirectory(layout);
  return hosts;
}
