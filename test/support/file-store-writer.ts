/**
 * A process of its own that writes to a file store, for tests of several processes:
 * `increment DIRECTORY KEY TIMES` counts by compare-and-swap; `append DIRECTORY NAME AT-ONCE` creates entries until it is
 * killed, so many at the same time, and prints each one's number once it is acknowledged.
 */
import { writeSync } from 'node:fs';
import { openFileStore } from '../../src/datastore/file.ts';
import { ConflictError } from '../../src/datastore/store.ts';
import type { Store } from '../../src/datastore/store.ts';

const [, , job = '', directory = '', name = '', number = '1'] = process.argv;
// Small limits, so that the journal is rewritten again and again under all the others.
const store = await openFileStore({ directory, limits: { maxChanges: 50, maxOctets: 1 << 20, keepChanges: 25 } });

if (job === 'increment') for (let i = 0; i < Number(number); i++) await increment(store, name);
else for (let i = 0; ; i += Number(number)) await appendFrom(i);
await store.close();

async function appendFrom(first: number): Promise<void> {
  await Promise.all(Array.from({ length: Number(number) }, (_, i) => append(first + i)));
}

async function append(i: number): Promise<void> {
  await store.create(`/${name}/${i}`, 'x'.repeat((i * 997) % 5_000));
  writeSync(1, `${i}\n`);
}

async function increment(by: Store, key: string): Promise<void> {
  for (;;) {
    const { value, revision } = (await by.get(key))!;
    try {
      await by.update(key, (value as number) + 1, revision);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
