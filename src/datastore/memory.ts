import { follow, Wakeup } from './follow.ts';
import type { Request } from './ledger.ts';
import { Ledger } from './ledger.ts';
import type { Change, Entry, Json, Listing, Store } from './store.ts';
import { UnavailableError } from './store.ts';

/** A store in this process's memory: for tests and trials, gone with the process. */
export class MemoryStore implements Store {
  readonly #ledger = new Ledger();
  readonly #wakeup = new Wakeup();
  #closed = false;

  get(key: string): Promise<Entry | undefined> {
    return this.#answer(() => this.#ledger.get(key));
  }

  list(prefix: string): Promise<Listing> {
    return this.#answer(() => this.#ledger.list(prefix));
  }

  create(key: string, value: Json): Promise<Entry> {
    return this.#put({ type: 'create', key, value: structuredClone(value) });
  }

  update(key: string, value: Json, revision: number): Promise<Entry> {
    return this.#put({ type: 'update', key, value: structuredClone(value), revision });
  }

  delete(key: string, revision?: number): Promise<void> {
    return this.#answer(() => {
      this.#write(revision === undefined ? { type: 'delete', key } : { type: 'delete', key, revision });
    });
  }

  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return follow(this.#ledger, this.#wakeup, { prefix, revision, signal, epoch: this.#ledger.epoch });
  }

  /** Forgets the changes up to `revision`, as an operator of etcd does: watches from before it end. */
  compact(revision: number): void {
    this.#ledger.compact(revision);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wakeup.fail(new UnavailableError('the memory store is closed'));
    return Promise.resolve();
  }

  #put(request: Request): Promise<Entry> {
    return this.#answer(() => {
      this.#write(request);
      return this.#ledger.get(request.key)!;
    });
  }

  #write(request: Request): void {
    this.#ledger.apply(this.#ledger.decide(request));
    this.#wakeup.wake();
  }

  async #answer<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#closed) throw new UnavailableError('the memory store is closed');
    return work();
  }
}
