import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, Json, Store } from '../../src/datastore/store.ts';
import {
  AlreadyExistsError,
  CompactedError,
  ConflictError,
  NotFoundError,
  UnavailableError,
} from '../../src/datastore/store.ts';
import { describeWriteAll } from './store-write-all.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another client of the same data: itself where there can be no other. */
  readonly other: Store;
  /** Makes `revision` and what was before unknown to new watches. */
  compact(revision: number): Promise<void>;
  tearDown(): Promise<void>;
}

/** Reads `count` changes of a watch and ends it. */
export async function take(
  watch: (signal: AbortSignal) => AsyncIterable<readonly Change[]>,
  count: number,
): Promise<readonly Change[]> {
  const stop = new AbortController();
  const seen: Change[] = [];
  for await (const batch of watch(stop.signal)) {
    seen.push(...batch);
    if (seen.length >= count) break;
  }
  stop.abort();
  return seen;
}

const told = (change: Change): string =>
  change.type === 'put'
    ? `put ${change.entry.key} ${JSON.stringify(change.entry.value)} @${change.entry.revision}`
    : `delete ${change.key} @${change.revision}`;

const isOrdered = (revisions: readonly number[]): boolean =>
  revisions.every((r, i) => i === 0 || r > revisions[i - 1]!);
const revisionOf = (change: Change): number => (change.type === 'put' ? change.entry.revision : change.revision);

