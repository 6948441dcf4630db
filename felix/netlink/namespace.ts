/** Work in another network namespace, by setns(2) there and back: sockets stay in the namespace that they were opened in. */
import type { Libc } from '../../src/linux/libc.ts';

/** Of the calling thread; /proc/self would be the main thread's. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

export interface Namespace {
  /** Open as long as this is; undefined: the one that we run in. */
  readonly fd: number | undefined;
  /** Runs `work` there and comes back, see visitNamespace. */
  visit<T>(work: () => T): T;
  close(): void;
}

export const ownNamespace: Namespace = { fd: undefined, visit: (work) => work(), close: () => undefined };

/** Holds the namespace open, so that it outlives its name. Throws SystemError. */
export function openNamespace(libc: Libc, path: string): Namespace {
  const fd = libc.open(path);
  return { fd, visit: (work) => visitNamespace(libc, fd, work), close: () => libc.close(fd) };
}

/**
 * Runs `work` in the namespace of a descriptor and comes back; undefined: in the one that we are in. It must be
 * synchronous: the whole thread is away. Throws SystemError.
 */
export function visitNamespace<T>(libc: Libc, fd: number | undefined, work: () => T): T {
  if (fd === undefined) return work();
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
}
