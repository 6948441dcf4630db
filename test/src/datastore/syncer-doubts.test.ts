import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Change, Store } from '../../../src/datastore/store.ts';
import { CompactedError, UnavailableError } from '../../../src/datastore/store.ts';
import type { Syncer } from '../../../src/datastore/syncer.ts';
import { startSyncer } from '../../../src/datastore/syncer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** Another store can take the place of the one behind it, as another etcd's data behind the same endpoint. */
class ReplaceableStore extends MemoryStore {
  #behind: MemoryStore | undefined;
  #replaced = new AbortController();
  /** Instead of a watch. */
  watchFails: Error | undefined;
  /** Instead of everything. */
  isAway = false;
  readonly askedAt: number[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  replaceBy(behind: MemoryStore): void {
    this.#behind = behind;
    this.endWatches();
  }

  endWatches(): void {
    this.#replaced.abort();
    this.#replaced = new AbortController();
  }

  override async get(key: string) {
    this.#ask();
    return this.#behind === undefined ? super.get(key) : this.#behind.get(key);
  }

  override async list(prefix: string) {
    this.#ask();
    return this.#behind === undefined ? super.list(prefix) : this.#behind.list(prefix);
  }

  override async *watch(...[prefix, revision, signal]: Parameters<Store['watch']>) {
    if (this.watchFails !== undefined) throw this.watchFails;
    const either = AbortSignal.any([signal, this.#replaced.signal]);
    yield* this.#behind?.watch(prefix, revision, either) ?? super.watch(prefix, revision, either);
    if (!signal.aborted) throw new UnavailableError('the stream was cut');
  }

  #ask(): void {
    this.askedAt.push(this.#clock.now());
    if (this.isAway) throw new UnavailableError('the store does not answer');
  }
}

let clock: FakeClock;
let store: ReplaceableStore;
let syncers: Syncer[];
let changes: Change[];
let stale: (string | undefined)[];

const start = (random: () => number): Syncer => {
  const syncer = startSyncer(
    store,
    '/calico/',
    { onChanges: (all) => void changes.push(...all), onStale: (view) => void stale.push(view.stale) },
    { clock, random },
  );
  syncers.push(syncer);
  return syncer;
};

beforeEach(() => {
  clock = new FakeClock();
  store = new ReplaceableStore(clock);
  [syncers, changes, stale] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(syncers.map((syncer) => syncer.close()));
});

test('a store that was wiped deletes nothing; the same data restored are followed, deletions included', async () => {
  for (const key of ['a', 'b', 'c']) await store.create(`/calico/${key}`, 1);
  const syncer = start(() => 0.5);
  await clock.advance(2_000);
  const wiped = new MemoryStore();
  store.replaceBy(wiped);
  await clock.advance(120_000);
  expect([...syncer.view().entries.keys()]).toEqual(['/calico/a', '/calico/b', '/calico/c']);
  expect(syncer.view().stale).toBe('the datastore cannot be believed: it is empty now, where 3 entries were');
  expect(syncer.view().staleSince).toBeLessThan(10_000);
  expect(changes).toEqual([]);
  await wiped.create('/calico/a', 1);
  await wiped.create('/calico/d', 1);
  await clock.advance(20_000);
  expect([...syncer.view().entries.keys()].sort()).toEqual(['/calico/a', '/calico/d']);
  expect(syncer.view()).not.toHaveProperty('stale');
});

test('a watch that is refused again and again is stale from the first refusal on, though the store answers', async () => {
  await store.create('/calico/a', 1);
  const syncer = start(() => 0.5);
  await clock.advance(5_000);
  store.watchFails = new UnavailableError('permission denied');
  store.endWatches();
  await clock.advance(90_000);
  expect(syncer.view()).toMatchObject({ stale: 'permission denied', staleSince: 5_000 });
  expect(stale).toEqual(['the stream was cut', 'permission denied']);
  store.watchFails = undefined;
  await clock.advance(20_000);
  expect(syncer.view()).not.toHaveProperty('stale');
});

test('a store that is compacted faster than it is listed is not listed in a tight loop', async () => {
  store.watchFails = new CompactedError('compacted');
  start(() => 0.5);
  await clock.advance(60_000);
  expect(store.askedAt.length).toBeLessThan(15);
});

test('a thousand nodes that lose the store at once neither ask nor come back at once', async () => {
  await store.create('/calico/a', 1);
  for (let node = 0; node < 1_000; node++) start(seededRandom(node));
  await clock.advance(10_000);
  store.askedAt.length = 0;
  store.isAway = true;
  store.endWatches();
  await clock.advance(60_000);
  // Within the first seconds everyone asks a few times, later each five to ten seconds.
  expect(crowd(store.askedAt, 100)).toBeLessThan(300);
  expect(store.askedAt.filter((at) => at >= 40_000).length / 1_000).toBeLessThan(8);
  expect(
    crowd(
      store.askedAt.filter((at) => at >= 40_000),
      100,
    ),
  ).toBeLessThan(60);
  store.askedAt.length = 0;
  store.isAway = false;
  await clock.advance(15_000);
  expect(store.askedAt).toHaveLength(1_000);
  expect(crowd(store.askedAt, 100)).toBeLessThan(60);
  store.askedAt.length = 0;
  await clock.advance(700_000);
  // The listing of each ten minutes.
  expect(crowd(store.askedAt, 1_000)).toBeLessThan(60);
});

/** The most that came within so many milliseconds. */
function crowd(times: readonly number[], withinMs: number): number {
  const windows = Map.groupBy(times, (at) => Math.floor(at / withinMs));
  return Math.max(0, ...[...windows.values()].map((each) => each.length));
}
