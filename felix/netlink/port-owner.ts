/** Who is behind a netlink port: by the kernel's list of netlink sockets, and whose descriptor each of them is. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortOwner {
  readonly pid: number;
  /** The first 15 octets of the program's name, as the kernel keeps it. */
  readonly name: string;
}

/** Of the calling thread: /proc/net would be the main thread's. */
const NETLINK_SOCKETS = '/proc/thread-self/net/netlink';
const PROTOCOL_ROUTE = '0';

/**
 * A process's first netlink socket has its pid for a port, each further one a number that says nothing (netlink(7)). So the
 * pid is tried first, then every process's descriptors. In the network namespace that the thread is in now.
 */
export function portOwner(port: number): PortOwner | undefined {
  const inode = socketInode(port);
  if (inode === undefined) return undefined;
  const pids = [port, ...processes().filter((pid) => pid !== port)];
  const pid = pids.find((candidate) => holdsSocket(candidate, inode));
  const name = pid === undefined ? undefined : attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  return pid === undefined || name === undefined ? undefined : { pid, name };
}

/** Columns of the list: sk, protocol, port, groups, five counters, inode. */
function socketInode(port: number): string | undefined {
  const lines = attempt(() => readFileSync(NETLINK_SOCKETS, 'utf8').split('\n')) ?? [];
  const row = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, protocol, of]) => protocol === PROTOCOL_ROUTE && Number(of) >>> 0 === port);
  return row?.at(-1);
}

const processes = (): readonly number[] =>
  (attempt(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);

function holdsSocket(pid: number, inode: string): boolean {
  const directory = `/proc/${pid}/fd`;
  const descriptors = attempt(() => readdirSync(directory)) ?? [];
  return descriptors.some((fd) => attempt(() => readlinkSync(`${directory}/${fd}`)) === `socket:[${inode}]`);
}

/** Processes and descriptors come and go while we look. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
