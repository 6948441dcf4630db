/** The edge that provides the datastore and fills it through the CLI, as an operator would. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { agentCliEnvironment, baseEnvironment, datastoreEnvironment } from './environment.ts';
import { fileDatastore, hostDirectory, logFile, onHost } from './layout.ts';
import type { Layout } from './layout.ts';
import type { Datastore } from './options.ts';
import { mustRun, run, startDaemon } from './process.ts';
import { ETCD } from './topology.ts';
import { until } from './wait.ts';

/** A host of the cluster runs etcd, and nodes reach it through tor-a; the machine's own network stays out of it. */
export async function startDatastore(layout: Layout, datastore: Datastore, signal: AbortSignal): Promise<void> {
  if (datastore === 'file') {
    await mkdir(fileDatastore(layout), { recursive: true });
    return;
  }
  const directory = hostDirectory(layout, ETCD.name);
  await mkdir(directory, { recursive: true });
  const url = `http://${ETCD.address}:2379`;
  const listen = [
    '--listen-client-urls',
    url,
    '--advertise-client-urls',
    url,
    '--listen-peer-urls',
    'http://127.0.0.1:2380',
  ];
  await startDaemon(
    onHost(layout, ETCD.name, ['etcd', '--name', 'demo', '--data-dir', join(directory, 'data'), ...listen]),
    {
      logFile: logFile(layout, ETCD.name, 'etcd'),
      env: baseEnvironment,
    },
  );
  const probe = `exec 3<>/dev/tcp/${ETCD.address}/2379`;
  await until(
    async () => {
      const { exitCode, stderr } = await run(onHost(layout, ETCD.name, ['bash', '-c', probe]));
      return exitCode === 0 ? { value: true } : { missing: stderr.trim() };
    },
    { what: 'etcd to listen', timeoutMs: 60_000, signal },
  );
}

export const cliPath = (project: string): string => join(project, 'dist/calicoctl-ts.mjs');

/** `calicoctl-ts` against the cluster's datastore: from the machine itself, or from etcd's host where only that reaches it. */
export function calicoctl(
  layout: Layout,
  datastore: Datastore,
  project: string,
): (args: readonly string[]) => Promise<string> {
  const command = [process.execPath, cliPath(project)];
  const environment = { ...baseEnvironment, ...datastoreEnvironment(layout, datastore) };
  return (args) => {
    const full = [...command, ...args];
    return mustRun(datastore === 'etcd' ? onHost(layout, ETCD.name, full) : full, { env: environment });
  };
}

/** `calicoctl-ts` against one node's agent. */
export const cliOnNode =
  (layout: Layout, node: string, project: string) =>
  (args: readonly string[]): Promise<string> =>
    mustRun([process.execPath, cliPath(project), ...args], {
      env: agentCliEnvironment(layout, node),
    });