/** What every store promises. `prefix` keeps the keys of one run apart from another's. */
export function describeStore(name: string, setUp: () => Promise<StoreUnderTest>, prefix = '/t/'): void {
  describe(`${name} keeps the store's contract`, () => {
    let made: StoreUnderTest;
    let store: Store;
    let other: Store;
    const at = (key: string): string => `${prefix}${key}`;

    beforeEach(async () => {
      made = await setUp();
      ({ store, other } = made);
    });
    afterEach(() => made.tearDown());

    describe('single entries', () => {
      test('a created entry is read back with the revision it was written at', async () => {
        const created = await store.create(at('a'), { n: 1 });
        expect(await other.get(at('a'))).toEqual(created);
        expect(created).toEqual({ key: at('a'), value: { n: 1 }, revision: created.revision });
      });

      test('an entry that was never written is undefined', async () => {
        expect(await store.get(at('nothing'))).toBeUndefined();
      });

      test('creating an entry that exists is refused and leaves it as it was', async () => {
        await store.create(at('a'), 'first');
        await expect(other.create(at('a'), 'second')).rejects.toThrow(AlreadyExistsError);
        expect((await store.get(at('a')))?.value).toBe('first');
      });

      test('an update at the current revision is written at a higher one', async () => {
        const first = await store.create(at('a'), 1);
        const second = await other.update(at('a'), 2, first.revision);
        expect(second.revision).toBeGreaterThan(first.revision);
        expect(await store.get(at('a'))).toEqual({ key: at('a'), value: 2, revision: second.revision });
      });

      test('an update at an old revision is a conflict and changes nothing', async () => {
        const first = await store.create(at('a'), 1);
        await other.update(at('a'), 2, first.revision);
        await expect(store.update(at('a'), 3, first.revision)).rejects.toThrow(ConflictError);
        expect((await store.get(at('a')))?.value).toBe(2);
      });

      test('an update of an entry that does not exist is refused', async () => {
        await expect(store.update(at('a'), 1, 1)).rejects.toThrow(NotFoundError);
      });

      test('a deleted entry is gone, and can be created again at a higher revision', async () => {
        const first = await store.create(at('a'), 1);
        await other.delete(at('a'), first.revision);
        expect(await store.get(at('a'))).toBeUndefined();
        expect((await store.create(at('a'), 2)).revision).toBeGreaterThan(first.revision + 1);
      });

      test('a deletion without a revision takes whatever is there', async () => {
        await store.create(at('a'), 1);
        await store.delete(at('a'));
        expect(await store.get(at('a'))).toBeUndefined();
      });

      test('revision 0 is no revision: what does not exist is not made by an update, nor is what exists touched', async () => {
        await expect(store.update(at('a'), 1, 0)).rejects.toThrow(NotFoundError);
        await expect(store.delete(at('a'), 0)).rejects.toThrow(NotFoundError);
        expect(await other.get(at('a'))).toBeUndefined();
        await store.create(at('a'), 1);
        await expect(store.update(at('a'), 2, 0)).rejects.toThrow(ConflictError);
        await expect(store.delete(at('a'), 0)).rejects.toThrow(ConflictError);
        expect((await other.get(at('a')))?.value).toBe(1);
      });

      test('a deletion at an old revision is a conflict, one of nothing is refused', async () => {
        const { revision } = await store.create(at('a'), 1);
        await store.update(at('a'), 2, revision);
        await expect(store.delete(at('a'), revision)).rejects.toThrow(ConflictError);
        await expect(store.delete(at('b'))).rejects.toThrow(NotFoundError);
        await expect(store.delete(at('b'), 1)).rejects.toThrow(NotFoundError);
        expect((await store.get(at('a')))?.value).toBe(2);
      });

      test.each<[string, Json]>([
        ['null', null],
        ['an empty object', {}],
        ['unicode', 'Zürich ₿ 𝔘 \u0000 \n "'],
        ['nested arrays', [[1, [2]], { a: [null, false, 1.5, -0.25e-3] }]],
        ['half a megabyte', 'x'.repeat(500_000)],
      ])('%s survives unchanged', async (_what, value) => {
        await store.create(at('value ü/ ₿'), value);
        expect((await other.get(at('value ü/ ₿')))?.value).toEqual(value);
        expect((await other.list(at('value'))).entries[0]?.value).toEqual(value);
      });

      test('what the caller does to a value afterwards does not reach the store', async () => {
        const value = { list: [1] };
        await store.create(at('a'), value);
        value.list.push(2);
        expect((await store.get(at('a')))?.value).toEqual({ list: [1] });
      });
    });

    describe('listings', () => {
      test("show what starts with the prefix, by key, and the store's revision", async () => {
        for (const key of ['b/2', 'a', 'b/1', 'b', 'c']) await store.create(at(key), key);
        const last = await store.create(at('b/10'), 'b/10');
        const { entries, revision } = await other.list(at('b/'));
        expect(entries.map(({ value }) => value)).toEqual(['b/1', 'b/10', 'b/2']);
        expect(revision).toBeGreaterThanOrEqual(last.revision);
      });

      test('take a prefix as text: it need not end at a slash', async () => {
        for (const key of ['node', 'node1', 'node2/x', 'nod']) await store.create(at(key), 1);
        const { entries } = await store.list(at('node'));
        expect(entries.map(({ key }) => key)).toEqual([at('node'), at('node1'), at('node2/x')]);
      });

      test('are empty where nothing matches, and hold everything for the empty prefix', async () => {
        await store.create(at('a'), 1);
        expect((await store.list(at('z'))).entries).toEqual([]);
        expect((await store.list('')).entries.map(({ key }) => key)).toContain(at('a'));
      });

      test('where the caller keeps less of an entry, it has all of it or what is to be kept', async () => {
        const entry = await store.create(at('a'), { n: 1, text: 'long' });
        const kept = { ...entry, value: 1 };
        const { entries } = await other.list(at('a'), (one) => ({ ...one, value: 1 }));
        expect(entries).toHaveLength(1);
        expect([entry, kept]).toContainEqual(entries[0]);
      });

      test('hold many entries, whole', async () => {
        const keys = Array.from({ length: 1_234 }, (_, i) => at(`many/${String(i).padStart(5, '0')}`));
        for (let i = 0; i < keys.length; i += 100) {
          await Promise.all(keys.slice(i, i + 100).map((key) => store.create(key, 1)));
        }
        expect((await other.list(at('many/'))).entries.map(({ key }) => key)).toEqual(keys);
      });
    });

    describe('compare-and-swap', () => {
      test('of two writers who read the same revision exactly one wins', async () => {
        const { revision } = await store.create(at('a'), 0);
        const outcomes = await Promise.allSettled([
          store.update(at('a'), 1, revision),
          other.update(at('a'), 2, revision),
        ]);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(outcomes.find((o) => o.status === 'rejected')?.reason).toBeInstanceOf(ConflictError);
      });

      test('of many creators of one key exactly one wins', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).create(at('a'), i)),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      });

      test('counts every increment of interleaved writers', async () => {
        await store.create(at('n'), 0);
        const increment = async (by: Store): Promise<void> => {
          for (;;) {
            const { value, revision } = (await by.get(at('n')))!;
            const done = await by.update(at('n'), (value as number) + 1, revision).catch((error: unknown) => {
              if (!(error instanceof ConflictError)) throw error;
              return undefined;
            });
            if (done !== undefined) return;
          }
        };
        await Promise.all(Array.from({ length: 20 }, (_, i) => increment(i % 2 ? store : other)));
        expect((await store.get(at('n')))?.value).toBe(20);
      });
    });

    describeWriteAll(() => ({ store, other, at, prefix }));

    describe('watches', () => {
      test("from a listing's revision show every later change once, in order, deletions too", async () => {
        await store.create(at('w/old'), 'old');
        const { revision } = await store.list(at('w/'));
        const a = await other.create(at('w/a'), 1);
        const b = await store.update(at('w/a'), 2, a.revision);
        await store.create(at('elsewhere'), 1);
        await other.delete(at('w/a'));
        const d = await store.create(at('w/a'), 3);
        const seen = await take((signal) => other.watch(at('w/'), revision, signal), 4);
        const deletedAt = revisionOf(seen[2]!);
        expect(seen.map(told)).toEqual([
          `put ${at('w/a')} 1 @${a.revision}`,
          `put ${at('w/a')} 2 @${b.revision}`,
          `delete ${at('w/a')} @${deletedAt}`,
          `put ${at('w/a')} 3 @${d.revision}`,
        ]);
        expect(isOrdered(seen.map(revisionOf))).toBe(true);
      });

      test('that wait are told of what another client writes', async () => {
        const { revision } = await store.list(prefix);
        const seen = take((signal) => store.watch(prefix, revision, signal), 2);
        await other.create(at('a'), 1);
        await other.delete(at('a'));
        expect((await seen).map(({ type }) => type)).toEqual(['put', 'delete']);
      });

      test('continued from the last revision seen have no gap and no duplicate', async () => {
        const { revision } = await store.list(prefix);
        const written: number[] = [];
        for (let i = 0; i < 10; i++) written.push((await other.create(at(`k${i}`), i)).revision);
        const seen: Change[] = [];
        for (let from = revision; seen.length < 10; from = revisionOf(seen.at(-1)!)) {
          const stop = new AbortController();
          for await (const batch of store.watch(prefix, from, stop.signal)) {
            seen.push(...batch);
            break;
          }
          stop.abort();
        }
        expect(seen.map(revisionOf)).toEqual(written);
      });

      test('several at once, on different prefixes and clients, each see their own whole order', async () => {
        const { revision } = await store.list(prefix);
        const all = [store, store, other].map((by) => take((signal) => by.watch(prefix, revision, signal), 20));
        const odd = take((signal) => other.watch(at('odd'), revision, signal), 10);
        for (let i = 0; i < 20; i++) await (i % 2 ? store : other).create(at(i % 2 ? `odd${i}` : `even${i}`), i);
        const [first, second, third] = await Promise.all(all);
        expect(first!.map(told)).toEqual(second!.map(told));
        expect(first!.map(told)).toEqual(third!.map(told));
        expect((await odd).map(told)).toEqual(first!.map(told).filter((line) => line.includes('odd')));
      });

      test('end quietly when the signal fires, before and during', async () => {
        const stop = new AbortController();
        const ended = take((signal) => store.watch(prefix, 0, AbortSignal.any([signal, stop.signal])), 1_000_000);
        await store.create(at('a'), 1);
        stop.abort();
        await ended.catch((error: unknown) => expect(error).toBeInstanceOf(CompactedError));
        expect(await take(() => store.watch(prefix, 0, AbortSignal.abort()), 1)).toEqual([]);
      });

      test('from a compacted revision end with CompactedError, and a new listing leads on', async () => {
        const { revision } = await store.list(prefix);
        for (let i = 0; i < 5; i++) await store.create(at(`k${i}`), i);
        const listing = await store.list(prefix);
        await made.compact(listing.revision);
        await expect(take((signal) => store.watch(prefix, revision, signal), 1)).rejects.toThrow(CompactedError);
        await store.create(at('after'), 1);
        const [next] = await take((signal) => store.watch(prefix, listing.revision, signal), 1);
        expect(told(next!)).toContain('after');
      });

      test('that have caught up survive a compaction', async () => {
        const { revision } = await store.list(prefix);
        const seen = take((signal) => store.watch(prefix, revision, signal), 2);
        const first = await store.create(at('a'), 1);
        await new Promise((resolve) => setImmediate(resolve));
        await store.get(at('a'));
        await made.compact(first.revision);
        await store.create(at('b'), 2);
        expect((await seen).map(({ type }) => type)).toEqual(['put', 'put']);
      });

      test('of a revision that is not yet there, after the data were lost, ask for a new listing', async () => {
        const { revision } = await store.list(prefix);
        const watch = take((signal) => store.watch(prefix, revision + 1_000, signal), 1);
        await expect(watch).rejects.toThrow(CompactedError);
      });
    });

    test('a closed store answers everything with UnavailableError and ends its watches', async () => {
      const { revision } = await store.list(prefix);
      const watch = take((signal) => store.watch(prefix, revision, signal), 1);
      const ended = watch.then(
        (seen) => seen,
        (error: unknown) => error,
      );
      await store.get(at('a'));
      await store.close();
      const outcome = await ended;
      expect(outcome instanceof UnavailableError || (Array.isArray(outcome) && outcome.length === 0)).toBe(true);
      await expect(store.get(at('a'))).rejects.toThrow(UnavailableError);
      await expect(store.create(at('a'), 1)).rejects.toThrow(UnavailableError);
    });
  });
}
