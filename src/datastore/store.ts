/** The datastore as the rest of us needs it: etcd's model, small. One contract, three kinds: etcdv3, file, memory. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value and the revision at which it was last written. Revisions grow over the whole store. */
export interface Entry {
  readonly key: string;
  readonly value: Json;
  readonly revision: number;
}

export type Change =
  | { readonly type: 'put'; readonly entry: Entry }
  | { readonly type: 'delete'; readonly key: string; readonly revision: number };

/** One write: `create` where nothing is, `update` and `delete` of what is still at `revision`, or of whatever is there. */
export type Write =
  | { readonly type: 'create'; readonly key: string; readonly value: Json }
  | { readonly type: 'update'; readonly key: string; readonly value: Json; readonly revision: number }
  | { readonly type: 'delete'; readonly key: string; readonly revision?: number };

/** So many writes may be one; etcd takes 128 where nobody told it otherwise. */
export const MAX_WRITES = 100;

export interface Listing {
  readonly entries: readonly Entry[];
  /** The store's revision that the listing shows; watch from here. */
  readonly revision: number;
  /** Whose revision it is, where the store can tell: an etcd that was set up anew counts from one again under another name. */
  readonly history?: string;
  /** Who says so, for people: `etcd at http://10.0.0.1:2379`. */
  readonly source?: string;
}

/**
 * What of an entry is of use: itself, or another of the same key and revision with less in it; undefined, nothing. Applied to one that it gave,
 * it gives the same.
 */
export type Keep = (entry: Entry) => Entry | undefined;

export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /**
   * All entries whose key starts with `prefix`, by key. A store that reads them in parts may apply `keep`, which may be applied
   * again, to each part as it comes: then the whole of them is never in memory.
   */
  list(prefix: string, keep?: Keep): Promise<Listing>;
  /** Throws AlreadyExistsError. */
  create(key: string, value: Json): Promise<Entry>;
  /** Writes only if the entry is still at `revision`. Throws ConflictError or NotFoundError. */
  update(key: string, value: Json, revision: number): Promise<Entry>;
  /** Deletes only if still at `revision`, where one is given. Throws ConflictError or NotFoundError. */
  delete(key: string, revision?: number): Promise<void>;
  /**
   * Several writes of different keys as one, MAX_WRITES at most: all of them are done or none, and nobody sees some without
   * the others. Throws what the first that may not be done would throw by itself, and RangeError for too many or a key twice.
   */
  writeAll(writes: readonly Write[]): Promise<void>;
  /**
   * Every change under `prefix` after `revision`, in order and without gaps, in batches.
   * Ends with CompactedError where `revision` is no longer kept (list again), with UnavailableError where the
   * connection is lost (watch again from the last revision seen), and quietly when `signal` fires.
   */
  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]>;
  close(): Promise<void>;
}

/** Somebody else made it first. */
export class AlreadyExistsError extends Error {
  override readonly name = 'AlreadyExistsError';
}

/** Somebody changed the world: read again, decide again. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

/** The revision asked for is no longer kept. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
}

/** The datastore does not answer: transient, try again. One sentence with the address and the cause. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** There is none where one was looked for, and none was to be made. */
export class NoDatastoreError extends Error {
  override readonly name = 'NoDatastoreError';
}
