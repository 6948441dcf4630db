/** The edge to `ip`: hosts as network namespaces, made and removed by their prefix. */
import { onHost } from './layout.ts';
import type { Layout } from './layout.ts';
import { mustRun, run } from './process.ts';
import { creationBatch, hostBatch } from './topology.ts';
import type { Topology } from './topology.ts';
import { mapBounded, sleep } from './wait.ts';

/** Makes every host and every cable. */
export async function raiseHosts(topology: Topology, layout: Layout): Promise<void> {
  await ipBatch([], creationBatch(topology, layout.prefix));
  await mapBounded(topology.hosts, 4, async (host) => {
    await ipBatch(['-n', `${layout.prefix}${host.name}`], hostBatch(topology, host));
    // As on any host that is prepared for pods: it forwards. A new namespace does not inherit it.
    if (host.forwards) {
      await mustRun(onHost(layout, host.name, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']));
    }
  });
}

const ipBatch = (options: readonly string[], lines: readonly string[]): Promise<string> =>
  mustRun(['ip', ...options, '-batch', '-'], { input: `${lines.join('\n')}\n` });

/** Adds empty hosts, as a container runtime makes a pod's namespace; their names carry the prefix. */
export async function addHosts(layout: Layout, names: readonly string[]): Promise<void> {
  await ipBatch(
    [],
    names.map((name) => `netns add ${layout.prefix}${name}`),
  );
}

/** Names of all namespaces of the cluster, with the prefix. */
export async function listNamespaces({ prefix }: Layout): Promise<readonly string[]> {
  const listed = await mustRun(['ip', 'netns', 'list']);
  return listed
    .split('\n')
    .map((line) => line.split(' ')[0]!)
    .filter((name) => name.startsWith(prefix));
}

/** Ends every process that lives in a namespace of the cluster, then removes the namespaces with all that is in them. */
export async function removeNamespaces(layout: Layout): Promise<number> {
  const names = await listNamespaces(layout);
  await endProcesses(names);
  await removeHosts(names);
  return names.length;
}

/** Removes namespaces by their full names. */
export async function removeHosts(names: readonly string[]): Promise<void> {
  await mapBounded(names, 4, (name) => run(['ip', 'netns', 'delete', name]));
}

/** SIGTERM would let agents say goodbye to each other for nothing: the whole cluster goes. */
async function endProcesses(names: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const pids = (await mapBounded(names, 4, processesOf)).flat();
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    await sleep(50);
  }
}

async function processesOf(namespace: string): Promise<readonly number[]> {
  const { stdout } = await run(['ip', 'netns', 'pids', namespace]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
