import { fstatSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { UnavailableError } from './store.ts';

const LOCK_EX_NB = 2 | 4;
const LOCK_UN = 8;
/** A holder writes one line and syncs it: milliseconds. Who waits longer than this waits for a stopped process. */
const GIVE_UP_MS = 10_000;

type Flock = (fd: number, operation: number) => number;

/** Who only reads takes no lock, and `calicoctl-ts get` need not load koffi. */
const loadFlock = async (): Promise<Flock> =>
  (await import('koffi')).default.load(null).func('int flock(int fd, int operation)') as Flock;

/**
 * One writer at a time among all processes of this machine: flock(2), which the kernel lets go when its holder dies.
 * It asks without blocking and waits a little between, because a blocking flock would hold a thread of libuv's four.
 */
export class FileLock {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #flock: Flock | undefined;
  #handle: FileHandle | undefined;

  constructor(path: string, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#path = path;
    this.#clock = clock;
    this.#random = random;
  }

  /** Throws UnavailableError when another process holds it for ten seconds, and the file system's own errors. */
  async acquire(): Promise<void> {
    const flock = (this.#flock ??= await loadFlock());
    const deadline = this.#clock.now() + GIVE_UP_MS;
    for (let waitMs = 0.5; ; waitMs = Math.min(waitMs * 2, 16)) {
      this.#handle ??= await open(this.#path, 'a', 0o600);
      if (flock(this.#handle.fd, LOCK_EX_NB) === 0) {
        if (this.#isTheFile(this.#handle)) return;
        await this.close(); // Somebody removed the directory and made it again: this lock excludes nobody.
        continue;
      }
      if (this.#clock.now() > deadline) {
        throw new UnavailableError(`datastore lock ${this.#path} has been held by another process for ten seconds`);
      }
      await new Promise<void>((resolve) => this.#clock.after(waitMs * (0.5 + this.#random()), resolve));
    }
  }

  release(): void {
    if (this.#handle !== undefined) this.#flock?.(this.#handle.fd, LOCK_UN);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #isTheFile(handle: FileHandle): boolean {
    const ours = fstatSync(handle.fd);
    const theirs = statSync(this.#path, { throwIfNoEntry: false });
    return ours.ino === theirs?.ino && ours.dev === theirs.dev;
  }
}
