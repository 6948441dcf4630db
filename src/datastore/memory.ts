import { follow, Wakeup } from './follow.ts';
import { Ledger } from './ledger.ts';
import type { Change, Entry, Json, Listing, Store, Write } from './store.ts';
import { UnavailableError } from './store.ts';
import { checkWrites } from './write-all.ts';

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

  async delete(key: string, revision?: number): Promise<void> {
    await this.writeAll([revision === undefined ? { type: 'delete', key } : { type: 'delete', key, revision }]);
  }

  async writeAll(writes: readonly Write[]): Promise<void> {
    checkWrites(writes);
    const copy = structuredClone(writes);
    return this.#answer(() => this.#write(copy));
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

  #put(write: Write): Promise<Entry> {
    return this.#answer(() => {
      this.#write([write]);
      return this.#ledger.get(write.key)!;
    });
  }

  #write(writes: readonly Write[]): void {
    for (const change of this.#ledger.decide(writes)) this.#ledger.apply(change);
    this.#wakeup.wake();
  }

  async #answer<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#closed) throw new UnavailableError('the memory store is closed');
    return work();
  }
}
