import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { changeKey, changeRevision } from './ledger.ts';
import { whyStrange } from './same-cluster.ts';
import type { Change, Entry, Keep, Listing, Store } from './store.ts';
import { CompactedError, UnavailableError } from './store.ts';

/** What we know of the store under one prefix. */
export interface SyncView {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly revision: number;
  /** True once a whole listing was seen, and for ever after. */
  readonly inSync: boolean;
  /** Why the view may lag behind the store, in one sentence. A stale view keeps what it knew: it deletes nothing. */
  readonly stale?: string;
  /** Since when it is stale, the clock's milliseconds. */
  readonly staleSince?: number;
}

/** Since the start. */
export interface SyncCounts {
  /** How often everything was read. */
  readonly listed: number;
  /** How often the view became stale. */
  readonly lost: number;
}

interface SyncSource {
  readonly store: Store;
  readonly prefix: string;
}

export interface SyncHandlers {
  /** What the view has of an entry that came. Absent: all is kept. */
  readonly keep?: Keep;
  /** The first whole view. */
  onSnapshot?(view: SyncView): void;
  /** What changed since the last call, and the view after it; only real differences, in order of revision. */
  onChanges?(changes: readonly Change[], view: SyncView): void;
  /** `stale` came, changed or went. */
  onStale?(view: SyncView): void;
}

export interface SyncPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
}

export interface Syncer {
  view(): SyncView;
  counts(): SyncCounts;
  /** Resolves when the view is in sync for the first time, or the syncer is closed. */
  synced(): Promise<void>;
  close(): Promise<void>;
}

const BACKOFF = { minMs: 200, maxMs: 10_000 };
/** Who loses its stream loses it together with all other nodes: the first questions are spread over so long. */
const SPREAD_MS = 1_000;
/** A watch that a store refuses is refused at once. One that held for so long shows that the store has us again. */
const HELD_MS = 1_000;
/** A watch that held for so long was a good one: the next failure starts from the shortest wait again. */
const GOOD_WATCH_MS = 5_000;
/**
 * A listing now and then, though the watch says nothing is missing: a belt for servers that lose events. 80 to 100 % of it, for
 * the agents of a cluster are often started at the same time.
 */
const RELIST_MS = 600_000;

/** Keeps a view of everything under `prefix`: list, then watch; after a loss, watch on from where we were. */
// eslint-disable-next-line max-params -- what to follow, who is told, and the ports: three things, the first in two words
export function startSyncer(store: Store, prefix: string, handlers: SyncHandlers, ports: SyncPorts): Syncer {
  const syncer = new ListWatchSyncer({ store, prefix }, handlers, ports);
  syncer.start();
  return syncer;
}

class ListWatchSyncer implements Syncer {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #handlers: SyncHandlers;
  readonly #keep: Keep;
  readonly #ports: SyncPorts;
  readonly #closing = new AbortController();
  readonly #entries = new Map<string, Entry>();
  readonly #firstSync = Promise.withResolvers<undefined>();
  #revision = 0;
  #history: string | undefined;
  #inSync = false;
  #stale: string | undefined;
  #staleSince = 0;
  #mustList = true;
  #attempt = 0;
  #listed = 0;
  #lost = 0;
  #running: Promise<void> = Promise.resolve();

  constructor({ store, prefix }: SyncSource, handlers: SyncHandlers, ports: SyncPorts) {
    this.#store = store;
    this.#prefix = prefix;
    this.#handlers = handlers;
    this.#keep = handlers.keep ?? ((entry) => entry);
    this.#ports = ports;
  }

  start(): void {
    this.#running = this.#run();
  }

