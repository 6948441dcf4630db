import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Change, Store } from '../../../src/datastore/store.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import type { Syncer } from '../../../src/datastore/syncer.ts';
import { startSyncer } from '../../../src/datastore/syncer.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A memory store whose connection the test cuts. */
class CuttableStore extends MemoryStore {
  #cut: AbortController | undefined;
  lists = 0;

  cut(): void {
    this.#cut = new AbortController();
    this.#streams.abort();
  }

  mend(): void {
    this.#cut = undefined;
    this.#streams = new AbortController();
  }
  #streams = new AbortController();

  override async get(key: string) {
    this.#check();
    return super.get(key);
  }

  override async list(prefix: string) {
    this.lists++;
    this.#check();
    return super.list(prefix);
  }

  override async *watch(...[prefix, revision, signal]: Parameters<Store['watch']>) {
    this.#check();
    yield* super.watch(prefix, revision, AbortSignal.any([signal, this.#streams.signal]));
    if (!signal.aborted) throw new UnavailableError('the stream was cut');
  }

  #check(): void {
    if (this.#cut !== undefined) throw new UnavailableError('the store does not answer');
  }
}

let store: CuttableStore;
let clock: FakeClock;
let syncer: Syncer;
let told: string[];
let writer: MemoryStore;

const say = (change: Change): string =>
  change.type === 'put' ? `put ${change.entry.key}=${JSON.stringify(change.entry.value)}` : `delete ${change.key}`;
const start = (): void => {
  syncer = startSyncer(
    store,
    '/s/',
    {
      onSnapshot: ({ entries }) => void told.push(`snapshot of ${entries.size}`),
      onChanges: (changes) => void told.push(...changes.map(say)),
      onStale: ({ stale }) => void told.push(stale === undefined ? 'fresh' : `stale: ${stale}`),
    },
    { clock, random: () => 0.5 },
  );
};

beforeEach(() => {
  store = new CuttableStore();
  writer = store;
  clock = new FakeClock();
  told = [];
});
afterEach(() => syncer.close());

test('the first listing is a snapshot, and every later change is told once', async () => {
  await writer.create('/s/a', 1);
  await writer.create('/other', 1);
  start();
  expect(syncer.view()).toEqual({ entries: new Map(), revision: 0, inSync: false });
  await syncer.synced();
  await clock.advance(0);
  const { revision } = await writer.create('/s/b', 2);
  await writer.delete('/s/a');
  await clock.advance(0);
  expect(told).toEqual(['snapshot of 1', 'put /s/b=2', 'delete /s/a']);
  expect([...syncer.view().entries.keys()]).toEqual(['/s/b']);
  expect(syncer.view()).toMatchObject({ inSync: true, revision: revision + 1 });
});

test('of an entry is kept what the handler says, from a listing and from the watch, and it is no change', async () => {
  await writer.create('/s/a', { name: 'a', much: true });
  const told: string[] = [];
  const seen: unknown[] = [];
  syncer = startSyncer(
    store,
    '/s/',
    {
      keep: ({ key, value, revision }) => ({
        key,
        value: (value as { name?: string } | null)?.name ?? value,
        revision,
      }),
      onSnapshot: ({ entries }) => void seen.push(...entries.values()),
      onChanges: (changes) => void told.push(...changes.map(say)),
    },
    { clock, random: () => 0.5 },
  );
  await syncer.synced();
  await clock.advance(0);
  expect(seen).toEqual([{ key: '/s/a', value: 'a', revision: 1 }]);
  await writer.create('/s/b', { name: 'b', much: true });
  await clock.advance(0);
  expect(told).toEqual(['put /s/b="b"']);
  await clock.advance(600_000);
  expect(store.lists).toBe(2);
  expect(told).toHaveLength(1);
  expect([...syncer.view().entries.values()].map(({ value }) => value)).toEqual(['a', 'b']);
});

test('an entry that is of no use is not in the view, and goes when it has become of no use', async () => {
  await writer.create('/s/a', 1);
  await writer.create('/s/b', null);
  const told: string[] = [];
  syncer = startSyncer(
    store,
    '/s/',
    {
      keep: (entry) => (entry.value === null ? undefined : entry),
      onChanges: (changes) => void told.push(...changes.map(say)),
    },
    { clock, random: () => 0.5 },
  );
  await syncer.synced();
  await clock.advance(0);
  const keys = () => [...syncer.view().entries.keys()];
  expect(keys()).toEqual(['/s/a']);
  const { revision } = await writer.create('/s/c', null);
  await clock.advance(0);
  expect(syncer.view().revision).toBe(revision);
  expect(told).toEqual([]);
  await writer.delete('/s/c');
  await clock.advance(0);
  expect(told).toEqual([]);
  await writer.update('/s/a', null, 1);
  await clock.advance(0);
  expect(told).toEqual(['delete /s/a']);
  // Both come in one batch, of a store whose connection comes back.
  store.cut();
  await clock.advance(0);
  const { revision: at } = await writer.create('/s/d', 1);
  await writer.update('/s/d', null, at);
  store.mend();
  await clock.advance(30_000);
  expect(told).toEqual(['delete /s/a', 'put /s/d=1', 'delete /s/d']);
  await clock.advance(600_000);
  expect(keys()).toEqual([]);
  expect(told).toHaveLength(3);
});

test('an empty store is in sync too', async () => {
  start();
  await syncer.synced();
  expect(told).toEqual(['snapshot of 0']);
});

test('a cut leaves the view as it was, stale with a reason, and what happened meanwhile is told after it', async () => {
  await writer.create('/s/a', 1);
  start();
  await syncer.synced();
  await clock.advance(0);
  await clock.advance(7000);
  store.cut();
  await clock.advance(60_000);
  expect(syncer.view()).toMatchObject({ inSync: true, stale: 'the store does not answer', staleSince: 7000 });
  expect([...syncer.view().entries.keys()]).toEqual(['/s/a']);
  store.mend();
  await writer.create('/s/b', 2);
  await writer.delete('/s/a');
  await clock.advance(10_000);
  expect(told).toEqual([
    'snapshot of 1',
    'stale: the stream was cut',
    'stale: the store does not answer',
    'fresh',
    'put /s/b=2',
    'delete /s/a',
  ]);
  expect(store.lists).toBe(1);
  expect(syncer.view()).not.toHaveProperty('stale');
  expect(syncer.view()).not.toHaveProperty('staleSince');
  expect(syncer.counts()).toEqual({ listed: 1, lost: 1 });
});

test('a store that does not answer at the start makes the view stale, not in sync', async () => {
  store.cut();
  start();
  await clock.advance(1_000);
  expect(syncer.view()).toMatchObject({ inSync: false, stale: 'the store does not answer' });
  store.mend();
  await clock.advance(10_000);
  expect(syncer.view()).toEqual({ entries: new Map(), revision: 0, inSync: true });
});

test('a dead store is asked ever more rarely, at last every five to ten seconds', async () => {
  store.cut();
  start();
  await clock.advance(60_000);
  const before = store.lists;
  await clock.advance(60_000);
  expect(store.lists - before).toBeGreaterThanOrEqual(6);
  expect(store.lists - before).toBeLessThanOrEqual(12);
});

test('after a compaction the store is listed again and only differences are told, deletions included', async () => {
  for (const key of ['/s/a', '/s/b', '/s/c']) await writer.create(key, 1);
  start();
  await syncer.synced();
  await clock.advance(0);
  store.cut();
  await clock.advance(1_000);
  await writer.update('/s/b', 2, 2);
  await writer.delete('/s/c');
  await writer.create('/s/d', 1);
  writer.compact(6);
  told = [];
  store.mend();
  await clock.advance(20_000);
  expect(told).toEqual(['put /s/b=2', 'put /s/d=1', 'delete /s/c', 'fresh']);
});

test('the store is listed again every ten minutes, and nothing is told where nothing was missed', async () => {
  await writer.create('/s/a', 1);
  start();
  await syncer.synced();
  await clock.advance(0);
  await clock.advance(601_000);
  expect(store.lists).toBe(2);
  expect(told).toEqual(['snapshot of 1']);
});
