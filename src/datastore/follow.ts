import type { Ledger } from './ledger.ts';
import { changeKey, changeRevision } from './ledger.ts';
import type { Change } from './store.ts';
import { CompactedError, UnavailableError } from './store.ts';

export interface FollowFrom {
  readonly prefix: string;
  readonly revision: number;
  readonly signal: AbortSignal;
  /** The ledger's epoch in which `revision` was read. */
  readonly epoch: number;
}

/** Wakes all who wait for the next change, or ends them all with an error. */
export class Wakeup {
  readonly #waiting = new Set<() => void>();
  #failure: UnavailableError | undefined;

  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Those who wait end with this; so do all who come until `recover`. */
  fail(failure: UnavailableError): void {
    this.#failure = failure;
    this.wake();
  }

  recover(): void {
    this.#failure = undefined;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw new UnavailableError(this.#failure.message, { cause: this.#failure });
  }

  /** Resolves at the next wake() or when the signal fires. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#waiting.delete(resume);
        signal.removeEventListener('abort', resume);
        resolve();
      };
      this.#waiting.add(resume);
      signal.addEventListener('abort', resume, { once: true });
      if (signal.aborted) resume();
    });
  }
}

/**
 * The watch of a store that keeps a Ledger. It reads the history when asked, so it buffers nothing: who reads slower
 * than the history is compacted gets CompactedError, as with etcd.
 */
export async function* follow(
  ledger: Ledger,
  wakeup: Wakeup,
  { prefix, revision, signal, epoch }: FollowFrom,
): AsyncGenerator<readonly Change[], void> {
  let seen = revision;
  while (!signal.aborted) {
    if (ledger.epoch !== epoch) throw new CompactedError(`revision ${seen} is of a history that was replaced`);
    const changes = ledger.changesAfter(seen);
    if (changes.length === 0) {
      wakeup.throwIfFailed();
      await wakeup.next(signal);
      continue;
    }
    seen = changeRevision(changes.at(-1)!);
    const wanted = changes.filter((change) => changeKey(change).startsWith(prefix));
    if (wanted.length > 0) yield wanted;
  }
}
