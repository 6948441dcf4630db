import type { Change, Entry, Json, Listing, Store, Write } from '../../datastore/store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../../datastore/store.ts';

/** What became of one key: absent before, it was created; absent after, deleted. */
export interface DryChange {
  readonly key: string;
  readonly before?: Entry;
  readonly after?: Entry;
}

/** Above every revision of a real store. */
const FIRST_REVISION = 2 ** 52;

/**
 * A store whose writes stay here: later reads see them, so a second resource is judged as if the first were there, and the
 * store below never hears of them. Everything that would refuse a write refuses it here, too.
 */
export class DryRunStore implements Store {
  readonly #below: Store;
  /** Undefined: deleted. In the order of the first write. */
  readonly #written = new Map<string, Entry | undefined>();
  readonly #before = new Map<string, Entry | undefined>();
  #revision = FIRST_REVISION;

  constructor(below: Store) {
    this.#below = below;
  }

  changes(): readonly DryChange[] {
    return [...this.#written].map(([key, after]) => {
      const before = this.#before.get(key);
      return { key, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
    });
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#written.has(key) ? Promise.resolve(this.#written.get(key)) : this.#below.get(key);
  }

  async list(prefix: string): Promise<Listing> {
    const { entries, revision } = await this.#below.list(prefix);
    const merged = new Map(entries.map((entry) => [entry.key, entry]));
    for (const [key, entry] of this.#written) {
      if (entry === undefined) merged.delete(key);
      else if (key.startsWith(prefix)) merged.set(key, entry);
    }
    return { entries: [...merged.values()].sort((a, b) => (a.key < b.key ? -1 : 1)), revision };
  }

  async create(key: string, value: Json): Promise<Entry> {
    if ((await this.get(key)) !== undefined) throw new AlreadyExistsError(`${key} exists`);
    return this.#write(key, value);
  }

  async update(key: string, value: Json, revision: number): Promise<Entry> {
    await this.#expect(key, revision);
    return this.#write(key, value);
  }

  async delete(key: string, revision?: number): Promise<void> {
    await this.#expect(key, revision);
    await this.#write(key, undefined);
  }

  /** One after the other: what went before a refused one is of no consequence here. */
  async writeAll(writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      if (write.type === 'create') await this.create(write.key, write.value);
      else if (write.type === 'update') await this.update(write.key, write.value, write.revision);
      else await this.delete(write.key, write.revision);
    }
  }

  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#below.watch(prefix, revision, signal);
  }

  close(): Promise<void> {
    return this.#below.close();
  }

  async #expect(key: string, revision: number | undefined): Promise<void> {
    const entry = await this.get(key);
    if (entry === undefined) throw new NotFoundError(`${key} does not exist`);
    if (revision !== undefined && revision !== entry.revision) throw new ConflictError(`${key} was changed`);
  }

  async #write(key: string, value: Json): Promise<Entry>;
  async #write(key: string, value: undefined): Promise<undefined>;
  async #write(key: string, value: Json | undefined): Promise<Entry | undefined> {
    if (!this.#before.has(key)) this.#before.set(key, await this.#below.get(key));
    const entry = value === undefined ? undefined : { key, value, revision: this.#revision++ };
    this.#written.set(key, entry);
    return entry;
  }
}
