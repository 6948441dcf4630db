import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileStore } from '../../src/datastore/file.ts';
import type { Change, Store } from '../../src/datastore/store.ts';
import { startSyncer } from '../../src/datastore/syncer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { take } from '../compliance/store.ts';
import { FakeClock } from '../support/fake-clock.ts';

const WRITER = join(import.meta.dirname, '..', 'support', 'file-store-writer.ts');

let directory: string;
let store: Store;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-ts-file-'));
  store = await openFileStore({ directory });
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await store.close();
  await rm(directory, { recursive: true });
});

function writer(...args: readonly string[]): ChildProcess {
  const [job = '', ...rest] = args;
  const child = spawn(process.execPath, [WRITER, job, directory, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  return child;
}

test('four processes that count by compare-and-swap lose no increment, and all watchers see one order', async () => {
  await store.create('/n', 0);
  const other = await openFileStore({ directory });
  const { revision } = await store.list('/');
  const watches = [store, other].map((by) => {
    const changes: Change[] = [];
    const syncer = startSyncer(
      by,
      '/',
      { onChanges: (some) => void changes.push(...some) },
      { clock: systemClock, random: Math.random },
    );
    return { changes, syncer };
  });
  await Promise.all(watches.map(({ syncer }) => syncer.synced()));
  const exits = Array.from({ length: 4 }, () => once(writer('increment', '/n', '200'), 'exit'));
  expect((await Promise.all(exits)).map(([code]) => code as number)).toEqual([0, 0, 0, 0]);
  const last = (await store.get('/n'))!;
  expect(last).toEqual({ key: '/n', value: 800, revision: revision + 800 });
  for (const { changes, syncer } of watches) {
    while (syncer.view().revision < last.revision) await new Promise((resolve) => setTimeout(resolve, 20));
    const values = changes.map((change) => change.type === 'put' && (change.entry.value as number));
    expect(values).toEqual([...values].sort((a, b) => Number(a) - Number(b)));
    expect(new Set(values).size).toBe(values.length);
    expect(values.at(-1)).toBe(800);
    await syncer.close();
  }
  await other.close();
});

test.each([1, 7])(
  'kill -9 of a writer of %i at once loses nothing it was told is written, and leaves no half entry',
  async (atOnce) => {
    let acknowledged = 0;
    for (let seed = 0; seed < 12; seed++) {
      const child = writer('append', `w${seed}`, String(atOnce));
      let said = '';
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
      // Some writes in, then at a moment that differs from run to run.
      while (said.split('\n').length < 3 + seed * 4 * atOnce) await once(child.stdout!, 'data');
      await new Promise((resolve) => setTimeout(resolve, (seed * 7) % 5));
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      const numbers = said.split('\n').slice(0, -1).map(Number);
      const fresh = await openFileStore({ directory });
      for (const by of [store, fresh]) {
        const { entries } = await by.list(`/w${seed}/`);
        const found = new Map(entries.map(({ key, value }) => [key, value]));
        for (const i of numbers) expect(found.get(`/w${seed}/${i}`)).toBe('x'.repeat((i * 997) % 5_000));
        // At most the writes that were under way may be there too.
        expect(found.size - numbers.length).toBeLessThanOrEqual(atOnce);
      }
      await fresh.create(`/after/${seed}`, seed);
      await fresh.close();
      acknowledged += numbers.length;
    }
    expect(acknowledged).toBeGreaterThan(100);
    expect((await store.list('/after/')).entries).toHaveLength(12);
  },
);

test('a change by another process reaches a watcher without the slow poll', async () => {
  await store.create('/n', 0);
  // A clock that stands still: no poll is ever due.
  const ports = { clock: new FakeClock(), random: Math.random };
  const watching = await openFileStore({ directory, ports });
  const seen = take((signal) => watching.watch('/n', 1, signal), 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await store.update('/n', 1, 1);
  expect(await seen).toMatchObject([{ entry: { value: 1 } }]);
  await watching.close();
});
