/** A real containerd in a node's network namespace, on directories of its own; when it ends, nothing of it is left. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../netns.ts';
import { CGROUP_PARENT, criClient } from './client.ts';
import type { CriClient } from './client.ts';
import { IMAGE } from './image.ts';

export interface ContainerdSetup {
  /** Its files; removed by the caller. */
  readonly directory: string;
  /** The node's network namespace, by name. */
  readonly netns: string;
  /** Made by `makeImage`. */
  readonly image: string;
  readonly binDirectory: string;
  readonly confDirectory: string;
}

export interface Containerd {
  readonly cri: CriClient;
  readonly log: () => string;
  /** It, its shims and all containers. */
  readonly close: () => Promise<void>;
}

/** Of shims' sockets and of CNI results: they cannot be configured. */
const FIXED_DIRECTORIES = ['/run/containerd', '/var/lib/cni'];
const NETNS_DIRECTORY = '/run/netns';

/**
 * It runs in a PID namespace of its own, so that shims and containers end with it, however it ends; and in a mount
 * namespace where only the pods' network namespaces are shared with the outside, as they are on a real host.
 */
export async function startContainerd(setup: ContainerdSetup): Promise<Containerd> {
  const { directory, netns, image } = setup;
  mkdirSync(directory, { recursive: true });
  const [socket, logFile, config] = ['containerd.sock', 'containerd.log', 'config.toml'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  writeFileSync(config, configuration(setup, socket));
  const before = new Set(podNamespaces());
  const made = FIXED_DIRECTORIES.filter((path) => !existsSync(path));
  const script = [
    'set -e',
    // What lies on / and on these is nobody else's from here on; /run/netns stays shared.
    'for mount in / /run /tmp "$1"; do mountpoint -q "$mount" && mount --make-private "$mount"; done',
    ...FIXED_DIRECTORIES.map((path) => `mkdir -p ${path} && mount -t tmpfs none ${path}`),
    'exec containerd -c "$1/config.toml"',
  ].join('\n');
  const log = openSync(logFile, 'a');
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'unchanged'];
  const daemon = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'nsenter', `--net=${NETNS_DIRECTORY}/${netns}`],
      ...['unshare', ...namespaces, 'sh', '-c', script, 'sh', directory],
    ],
    { stdio: ['ignore', log, log] },
  );
  const said = (): string => readFileSync(logFile, 'utf8');
  const cri = criClient(socket);
  const close = async (): Promise<void> => {
    cri.close();
    await end(daemon);
    for (const name of podNamespaces().filter((each) => !before.has(each))) run('ip', 'netns', 'del', name);
    removeCgroups();
    for (const path of made) rmSync(path, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await importImage(socket, image, { daemon, said });
    return { cri, log: said, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const configuration = (
  { directory, binDirectory, confDirectory }: ContainerdSetup,
  socket: string,
): string => `version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${binDirectory}"
    conf_dir = "${confDirectory}"
`;

async function importImage(
  socket: string,
  image: string,
  { daemon, said }: { readonly daemon: ChildProcess; readonly said: () => string },
): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      execFileSync('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', image], { stdio: 'pipe' });
      return;
    } catch (error) {
      if (tries > 100 || daemon.exitCode !== null)
        throw new Error(`containerd does not come up: ${said()}`, { cause: error });
      await sleep(200);
    }
  }
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = new Promise((resolve) => void daemon.once('exit', resolve));
  // unshare's child is the first process of the PID namespace: with it all others are killed by the kernel.
  daemon.kill('SIGKILL');
  await gone;
}

const podNamespaces = (): readonly string[] =>
  existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY).filter((name) => name.startsWith('cni-')) : [];

/** Of containers that were killed with the runtime; one that still has a process is not removed. */
function removeCgroups(): void {
  const roots = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))];
  for (const path of roots.map((root) => join(root, CGROUP_PARENT)).filter((each) => existsSync(each)))
    removeTree(path);
}

function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  }
  try {
    rmdirSync(path);
  } catch {
    // The last processes are on their way out.
  }
}
