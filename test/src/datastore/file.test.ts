import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFileStore } from '../../../src/datastore/file.ts';
import { encodeLine } from '../../../src/datastore/journal.ts';
import type { Change, Store } from '../../../src/datastore/store.ts';
import {
  AlreadyExistsError,
  CompactedError,
  ConflictError,
  NoDatastoreError,
  NotFoundError,
  UnavailableError,
} from '../../../src/datastore/store.ts';
import { describeStore, take } from '../../compliance/store.ts';

const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'calico-ts-file-'));
/** A journal that is rewritten after every few changes. */
const TIGHT = { maxChanges: 4, maxOctets: 1 << 20, keepChanges: 2 };

describeStore('the file store', async () => {
  const directory = await temporary();
  const [store, other] = [await openFileStore({ directory }), await openFileStore({ directory })];
  return {
    store,
    other,
    compact: async () => {
      const rewriter = await openFileStore({
        directory,
        limits: { maxChanges: 0, maxOctets: 1 << 20, keepChanges: 1 },
      });
      await rewriter.create('/compact', 1);
      await rewriter.close();
    },
    tearDown: async () => {
      await Promise.all([store.close(), other.close()]);
      await rm(directory, { recursive: true });
    },
  };
});

/** Root may write everywhere: for a while this process is nobody in particular. */
async function withoutRoot(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(65534);
  try {
    await work();
  } finally {
    process.seteuid!(0);
  }
}

