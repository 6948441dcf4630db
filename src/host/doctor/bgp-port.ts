/** Who listens on the BGP port, by /proc. */
import type { HostReader } from '../reader.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import { agentPid } from './host-facts.ts';
import type { HostFacts } from './host-facts.ts';

const check = checkOf('BGP port');
const DEFAULT_PORT = 179;

export function checkBgpPort(facts: HostFacts): readonly Finding[] {
  const { reader, cluster } = facts;
  const pid = agentPid(facts);
  const port = 'unknown' in cluster ? DEFAULT_PORT : cluster.bgp.portOf(cluster.self?.name);
  const inodes = listeners(reader, port);
  if (inodes === undefined) return [check.unknown('/proc/net/tcp cannot be read')];
  if (inodes.length === 0) {
    if (pid === undefined) return [check.ok(`${port} is free`)];
    return [
      check.problem(`nobody listens on ${port}, although an agent runs`, {
        ...{ why: 'peers cannot dial this node', todo: 'calicoctl-ts node status and the log of the agent say why' },
      }),
    ];
  }
  const findings = inodes.map((inode) => judge(reader, { inode, port, pid }));
  // One for each family, of one process.
  return findings.filter(({ what }, i) => findings.findIndex((other) => other.what === what) === i);
}

interface Listener {
  readonly inode: string;
  readonly port: number;
  readonly pid: number | undefined;
}

function judge(reader: HostReader, { inode, port, pid }: Listener): Finding {
  const owner = ownerOf(reader, inode);
  const evidence = [`/proc/net/tcp: inode ${inode} listens`];
  if (owner === undefined) {
    return check.unknown(`${port} is taken, by whom cannot be seen from here`, {
      evidence,
      todo: 'run the doctor as root',
    });
  }
  if (owner.pid === pid) return check.ok(`${port} is the agent's`);
  return check.problem(`${port} is taken by ${owner.name} (process ${owner.pid})`, {
    why: 'the agent cannot start, or peers reach another BGP speaker',
    todo: 'end it, or another port for the cluster: BGPConfiguration.spec.listenPort',
    evidence,
  });
}

/** Column 2 is `ADDRESS:PORT` in hex, 4 the state (0A: LISTEN), 10 the inode. */
function listeners(reader: HostReader, port: number): readonly string[] | undefined {
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((path) => reader.text(path));
  if (tables[0] === undefined) return undefined;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = tables.flatMap((text) =>
    (text ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)),
  );
  const listening = rows.filter(([, local, , state]) => local?.endsWith(wanted) === true && state === '0A');
  return [...new Set(listening.map((columns) => columns[9] ?? ''))];
}

function ownerOf(reader: HostReader, inode: string): { readonly pid: number; readonly name: string } | undefined {
  for (const pid of reader.names('/proc').filter((name) => /^\d+$/.test(name))) {
    const has = reader
      .names(`/proc/${pid}/fd`)
      .some((fd) => reader.target(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
    if (has) return { pid: Number(pid), name: reader.text(`/proc/${pid}/comm`)?.trim() ?? 'unnamed' };
  }
  return undefined;
}
