import type { Change, Entry, Json, Listing, Store, Write } from '../datastore/store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../datastore/store.ts';

/** Entries as a real store had them, with their revisions, on which a command works without anything being written. */
export class DraftStore implements Store {
  readonly #entries: Map<string, Entry>;
  #revision: number;

  constructor({ entries, revision }: Listing) {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#revision = revision;
  }

  /** In the order of their keys. */
  entries(): readonly Entry[] {
    return [...this.#entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  get(key: string): Promise<Entry | undefined> {
    return Promise.resolve(this.#entries.get(key));
  }

  list(prefix: string): Promise<Listing> {
    const entries = this.entries().filter(({ key }) => key.startsWith(prefix));
    return Promise.resolve({ entries, revision: this.#revision });
  }

  async create(key: string, value: Json): Promise<Entry> {
    await this.writeAll([{ type: 'create', key, value }]);
    return this.#entries.get(key)!;
  }

  async update(key: string, value: Json, revision: number): Promise<Entry> {
    await this.writeAll([{ type: 'update', key, value, revision }]);
    return this.#entries.get(key)!;
  }

  async delete(key: string, revision?: number): Promise<void> {
    await this.writeAll([revision === undefined ? { type: 'delete', key } : { type: 'delete', key, revision }]);
  }

  async writeAll(writes: readonly Write[]): Promise<void> {
    await Promise.resolve();
    for (const write of writes) this.#check(write);
    for (const write of writes) {
      this.#revision++;
      if (write.type === 'delete') this.#entries.delete(write.key);
      else this.#entries.set(write.key, { key: write.key, value: write.value, revision: this.#revision });
    }
  }

  #check(write: Write): void {
    const current = this.#entries.get(write.key);
    if (write.type === 'create') {
      if (current !== undefined) throw new AlreadyExistsError(`${write.key} is there already`);
      return;
    }
    if (current === undefined) throw new NotFoundError(`${write.key} is not there`);
    if (write.revision !== undefined && write.revision !== current.revision) {
      throw new ConflictError(`${write.key} is at revision ${current.revision}, not ${write.revision}`);
    }
  }

  watch(): AsyncIterable<readonly Change[]> {
    throw new Error('nobody else writes into a draft: there is nothing to watch');
  }

  /** Whoever made it goes on with it. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
