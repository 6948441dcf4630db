/** Two network namespaces and a cable: the daemon in one, the generator with all its addresses in the other. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { endTree } from './processes.ts';
import { ADDRESSES } from './topology.ts';
import type { Family, LoadPeer } from './topology.ts';
import { remember } from './undo.ts';

export interface Link {
  /** Names of the namespaces. */
  readonly daemon: string;
  readonly generator: string;
  readonly remove: () => void;
}

const DEVICE = 'bb0';
const GENERATOR_MAC = '02:00:00:00:bb:02';

export const namespaceFile = (name: string): string => `/run/netns/${name}`;

/** Throws with iproute2's words, and leaves nothing then. */
export function makeLink(family: Family, peers: readonly LoadPeer[]): Link {
  const tag = `ctb${process.pid}`;
  const link = { daemon: `${tag}d`, generator: `${tag}g` };
  const spaces = [link.daemon, link.generator];
  const remove = remember(() => spaces.forEach(removeNamespace));
  try {
    for (const name of spaces) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
      // The host's may be one that paces what it sends.
      ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.tcp_congestion_control=reno');
    }
    const end = ['peer', 'name', DEVICE, 'address', GENERATOR_MAC, 'netns', link.generator];
    ip('link', 'add', DEVICE, 'netns', link.daemon, 'type', 'veth', ...end);
    addAddresses(family, peers, link);
    for (const name of spaces) ip('-n', name, 'link', 'set', DEVICE, 'up');
    // The kernel's table of neighbours is one for all namespaces, and small: sessions would wait for seconds when it is full.
    const neighbours = peers.map(
      ({ address }) => `neigh add ${address} lladdr ${GENERATOR_MAC} dev ${DEVICE} nud permanent`,
    );
    batch(link.daemon, neighbours);
  } catch (error) {
    remove();
    throw error;
  }
  return { ...link, remove };
}

function addAddresses(family: Family, peers: readonly LoadPeer[], { daemon, generator }: Omit<Link, 'remove'>): void {
  const own = ADDRESSES[family].daemon;
  if (family === 4) {
    ip('-n', daemon, 'addr', 'add', `${own}/15`, 'dev', DEVICE);
    ip('-n', generator, 'addr', 'add', '198.19.255.254/15', 'dev', DEVICE);
    // All addresses of the generator at once.
    ip('-n', generator, 'route', 'add', 'local', '198.19.0.0/16', 'dev', 'lo');
    return;
  }
  ip('-n', daemon, 'addr', 'add', `${own}/64`, 'dev', DEVICE, 'nodad');
  batch(
    generator,
    peers.map(({ address }) => `addr add ${address}/64 dev ${DEVICE} nodad`),
  );
}

/** With what still runs in it. */
export function removeNamespace(name: string): void {
  if (!existsSync(namespaceFile(name))) return;
  for (const pid of ip('netns', 'pids', name).split('\n')) if (pid !== '') endTree(Number(pid));
  ip('netns', 'del', name);
}

const ip = (...args: readonly string[]): string =>
  execFileSync('ip', [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function batch(namespace: string, lines: readonly string[]): void {
  execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: lines.map((line) => `${line}\n`).join('') });
}
