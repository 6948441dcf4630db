/**
 * Where the BFD thread begins, so that a busy main thread delays no packet. An entry point of its own, in the build too.
 * docs/adr/0011-bfd-thread-sleeps-in-poll.md.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadLibc } from './libc.ts';
import type { Libc } from './libc.ts';
import { BfdLoop } from './loop.ts';
import type { ThreadOrder } from './messages.ts';

/** Ahead of everything that is not real time. */
const NICE = -10;

if (parentPort !== null) {
  const libc = loadLibc();
  raisePriority(libc);
  const loop = new BfdLoop({ libc, port: parentPort, wakeFd: (workerData as ThreadOrder).wakeFd });
  process.on('exit', () => loop.closeSockets());
  loop.run();
}

/** Where we may; without it a machine that is busy everywhere delays us by some tens of milliseconds. */
function raisePriority(libc: Libc): void {
  try {
    libc.setPriority(NICE);
  } catch {
    // Not root and without CAP_SYS_NICE.
  }
}
