/** BFD's only door: RFC 5880, 5881 and 5883 in a thread of its own. README.md tells how it works. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Bfd } from './contract.ts';
import { loadLibc } from './libc.ts';
import { ThreadedBfd } from './threaded.ts';
import { startThread } from './thread.ts';

export type { Bfd, BfdChange, BfdSessionName, BfdSessionSettings, BfdSessionView } from './contract.ts';

/** No thread runs while no session is wanted. */
export function createBfd({ log, clock }: { readonly log: Logger; readonly clock: Clock }): Bfd {
  const start = startThread({ libc: loadLibc, after: (ms, callback) => clock.after(ms, callback) });
  return new ThreadedBfd({ log, clock, start });
}
