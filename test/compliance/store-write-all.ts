import { describe, expect, test } from 'vitest';
import type { Change, Store, Write } from '../../src/datastore/store.ts';
import { AlreadyExistsError, ConflictError, MAX_WRITES, NotFoundError } from '../../src/datastore/store.ts';

export interface WriteAllUnderTest {
  readonly store: Store;
  readonly other: Store;
  readonly at: (key: string) => string;
  readonly prefix: string;
}

/** The error, and the key that it names. */
type Refusal = readonly [new (message: string) => Error, string];

const told = (change: Change): string =>
  change.type === 'put' ? `${change.entry.key}=${JSON.stringify(change.entry.value)}` : `${change.key} is gone`;
const revisionOf = (change: Change): number => (change.type === 'put' ? change.entry.revision : change.revision);

/** What every store promises of several writes as one; a part of `describeStore`. `made` is asked in each test. */
export function describeWriteAll(made: () => WriteAllUnderTest): void {
  describe('several writes as one', () => {
    const at = (key: string): string => made().at(key);
    const all = async (): Promise<readonly (readonly [string, unknown])[]> =>
      (await made().other.list(made().prefix)).entries.map(({ key, value }) => [key, value]);
    /** a, b, c are there; gives their revisions. */
    const three = async (): Promise<readonly [number, number, number]> => {
      const { store } = made();
      const revisions: number[] = [];
      for (const key of ['a', 'b', 'c']) revisions.push((await store.create(at(key), 1)).revision);
      return revisions as unknown as readonly [number, number, number];
    };
    const writes = (a: number, b: number): readonly Write[] => [
      { type: 'update', key: at('a'), value: { now: true }, revision: a },
      { type: 'create', key: at('new'), value: 'new' },
      { type: 'delete', key: at('b'), revision: b },
      { type: 'delete', key: at('c') },
    ];

    test('are all done, and those who watch are told of them in one batch, in the order in which they were asked for', async () => {
      const { store, other, prefix } = made();
      const [a, b, c] = await three();
      const waiting = firstBatch(other, prefix, c);
      await store.writeAll(writes(a, b));
      expect(await all()).toEqual([
        [at('a'), { now: true }],
        [at('new'), 'new'],
      ]);
      const expected = [`${at('a')}={"now":true}`, `${at('new')}="new"`, `${at('b')} is gone`, `${at('c')} is gone`];
      expect((await waiting).map(told)).toEqual(expected);
      // One who comes later reads them from the history, as one too.
      await store.create(at('later'), 1);
      expect((await firstBatch(other, prefix, c)).slice(0, 4).map(told)).toEqual(expected);
    });

    test('have revisions that a later compare-and-swap can name, and a watch continued after them sees none again', async () => {
      const { store, other, prefix } = made();
      const [a, b, c] = await three();
      await store.writeAll(writes(a, b));
      const batch = await firstBatch(other, prefix, c);
      const revisions = batch.map(revisionOf);
      expect([...revisions].sort((x, y) => x - y)).toEqual(revisions);
      expect(revisions[0]).toBeGreaterThan(c);
      for (const change of batch) {
        if (change.type === 'put') expect(await other.get(change.entry.key)).toEqual(change.entry);
      }
      const { revision } = await other.list(prefix);
      expect(revision).toBe(revisions.at(-1));
      await other.update(at('new'), 'newer', revisions[1]!);
      expect((await firstBatch(store, prefix, revision)).map(told)).toEqual([`${at('new')}="newer"`]);
    });

    test.each<[string, (by: Store, r: readonly number[]) => Promise<unknown>, Refusal]>([
      ['to be updated was changed', (by, [a]) => by.update(at('a'), 0, a!), [ConflictError, 'a']],
      ['to be updated is gone', (by) => by.delete(at('a')), [NotFoundError, 'a']],
      ['to be made is there', (by) => by.create(at('new'), 0), [AlreadyExistsError, 'new']],
      ['to be deleted is at another revision', (by, [, b]) => by.update(at('b'), 0, b!), [ConflictError, 'b']],
      ['to be deleted at a revision is gone', (by) => by.delete(at('b')), [NotFoundError, 'b']],
      ['to be deleted whatever it is is gone', (by) => by.delete(at('c')), [NotFoundError, 'c']],
    ])('are none of them done where what is %s, and the error names it', async (_, meddle, [error, key]) => {
      const { store, other } = made();
      const revisions = await three();
      await meddle(other, revisions);
      const before = await all();
      const asked = store.writeAll(writes(revisions[0], revisions[1]));
      await expect(asked).rejects.toThrow(error);
      await expect(asked).rejects.toThrow(`${at(key)} `);
      expect(await all()).toEqual(before);
    });

    test('throw what the first that may not be done would throw by itself', async () => {
      const { store } = made();
      await store.create(at('here'), 1);
      const wrong: readonly Write[] = [
        { type: 'delete', key: at('nowhere') },
        { type: 'create', key: at('here'), value: 2 },
      ];
      await expect(store.writeAll(wrong)).rejects.toThrow(NotFoundError);
      await expect(store.writeAll([...wrong].reverse())).rejects.toThrow(AlreadyExistsError);
    });

    test.each<[string, (a: number) => readonly Write[]]>([
      [
        'made twice',
        () => [
          { type: 'create', key: at('new'), value: 1 },
          { type: 'create', key: at('new'), value: 2 },
        ],
      ],
      [
        'updated and deleted',
        (a) => [
          { type: 'update', key: at('a'), value: 2, revision: a },
          { type: 'delete', key: at('a') },
        ],
      ],
      [
        'deleted twice',
        (a) => [
          { type: 'delete', key: at('a'), revision: a },
          { type: 'delete', key: at('a'), revision: a },
        ],
      ],
    ])('are refused where one key is %s: there would be no saying which counts', async (_, twice) => {
      const { store } = made();
      const [a] = await three();
      const before = await all();
      await expect(store.writeAll([{ type: 'delete', key: at('b') }, ...twice(a)])).rejects.toThrow(
        /^\/.* is written twice in one writeAll$/,
      );
      expect(await all()).toEqual(before);
    });

    test('of two writers that want the same, one is done whole and the other not at all', async () => {
      const { store, other } = made();
      const [a, b] = await three();
      const both = await Promise.allSettled([
        store.writeAll(writes(a, b)),
        other.writeAll([
          { type: 'create', key: at('others'), value: 1 },
          { type: 'update', key: at('b'), value: 'others', revision: b },
        ]),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const isOurs = both[0].status === 'fulfilled';
      expect((await all()).map(([key]) => key)).toEqual((isOurs ? ['a', 'new'] : ['a', 'b', 'c', 'others']).map(at));
    });

    test('of many writers interleaved leave sums that were never half written', async () => {
      const { store, other, prefix } = made();
      const first = [await store.create(at('x'), 0), await store.create(at('y'), 0)];
      const sums: number[] = [];
      const stop = new AbortController();
      const seen = new Map(first.map(({ key, value }) => [key, value as number]));
      const watching = (async () => {
        for await (const batch of other.watch(prefix, first[1]!.revision, stop.signal)) {
          for (const change of batch)
            if (change.type === 'put') seen.set(change.entry.key, change.entry.value as number);
          sums.push(seen.get(at('x'))! + seen.get(at('y'))!);
          if (seen.get(at('x')) === 16) return;
        }
      })();
      const move = async (by: Store): Promise<void> => {
        for (;;) {
          const [x, y] = [(await by.get(at('x')))!, (await by.get(at('y')))!];
          const moved = by.writeAll([
            { type: 'update', key: at('x'), value: (x.value as number) + 1, revision: x.revision },
            { type: 'update', key: at('y'), value: (y.value as number) - 1, revision: y.revision },
          ]);
          const isDone = await moved.then(
            () => true,
            (error: unknown) => {
              if (error instanceof ConflictError) return false;
              throw error;
            },
          );
          if (isDone) return;
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, i) => move(i % 2 ? store : other)));
      await watching;
      stop.abort();
      expect(new Set(sums)).toEqual(new Set([0]));
      expect(await all()).toEqual([
        [at('x'), 16],
        [at('y'), -16],
      ]);
    });

    test('are written as they were when it was asked for', async () => {
      const value = { n: 1 };
      const asked: Write[] = [{ type: 'create', key: at('a'), value }];
      const writing = made().store.writeAll(asked);
      value.n = 2;
      asked.push({ type: 'create', key: at('b'), value });
      await writing;
      expect(await all()).toEqual([[at('a'), { n: 1 }]]);
    });

    test('that are none change nothing, not even the revision', async () => {
      const { store, prefix } = made();
      const { revision } = await store.create(at('a'), 1);
      await store.writeAll([]);
      expect((await store.list(prefix)).revision).toBe(revision);
    });

    test('are as many as they may be; more are refused and none is done', async () => {
      const { store } = made();
      const many = (count: number): readonly Write[] =>
        Array.from({ length: count }, (_, i) => ({ type: 'create', key: at(`k${i}`), value: i }));
      await expect(store.writeAll(many(MAX_WRITES + 1))).rejects.toThrow(
        `${MAX_WRITES + 1} writes are too many for one writeAll, which takes ${MAX_WRITES}`,
      );
      expect(await all()).toEqual([]);
      await store.writeAll(many(MAX_WRITES));
      expect(await all()).toHaveLength(MAX_WRITES);
    });
  });
}

async function firstBatch(store: Store, prefix: string, revision: number): Promise<readonly Change[]> {
  const stop = new AbortController();
  try {
    for await (const batch of store.watch(prefix, revision, stop.signal)) return batch;
    return [];
  } finally {
    stop.abort();
  }
}
