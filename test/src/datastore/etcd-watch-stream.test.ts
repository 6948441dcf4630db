/** What our watch makes of etcd's answers, over a stream that says what the test has it say. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchEtcd } from '../../../src/datastore/etcd-watch.ts';
import type { WatchStream } from '../../../src/datastore/etcd-watch.ts';
import { changeKey, changeRevision } from '../../../src/datastore/ledger.ts';
import type { Change } from '../../../src/datastore/store.ts';
import { CompactedError, UnavailableError } from '../../../src/datastore/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ENDPOINT = 'http://127.0.0.1:2379';
const REVISION = 5;

class FakeStream extends EventEmitter {
  readonly written: unknown[] = [];
  cancelled = 0;

  write(request: unknown): boolean {
    this.written.push(request);
    return true;
  }

  cancel(): void {
    this.cancelled++;
  }

  /** An answer with puts of these keys at these revisions, the value being the revision. */
  answer(puts: readonly (readonly [key: string, revision: number])[], more: object = {}): void {
    const events = puts.map(([key, revision]) => ({
      type: 'Put',
      kv: { key: Buffer.from(key), value: Buffer.from(String(revision)), mod_revision: String(revision) },
    }));
    this.emit('data', { header: { cluster_id: 'one', revision: '9' }, compact_revision: '0', events, ...more });
  }
}

let stream: FakeStream;
let clock: FakeClock;
let stop: AbortController;
let watch: AsyncGenerator<readonly Change[], void>;
/** Of the first batch. */
let first: Promise<IteratorResult<readonly Change[], void>>;

beforeEach(async () => {
  [stream, clock, stop] = [new FakeStream(), new FakeClock(), new AbortController()];
  watch = watchEtcd({
    open: () => Promise.resolve({ stream: stream as unknown as WatchStream, endpoint: ENDPOINT }),
    ...{ prefix: '/a/', revision: REVISION, signal: stop.signal, clock, clusterId: 'one' },
  });
  first = watch.next();
  first.catch(() => undefined);
  await clock.advance(0);
});
afterEach(() => stop.abort());

const told = async (next: Promise<IteratorResult<readonly Change[], void>>): Promise<readonly string[]> => {
  const { value } = await next;
  return (value ?? []).map((change) => `${changeKey(change)}@${changeRevision(change)}`);
};

test('it says itself where it starts: right after the revision that was seen', () => {
  const [request] = stream.written as readonly { readonly create_request: Record<string, unknown> }[];
  expect(request?.create_request).toEqual({
    ...{ key: Buffer.from('/a/'), range_end: Buffer.from('/a0') },
    ...{ start_revision: '6', progress_notify: true, fragment: true },
  });
});

describe('the revision guard', () => {
  test('lets nothing through that was seen before the watch, and nothing twice', async () => {
    stream.answer([
      ['/a/old', 4],
      ['/a/old', 5],
      ['/a/x', 6],
    ]);
    expect(await told(first)).toEqual(['/a/x@6']);
    stream.answer([['/a/x', 6]]);
    stream.answer([
      ['/a/x', 6],
      ['/a/y', 7],
    ]);
    expect(await told(watch.next())).toEqual(['/a/y@7']);
  });

  test('a batch is whole: fragments of a revision come together', async () => {
    stream.answer([['/a/x', 6]], { fragment: true });
    stream.answer([['/a/y', 6]]);
    expect(await told(first)).toEqual(['/a/x@6', '/a/y@6']);
    stream.answer([['/a/z', 7]]);
    expect(await told(watch.next())).toEqual(['/a/z@7']);
  });
});

describe('what only a new listing helps against', () => {
  test.each([
    ['compacted', { compact_revision: '8', canceled: true }, 'etcd keeps only what follows revision 8, not 5'],
    [
      'another cluster',
      { created: true, header: { cluster_id: 'two', revision: '9' } },
      `etcd at ${ENDPOINT} is another cluster now`,
    ],
    [
      'a history that is behind',
      { created: true, header: { cluster_id: 'one', revision: '4' } },
      `etcd at ${ENDPOINT} is at revision 4, behind the 5 we have seen`,
    ],
  ])('%s', async (_, answer, message) => {
    stream.answer([], answer);
    await expect(first).rejects.toEqual(new CompactedError(message));
    expect(stream.cancelled).toBe(1);
  });

  test('not so a history at the very revision, whose watch goes on', async () => {
    stream.answer([], { created: true, header: { cluster_id: 'one', revision: '5' } });
    stream.answer([['/a/x', 6]]);
    expect(await told(first)).toEqual(['/a/x@6']);
  });
});

test('a cancelled watch, an ended stream and a broken one end it; what came before is still given out', async () => {
  stream.answer([['/a/x', 6]]);
  stream.answer([], { canceled: true, cancel_reason: 'etcdserver: no leader' });
  expect(await told(first)).toEqual(['/a/x@6']);
  await expect(watch.next()).rejects.toThrow('no leader');
  // Late, and nobody's.
  stream.emit('error', new Error('reset'));
});

test('the end of the stream is no quiet end', async () => {
  stream.emit('end');
  await expect(first).rejects.toEqual(new UnavailableError(`etcd at ${ENDPOINT} ended the watch`));
});

test('who stops wants nothing more, and the stream is given up', async () => {
  stream.answer([['/a/x', 6]]);
  stop.abort();
  expect(await first).toEqual({ done: true, value: undefined });
  expect(stream.cancelled).toBe(1);
  expect(clock.pending).toBe(0);
});

describe('silence', () => {
  const asked = (): number => stream.written.filter((one) => 'progress_request' in (one as object)).length;

  test('is asked about, and after 15 s it is a dead stream', async () => {
    await clock.advance(4_999);
    expect(asked()).toBe(0);
    await clock.advance(1);
    expect(asked()).toBe(1);
    await clock.advance(9_999);
    expect([asked(), stream.cancelled]).toEqual([2, 0]);
    await clock.advance(1);
    await expect(first).rejects.toThrow(
      `etcd at ${ENDPOINT} does not answer: its watch has been silent for 15 seconds`,
    );
    expect(clock.pending).toBe(0);
  });

  test('any answer ends it', async () => {
    for (let i = 0; i < 5; i++) {
      await clock.advance(14_000);
      stream.answer([]);
    }
    expect([asked(), stream.cancelled]).toEqual([10, 0]);
  });
});

test('a reader that is too slow comes back for the rest', async () => {
  const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => ['/a/x', from + i] as const);
  stream.answer(many(6, 100_000));
  expect(await told(first)).toHaveLength(100_000);
  stream.answer(many(100_006, 60_000));
  stream.answer(many(160_006, 40_000));
  expect(await told(watch.next())).toHaveLength(60_000);
  stream.answer(many(200_006, 60_001));
  expect(await told(watch.next())).toHaveLength(40_000);
  expect(await told(watch.next())).toHaveLength(60_001);
  await expect(watch.next()).rejects.toThrow(`the watch of etcd at ${ENDPOINT} is read too slowly`);
});