/** What all open files have their methods from: a disk that fails is made here. */
async function fileMethods(directory: string): Promise<FileHandle> {
  const handle = await open(join(directory, 'journal'), 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: the disk says so`), { code });

describe('the file store', () => {
  let directory: string;
  const stores: Store[] = [];
  const opened = async (limits?: typeof TIGHT): Promise<Store> => {
    const store = await openFileStore({ directory, ...(limits && { limits }) });
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    directory = join(await temporary(), 'not', 'there', 'yet');
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await rm(join(directory, '..', '..', '..'), { recursive: true, force: true });
  });

  test('makes its directory, for the owner alone, and finds its entries again', async () => {
    const store = await opened();
    const entry = await store.create('/a', { b: 'ü' });
    await store.close();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await (await opened()).get('/a')).toEqual(entry);
  });

  test('makes nothing where it must exist, neither a directory nor a journal in an empty one', async () => {
    const missing = openFileStore({ directory, mustExist: true });
    await expect(missing).rejects.toThrow(NoDatastoreError);
    await expect(missing).rejects.toThrow(`there is no datastore in ${directory}`);
    await expect(stat(directory)).rejects.toThrow('ENOENT');
    await mkdir(directory, { recursive: true });
    await expect(openFileStore({ directory, mustExist: true })).rejects.toThrow(NoDatastoreError);
    expect(await readdir(directory)).toEqual([]);
    await (await opened()).create('/a', 1);
    const there = await openFileStore({ directory, mustExist: true });
    expect((await there.get('/a'))?.value).toBe(1);
    await there.close();
  });

  test('says in one sentence which directory cannot be made', async () => {
    await writeFile(join(directory, '..', '..', '..', 'not'), 'a file in the way');
    await expect(openFileStore({ directory })).rejects.toThrow(
      new RegExp(`^cannot open datastore directory ${directory}: ENOTDIR.*$`),
    );
    await expect(openFileStore({ directory })).rejects.toBeInstanceOf(UnavailableError);
  });

  test('ends writes and watches with UnavailableError when its directory is removed', async () => {
    const store = await opened();
    await store.create('/a', 1);
    const watch = expect(take((signal) => store.watch('/', 1, signal), 1)).rejects.toThrow(UnavailableError);
    await rm(directory, { recursive: true });
    await watch;
    await expect(store.create('/b', 1)).rejects.toThrow(/^cannot write datastore directory .*ENOENT/);
  });

  test('tells watchers to list again when its directory is made anew', async () => {
    const store = await opened();
    const { revision } = await store.create('/a', 1);
    await rm(directory, { recursive: true });
    const anew = await opened();
    for (let i = 0; i < 5; i++) await anew.create(`/new${i}`, i);
    await expect(take((signal) => store.watch('/', revision, signal), 1)).rejects.toThrow(CompactedError);
    expect((await store.list('/')).entries).toHaveLength(5);
    await store.create('/both', 1);
    expect((await anew.get('/both'))?.value).toBe(1);
  });

  test.each([
    ['half a line', '0011aabb {"r":2,"k":"/b","v'],
    ['a whole line with a wrong checksum', '00000000 {"r":2,"k":"/b","v":1}\n'],
    ['a long piece of a line', `0011aabb {"r":2,"k":"/b","v":"${'x'.repeat(300)}`],
    ['octets of nothing', '\0\0\0\0\0\0\0\0\0\0\0\0\n\0\0'],
  ])('%s at the end of the journal is unseen by readers and cut off by the next writer', async (_what, torn) => {
    const first = await opened();
    await first.create('/a', 1);
    await appendFile(join(directory, 'journal'), torn);
    const second = await opened();
    expect((await second.list('/')).entries.map(({ key }) => key)).toEqual(['/a']);
    expect((await second.create('/c', 3)).revision).toBe(2);
    expect((await first.create('/d', 4)).revision).toBe(3);
    expect((await second.list('/')).entries.map(({ key }) => key)).toEqual(['/a', '/c', '/d']);
    const text = await readFile(join(directory, 'journal'), 'utf8');
    expect(text.includes('"/b"')).toBe(false);
    expect(text.endsWith('"v":4}\n')).toBe(true);
  });

  test('every cut of the journal leaves a store with a prefix of what was written', async () => {
    const store = await opened();
    const ends: number[] = [];
    for (let i = 0; i < 4; i++) {
      ends.push((await stat(join(directory, 'journal'))).size);
      await store.create(`/k${i}`, i);
    }
    await store.close();
    const whole = await readFile(join(directory, 'journal'));
    for (let cut = whole.length; cut >= ends[0]!; cut--) {
      await truncate(join(directory, 'journal'), cut);
      const reader = await openFileStore({ directory });
      const complete = ends.slice(1).filter((end) => end <= cut).length + (cut === whole.length ? 1 : 0);
      expect((await reader.list('/')).entries).toHaveLength(complete);
      await reader.close();
    }
  });

  test('a journal that is damaged in its middle is refused, with the place', async () => {
    const store = await opened();
    await store.create('/a', 1);
    const end = (await stat(join(directory, 'journal'))).size;
    await store.create('/b', 1);
    await store.create('/c', 1);
    await store.close();
    const octets = await readFile(join(directory, 'journal'));
    octets[end + 12]! ^= 1;
    await writeFile(join(directory, 'journal'), octets);
    const again = await opened().catch((error: unknown) => error as Error);
    expect(again).toBeInstanceOf(UnavailableError);
    expect((again as Error).message).toMatch(new RegExp(`journal is damaged at octet ${end}: restore it from a copy$`));
  });

  test('a watcher follows through one rewriting of the journal after the other', async () => {
    const [writer, reader] = [await opened(TIGHT), await opened()];
    const { revision } = await reader.list('/');
    const seen = take((signal) => reader.watch('/', revision, signal), 40);
    for (let i = 0; i < 40; i++) {
      await writer.create(`/k${i}`, i);
      await reader.get('/');
    }
    expect((await seen).map((change: Change) => change.type === 'put' && change.entry.value)).toEqual(
      Array.from({ length: 40 }, (_, i) => i),
    );
    const lines = (await readFile(join(directory, 'journal'), 'utf8')).trim().split('\n');
    expect(lines.length).toBeLessThan(1 + 40 + TIGHT.keepChanges + TIGHT.maxChanges + 1);
  });

  test('the journal of an entry that changes for ever stays small', async () => {
    const store = await opened(TIGHT);
    let { revision } = await store.create('/a', 0);
    for (let i = 1; i < 100; i++) ({ revision } = await store.update('/a', i, revision));
    const lines = (await readFile(join(directory, 'journal'), 'utf8')).trim().split('\n');
    expect(lines.length).toBeLessThan(12);
    await store.close();
    const again = await opened();
    expect(await again.get('/a')).toEqual({ key: '/a', value: 99, revision });
    expect((await again.list('/')).revision).toBe(100);
  });

  test('a draft that a killed rewriter left behind is no hindrance', async () => {
    const store = await opened(TIGHT);
    await writeFile(join(directory, 'journal.new'), 'half');
    for (let i = 0; i < 10; i++) await store.create(`/k${i}`, i);
    expect((await (await opened()).list('/')).entries).toHaveLength(10);
  });

  test('writes that wait at the same time are one sync; each is answered when it is on disk, and for itself', async () => {
    const store = await opened();
    const { revision } = await store.create('/there', 0);
    const sync = vi.spyOn(await fileMethods(directory), 'datasync');
    const many = Array.from({ length: 50 }, (_, i) => store.create(`/k${i}`, i));
    const outcomes = await Promise.allSettled([
      store.create('/there', 1),
      store.update('/there', 2, revision),
      store.update('/there', 3, revision),
      store.delete('/missing'),
      store.delete('/k0'),
      ...many,
    ]);
    expect(sync).toHaveBeenCalledTimes(1);
    sync.mockRestore();
    const [exists, updated, conflict, missing, deleted] = outcomes;
    expect(exists).toMatchObject({ status: 'rejected', reason: expect.any(AlreadyExistsError) });
    expect(updated).toMatchObject({ status: 'fulfilled', value: { value: 2 } });
    expect(conflict).toMatchObject({ status: 'rejected', reason: expect.any(ConflictError) });
    expect(missing).toMatchObject({ status: 'rejected', reason: expect.any(NotFoundError) });
    expect(deleted).toMatchObject({ status: 'fulfilled' });
    const revisions = (await Promise.all(many)).map((entry) => entry.revision);
    expect(revisions).toEqual(Array.from({ length: 50 }, (_, i) => revision + 1 + i));
    expect((await (await opened()).list('/')).entries).toHaveLength(50);
  });

  test('of a group that fills the disk, what is whole stands, the rest is refused, and the store goes on', async () => {
    const [store, other] = [await opened(), await opened()];
    await store.create('/first', 1);
    const methods = await fileMethods(directory);
    const really = Reflect.get(methods, 'write') as (...given: readonly unknown[]) => Promise<never>;
    const write = vi.spyOn(methods, 'write').mockImplementationOnce(async function (this: FileHandle, ...given) {
      const [octets, , , position] = given as unknown as readonly [Buffer, number, number, number];
      const twoLinesAndABit = octets.indexOf(10, octets.indexOf(10) + 1) + 5;
      const done = await really.call(this, octets, 0, twoLinesAndABit, position);
      write.mockRejectedValueOnce(failure('ENOSPC'));
      // Others read as soon as it is there.
      expect((await other.list('/')).entries.map(({ key }) => key)).toEqual(['/a', '/b', '/first']);
      return done;
    });
    const outcomes = await Promise.allSettled(['/a', '/b', '/c', '/d'].map((key) => store.create(key, key)));
    write.mockRestore();
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    const [, , refused] = outcomes as readonly PromiseRejectedResult[];
    expect(refused!.reason).toBeInstanceOf(UnavailableError);
    expect((refused!.reason as Error).message).toMatch(
      /^cannot write datastore directory .*: ENOSPC: the disk says so$/,
    );
    expect((await other.create('/e', 1)).revision).toBe(4);
    expect((await store.create('/f', 1)).revision).toBe(5);
    const keys = ['/a', '/b', '/e', '/f', '/first'];
    for (const each of [store, other, await opened()]) {
      expect((await each.list('/')).entries.map(({ key }) => key)).toEqual(keys);
    }
  });

  test('of what was written as one, no cut of the journal leaves a part, nor does a full disk', async () => {
    const store = await opened();
    const together = (...keys: readonly string[]): Promise<void> =>
      store.writeAll(keys.map((key) => ({ type: 'create', key, value: key })));
    await together('/a', '/b');
    const start = (await stat(join(directory, 'journal'))).size;
    const write = vi.spyOn(await fileMethods(directory), 'write').mockRejectedValueOnce(failure('ENOSPC'));
    await expect(together('/full', '/too')).rejects.toThrow(UnavailableError);
    write.mockRestore();
    await together('/c', '/d', '/e');
    await store.close();
    const whole = (await stat(join(directory, 'journal'))).size;
    const counts = new Set<number>();
    for (let cut = whole; cut >= start; cut--) {
      await truncate(join(directory, 'journal'), cut);
      const reader = await openFileStore({ directory });
      counts.add((await reader.list('/')).entries.length);
      await reader.close();
    }
    expect([...counts]).toEqual([5, 2]);
  });

  test('a journal of before is read, and rewritten before what an older reader would not understand', async () => {
    const store = await opened();
    await store.create('/a', 1);
    await store.close();
    const path = join(directory, 'journal');
    const [header = '', ...lines] = (await readFile(path, 'utf8')).split('\n');
    const older = encodeLine({ ...(JSON.parse(header.slice(9)) as object), version: 1 });
    await writeFile(path, Buffer.concat([older, Buffer.from(lines.join('\n'))]));
    const [again, other] = [await opened(), await opened()];
    expect((await again.get('/a'))?.value).toBe(1);
    await again.writeAll(['/b', '/c'].map((key) => ({ type: 'create', key, value: key })));
    expect((await readFile(path, 'utf8')).split('\n')[0]).toContain('"version":2');
    for (const each of [again, other, await opened()]) {
      const { entries, revision } = await each.list('/');
      expect([entries.length, revision]).toEqual([3, 3]);
    }
  });

  test('a group whose sync fails is refused as a whole, and what became of it is read anew', async () => {
    const store = await opened();
    await store.create('/first', 1);
    const sync = vi.spyOn(await fileMethods(directory), 'datasync').mockRejectedValueOnce(failure('EIO'));
    const outcomes = await Promise.allSettled(['/a', '/b'].map((key) => store.create(key, key)));
    sync.mockRestore();
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) });
    }
    const stored = (await (await opened()).list('/')).entries;
    expect((await store.list('/')).entries).toEqual(stored);
    expect((await store.create('/c', 1)).revision).toBe(1 + stored.length);
  });

  test('what is written is seen by whoever reads after it, here and in another process, and readers share a look', async () => {
    const [store, other] = [await opened(), await opened()];
    const reads: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      reads.push(other.get(`/k${i - 1}`), store.list('/'));
      await Promise.all([store.create(`/k${i}`, i), other.create(`/o${i}`, i)]);
      expect((await other.get(`/k${i}`))?.value).toBe(i);
      expect((await store.get(`/o${i}`))?.value).toBe(i);
    }
    await Promise.all(reads);
  });

  test('who may not write may read', async () => {
    await (await opened()).create('/a', 1);
    for (const parent of ['.', '..', '../..', '../../..']) await chmod(join(directory, parent), 0o755);
    for (const file of ['journal', 'lock']) await chmod(join(directory, file), 0o444);
    await withoutRoot(async () => {
      const reader = await opened();
      expect((await reader.get('/a'))?.value).toBe(1);
      await expect(reader.create('/b', 1)).rejects.toThrow(/^cannot write datastore directory .*EACCES/);
    });
  });
});
