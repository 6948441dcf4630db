import { watch as watchDirectory } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { systemRandom } from '../runtime/random.ts';
import { Grouped } from '../runtime/grouped.ts';
import { FileLock } from './file-lock.ts';
import { follow, Wakeup } from './follow.ts';
import type { JournalLimits } from './journal-file.ts';
import { JournalFile } from './journal-file.ts';
import { changeRevision, Ledger } from './ledger.ts';
import type { Change, Entry, Json, Listing, Store, Write } from './store.ts';
import { NoDatastoreError, UnavailableError } from './store.ts';
import { checkWrites } from './write-all.ts';

export interface FileStoreSettings {
  readonly directory: string;
  /** Nothing is made where nothing is: who only reads must not found a datastore. */
  readonly mustExist?: boolean;
  readonly limits?: JournalLimits;
  readonly ports?: { readonly clock: Clock; readonly random: Random };
}

const LIMITS: JournalLimits = { maxChanges: 10_000, maxOctets: 8 << 20, keepChanges: 1000 };
/** Inotify tells of most changes at once; this is for those that it loses (overflow, a network file system). */
const POLL_MS = 1000;
/** Writes that one sync makes durable; a bound, so that readers have their turn. */
const MAX_GROUP = 500;

/** Opens the store of a directory and makes it where it is missing and may be. Throws UnavailableError, NoDatastoreError. */
export async function openFileStore(settings: FileStoreSettings): Promise<Store> {
  const store = new FileStore(settings);
  try {
    await store.open();
  } catch (cause) {
    await store.close();
    throw cause;
  }
  return store;
}

/** A directory that several processes of one machine share. README.md tells how the journal works. */
class FileStore implements Store {
  readonly #directory: string;
  readonly #mustExist: boolean;
  readonly #clock: Clock;
  readonly #ledger = new Ledger();
  readonly #wakeup = new Wakeup();
  readonly #lock: FileLock;
  readonly #journal: JournalFile;
  readonly #writes = new Grouped<readonly Write[], readonly Change[]>({
    inTurn: (work) => this.#inTurn(work),
    serve: (units) => this.#saying('write', () => this.#locked(() => this.#commit(units))),
    limit: MAX_GROUP,
  });
  #turn: Promise<unknown> = Promise.resolve();
  /** A look that has not begun: whoever comes now will have seen what was written by then. */
  #nextLook: Promise<void> | undefined;
  #watchers = 0;
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor({ directory, mustExist, limits, ports }: FileStoreSettings) {
    const { clock, random } = ports ?? { clock: systemClock, random: systemRandom };
    this.#directory = directory;
    this.#mustExist = mustExist ?? false;
    this.#clock = clock;
    this.#lock = new FileLock(join(directory, 'lock'), { clock, random });
    this.#journal = new JournalFile(directory, this.#ledger, limits ?? LIMITS);
  }

  async open(): Promise<void> {
    await this.#inTurn(() => this.#saying('open', () => this.#openOrMake()));
  }

  async #openOrMake(): Promise<void> {
    await this.#journal.catchUp().catch(async (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      if (this.#mustExist) throw new NoDatastoreError(`there is no datastore in ${this.#directory}`);
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await this.#locked(() => this.#journal.createIfMissing());
      await this.#journal.catchUp();
    });
  }

  async get(key: string): Promise<Entry | undefined> {
    await this.#look();
    return this.#ledger.get(key);
  }

  async list(prefix: string): Promise<Listing> {
    await this.#look();
    return this.#ledger.list(prefix);
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
    await this.#writes.ask(structuredClone(writes));
  }

  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#watch({ prefix, revision, signal, epoch: this.#ledger.epoch });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endWatching();
    this.#wakeup.fail(new UnavailableError(`datastore directory ${this.#directory} is closed`));
    await this.#turn;
    await this.#journal.close();
    await this.#lock.close();
  }

  async #put(write: Write): Promise<Entry> {
    const [change] = await this.#writes.ask([write]);
    return (change as Extract<Change, { type: 'put' }>).entry;
  }

  /** One read of the journal, one append and one sync for all of them. The lock is held. */
  async #commit(units: readonly (readonly Write[])[]): Promise<readonly PromiseSettledResult<readonly Change[]>[]> {
    const torn = await this.#journal.catchUp();
    this.#wakeup.wake();
    const decided = this.#ledger.decideEach(units);
    const changes = decided.filter((one): one is readonly Change[] => !(one instanceof Error) && one.length > 0);
    const { stoppedBy } = changes.length === 0 ? {} : await this.#journal.append(changes, torn);
    const { revision } = this.#ledger;
    this.#wakeup.wake();
    // The writes stand whether or not the journal can be rewritten; the next one tries again.
    if (this.#journal.isDueForCompaction()) await this.#journal.compact().catch(() => undefined);
    return decided.map((one) => {
      if (one instanceof Error) return { status: 'rejected', reason: one };
      if (one.every((change) => changeRevision(change) <= revision)) return { status: 'fulfilled', value: one };
      return { status: 'rejected', reason: this.#sentence('write', stoppedBy) };
    });
  }

  async *#watch(from: Parameters<typeof follow>[2]): AsyncGenerator<readonly Change[], void> {
    await this.#look();
    this.#watchers++;
    this.#stopWatching ??= this.#startWatching();
    try {
      yield* follow(this.#ledger, this.#wakeup, from);
    } finally {
      this.#watchers--;
      if (this.#watchers === 0) this.#endWatching();
    }
  }

  /** Wakes the watchers when another process wrote. Inotify where it works; the slow poll always. */
  #startWatching(): () => void {
    const look = (): void => {
      this.#look().catch((cause: unknown) => this.#wakeup.fail(cause as UnavailableError));
    };
    const inotify = this.#inotify(look);
    let cancelPoll: () => void;
    const poll = (): void => {
      cancelPoll = this.#clock.after(POLL_MS, () => {
        look();
        poll();
      });
    };
    poll();
    return () => {
      cancelPoll();
      inotify?.close();
    };
  }

  #endWatching(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  #inotify(look: () => void): FSWatcher | undefined {
    try {
      const watcher = watchDirectory(this.#directory, { persistent: false }, (_event, name) => {
        if (name !== 'lock') look();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined; // No inotify instance left: the poll does it.
    }
  }

  /** After it the ledger has whatever was written before the call. All who wait at the same time share one. */
  #look(): Promise<void> {
    this.#nextLook ??= this.#inTurn(() => {
      this.#nextLook = undefined;
      return this.#saying('read', () => this.#catchUp());
    });
    return this.#nextLook;
  }

  async #catchUp(): Promise<void> {
    const { revision, epoch } = this.#ledger;
    await this.#journal.catchUp();
    this.#wakeup.recover();
    if (this.#ledger.revision !== revision || this.#ledger.epoch !== epoch) this.#wakeup.wake();
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    await this.#lock.acquire();
    try {
      return await work();
    } finally {
      this.#lock.release();
    }
  }

  /** One at a time within this process. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** A failure of the file system becomes one sentence. */
  async #saying<T>(doing: 'open' | 'read' | 'write', work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new UnavailableError(`datastore directory ${this.#directory} is closed`);
    try {
      return await work();
    } catch (cause) {
      throw this.#sentence(doing, cause);
    }
  }

  #sentence(doing: 'open' | 'read' | 'write', cause: unknown): unknown {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) return cause;
    return new UnavailableError(`cannot ${doing} datastore directory ${this.#directory}: ${message}`, { cause });
  }
}