  view(): SyncView {
    const stale = this.#stale;
    return {
      entries: this.#entries,
      revision: this.#revision,
      inSync: this.#inSync,
      ...(stale !== undefined && { stale, staleSince: this.#staleSince }),
    };
  }

  counts(): SyncCounts {
    return { listed: this.#listed, lost: this.#lost };
  }

  async synced(): Promise<void> {
    await this.#firstSync.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#firstSync.resolve(undefined);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#follow().catch((cause: unknown) => (signal.aborted ? undefined : this.#recover(cause as Error)));
    }
  }

  /** List if we must, else ask whether the store answers; then watch until the watch ends. */
  async #follow(): Promise<void> {
    if (this.#mustList) {
      this.#take(await this.#list());
      this.#listed++;
      this.#mustList = false;
      this.#setStale(undefined);
    } else {
      await this.#store.get(this.#prefix);
    }
    await this.#watch();
    this.#mustList = true;
  }

  async #list(): Promise<Listing> {
    const listing = await this.#store.list(this.#prefix, this.#keep);
    return { ...listing, entries: listing.entries.flatMap((entry) => this.#keep(entry) ?? []) };
  }

  /** Ends quietly when it is time to list again. */
  async #watch(): Promise<void> {
    const { clock, random } = this.#ports;
    const relist = new AbortController();
    const timers = [
      clock.after(RELIST_MS * (0.8 + random() / 5), () => relist.abort()),
      clock.after(HELD_MS, () => this.#setStale(undefined)),
    ];
    const startedAt = clock.now();
    try {
      const signal = AbortSignal.any([this.#closing.signal, relist.signal]);
      for await (const batch of this.#store.watch(this.#prefix, this.#revision, signal)) {
        this.#attempt = 0;
        this.#setStale(undefined);
        this.#apply(batch);
      }
    } finally {
      for (const stop of timers) stop();
      if (clock.now() - startedAt >= GOOD_WATCH_MS) this.#attempt = 0;
    }
  }

  async #recover(cause: Error): Promise<void> {
    if (cause instanceof CompactedError) {
      this.#mustList = true;
      this.#ports.log?.info({ prefix: this.#prefix, reason: cause.message }, 'listing the datastore again');
    } else {
      this.#setStale(cause.message);
    }
    const { random } = this.#ports;
    // A store that is compacted faster than it can be listed must not be listed in a tight loop either.
    const spreadMs = this.#attempt === 0 ? random() * SPREAD_MS : 0;
    await this.#wait(backoffMs(this.#attempt++, BACKOFF, random) + spreadMs);
  }

  /**
   * A fresh listing is positive evidence: what it lacks is gone. Only differences are told. Throws UnavailableError for a listing
   * that is no evidence.
   */
  #take(listing: Listing): void {
    const { entries, revision, history } = listing;
    const strange = whyStrange({ entries: this.#entries, revision: this.#revision, history: this.#history }, listing);
    if (strange !== undefined)
      throw new UnavailableError(`${listing.source ?? 'the datastore'} cannot be believed: ${strange}`);
    this.#history = history;
    const present = new Set(entries.map(({ key }) => key));
    const deleted = [...this.#entries.keys()].filter((key) => !present.has(key));
    const changed = entries
      .filter(({ key, revision: at }) => this.#entries.get(key)?.revision !== at)
      .sort((a, b) => a.revision - b.revision);
    const changes: readonly Change[] = [
      ...changed.map((entry) => ({ type: 'put', entry }) as const),
      ...deleted.map((key) => ({ type: 'delete', key, revision }) as const),
    ];
    this.#revision = revision;
    if (changes.length > 0 || !this.#inSync) this.#absorb(changes);
  }

  #apply(batch: readonly Change[]): void {
    this.#revision = Math.max(this.#revision, changeRevision(batch.at(-1)!));
    const changes = this.#kept(batch);
    if (changes.length > 0) this.#absorb(changes);
  }

  /** What is of no use comes to nothing, or is gone where an earlier one of its key was of use. */
  #kept(batch: readonly Change[]): readonly Change[] {
    const put = new Set<string>();
    return batch.flatMap((change): readonly Change[] => {
      const entry = change.type === 'put' ? this.#keep(change.entry) : undefined;
      const key = changeKey(change);
      if (entry === undefined) {
        const revision = changeRevision(change);
        return this.#entries.has(key) || put.has(key) ? [{ type: 'delete', key, revision }] : [];
      }
      put.add(key);
      return [{ type: 'put', entry }];
    });
  }

  #absorb(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === 'put') this.#entries.set(change.entry.key, change.entry);
      else this.#entries.delete(changeKey(change));
    }
    const isFirst = !this.#inSync;
    this.#inSync = true;
    if (isFirst) this.#handlers.onSnapshot?.(this.view());
    else this.#handlers.onChanges?.(changes, this.view());
    this.#firstSync.resolve(undefined);
  }

  #setStale(reason: string | undefined): void {
    if (reason === this.#stale) return;
    if (this.#stale === undefined) {
      this.#lost++;
      this.#staleSince = this.#ports.clock.now();
    }
    if (this.#stale === undefined) this.#ports.log?.warn({ prefix: this.#prefix, reason }, 'datastore view is stale');
    else if (reason === undefined) this.#ports.log?.info({ prefix: this.#prefix }, 'datastore answers again');
    this.#stale = reason;
    this.#handlers.onStale?.(this.view());
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#ports.clock.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
