import { readFileSync } from 'node:fs';
import { parseNetstat } from './tcp-counters.ts';
import type { TcpEvidence } from './tcp-counters.ts';

/** Of the thread's own network namespace; /proc/net would be the main thread's. */
const NETSTAT = '/proc/thread-self/net/netstat';

export const procNetstat: TcpEvidence = () => {
  try {
    return parseNetstat(readFileSync(NETSTAT, 'utf8'));
  } catch {
    // No /proc, or one of another kind: there is no evidence then, and no reason to fail.
    return undefined;
  }
};
