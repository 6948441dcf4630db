import { parseNetstat } from '../../bird/peer/tcp-counters.ts';
import type { TcpCounters } from '../../bird/peer/tcp-counters.ts';

/** What the kernel of a namespace has thrown away of TCP; `run` runs a command there. */
export function kernelDrops(run: (command: string, ...args: readonly string[]) => string): TcpCounters {
  const counters = parseNetstat(run('cat', '/proc/net/netstat'));
  if (counters === undefined) throw new Error('this kernel has no TcpExt counters');
  return counters;
}
