/** A visit to another network namespace: what is opened there stays there, and the visit ends before anything else runs. */
import type { Libc } from '../../src/linux/libc.ts';

/** Of the calling thread; /proc/self would be the main thread's. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

export interface Namespace {
  /** Runs `work` there and comes back. It must be synchronous: the whole thread is away. */
  visit<T>(work: () => T): T;
  close(): void;
}

/** The namespace that we are in: no visit needed. */
export const ownNamespace: Namespace = { visit: (work) => work(), close: () => undefined };

/** Holds the namespace open, so that it outlives its name. Throws SystemError. */
export function openNamespace(libc: Libc, path: string): Namespace {
  const fd = libc.open(path);
  return {
    visit: (work) => {
      const home = libc.open(OWN_NAMESPACE);
      try {
        libc.setNetns(fd);
        try {
          return work();
        } finally {
          libc.setNetns(home);
        }
      } finally {
        libc.close(home);
      }
    },
    close: () => libc.close(fd),
  };
}
