/** libnftables waits for its sockets with select(2), whose sets end at 1024, and ends the whole process for a descriptor beyond. */
import { closeSync, openSync } from 'node:fs';

/** FD_SETSIZE of glibc. */
const LIMIT = 1024;
/** libnftables needs one or two at a time; another thread may take one at the same moment. */
const KEPT = 16;

/**
 * Keeps some low descriptors free for calls that cannot do with higher ones, in a process that has a thousand sessions: it holds them, and
 * lets go of them for the time of a call, in which the kernel gives the lowest first.
 */
export class LowDescriptors {
  #held: readonly number[] = [];

  constructor() {
    this.#hold();
  }

  /** Runs `work` with low descriptors to be had. Throws an Error where there are none: all are somebody else's. */
  lend<T>(work: () => T): T {
    this.close();
    try {
      requireLow();
      return work();
    } finally {
      this.#hold();
    }
  }

  close(): void {
    for (const descriptor of this.#held) closeSync(descriptor);
    this.#held = [];
  }

  #hold(): void {
    const opened = Array.from({ length: KEPT }, openAny);
    this.#held = opened.filter((descriptor) => descriptor < LIMIT);
    for (const descriptor of opened) if (descriptor >= LIMIT) closeSync(descriptor);
  }
}

const openAny = (): number => openSync('/dev/null', 'r');

function requireLow(): void {
  const next = openAny();
  closeSync(next);
  if (next >= LIMIT - 1)
    throw new Error(`the process has no file descriptor below ${LIMIT} left, and libnftables takes no other`);
}
