import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchEtcd } from '../../../src/datastore/etcd-watch.ts';
import type { WatchStream } from '../../../src/datastore/etcd-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('who stops while the stream is being opened is not kept waiting, and the stream is given up', async () => {
  const stop = new AbortController();
  let cancelled = 0;
  const stream = Object.assign(new EventEmitter(), { write: () => true, cancel: () => (cancelled += 1) });
  const watch = watchEtcd({
    open: async () => {
      await Promise.resolve();
      stop.abort();
      return { stream: stream as unknown as WatchStream, endpoint: 'http://127.0.0.1:2379' };
    },
    prefix: '/',
    revision: 1,
    signal: stop.signal,
    clock: new FakeClock(),
    clusterId: undefined,
  });
  expect(await watch.next()).toEqual({ done: true, value: undefined });
  expect(cancelled).toBe(1);
});
