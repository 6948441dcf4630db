import { spawnSync } from 'node:child_process';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { CompactedError, UnavailableError } from '../../src/datastore/store.ts';
import type { Change, Store } from '../../src/datastore/store.ts';
import { startSyncer } from '../../src/datastore/syncer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { describeStore, take } from '../compliance/store.ts';
import { EtcdServer } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';

const HAS_ETCD = spawnSync('/usr/bin/etcd', ['--version']).status === 0;
const PORTS = { clock: systemClock, random: Math.random };

describe.skipIf(!HAS_ETCD)("etcd (Debian's etcd-server)", () => {
  let server: EtcdServer;
  let raw: Etcd3;
  const opened: Store[] = [];
  const open = async (): Promise<Store> => {
    const store = await openEtcdStore({ endpoints: [server.endpoint] }, PORTS);
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    server = await EtcdServer.start();
    raw = new Etcd3({ hosts: server.endpoint });
  });
  afterAll(async () => {
    raw.close();
    await Promise.all(opened.map((store) => store.close()));
    await server.remove();
  });

  describeStore('the etcd store', async () => {
    const [store, other] = [await open(), await open()];
    await raw.delete().all();
    return {
      store,
      other,
      compact: async (revision) => {
        await raw.kv.compact({ revision, physical: true });
      },
      tearDown: async () => {
        await Promise.all([store.close(), other.close()]);
      },
    };
  });

  test("what is no JSON is not shown, and an empty value is Calico's old {}", async () => {
    const store = await open();
    const { revision } = await store.list('');
    await raw.put('/odd/text').value('not json');
    await raw.put('/odd/empty').value('');
    await store.create('/odd/good', 1);
    expect((await store.list('/odd/')).entries.map(({ key, value }) => [key, value])).toEqual([
      ['/odd/empty', {}],
      ['/odd/good', 1],
    ]);
    const seen = await take((signal) => store.watch('/odd/', revision, signal), 3);
    expect(seen.map(({ type }) => type)).toEqual(['delete', 'put', 'put']);
  });

  describe('a listing of several pages', () => {
    const COUNT = 2_100;
    const keyOf = (n: number): string => `/paged/${String(n).padStart(4, '0')}`;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    /** Asks etcd while the listing waits, which is between two of its pages. */
    const meanwhile = (path: string, body: object): void => {
      const script = `fetch(${JSON.stringify(`${server.endpoint}/v3/kv/${path}`)}, { method: 'POST', body: ${JSON.stringify(JSON.stringify(body))} })
        .then(({ status }) => process.exit(status === 200 ? 0 : 1))`;
      expect(spawnSync(process.execPath, ['-e', script]).status).toBe(0);
    };
    /** Lists, and does this when the first page has come. */
    const listWhile = (store: Store, work: () => void): ReturnType<Store['list']> => {
      let isFirst = true;
      return store.list('/paged/', (entry) => {
        if (isFirst) work();
        isFirst = false;
        return entry;
      });
    };
    const fill = async (store: Store): Promise<void> => {
      await raw.delete().prefix('/paged/');
      for (let n = 0; n < COUNT; n += 100) {
        await store.writeAll(
          Array.from({ length: 100 }, (_, i) => ({ type: 'create', key: keyOf(n + i), value: 'old' }) as const),
        );
      }
    };

    test('shows one moment: what changes between two pages is told by a watch from its revision', async () => {
      const store = await open();
      await fill(store);
      const { entries, revision } = await listWhile(store, () => {
        meanwhile('put', { key: base64(keyOf(1_500)), value: base64('"new"') });
        meanwhile('deleterange', { key: base64(keyOf(2_050)) });
        meanwhile('put', { key: base64(keyOf(COUNT)), value: base64('"new"') });
        meanwhile('put', { key: base64(keyOf(0)), value: base64('"new"') });
      });
      expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: COUNT }, (_, n) => keyOf(n)));
      expect(new Set(entries.map(({ value }) => value))).toEqual(new Set(['old']));
      const seen = await take((signal) => store.watch('/paged/', revision, signal), 4);
      expect(seen.map((change) => (change.type === 'put' ? change.entry.key : `-${change.key}`))).toEqual([
        ...[keyOf(1_500), `-${keyOf(2_050)}`, keyOf(COUNT), keyOf(0)],
      ]);
    });

    test('ends with CompactedError where its revision is compacted between two pages', async () => {
      const store = await open();
      await fill(store);
      const { revision } = await store.list('/none/');
      const listing = listWhile(store, () => {
        meanwhile('put', { key: base64('/other'), value: base64('1') });
        meanwhile('compaction', { revision: revision + 1 });
      });
      await expect(listing).rejects.toBeInstanceOf(CompactedError);
    });
  });

  test('all keys that one transaction changes arrive together, none is mistaken for a duplicate', async () => {
    const store = await open();
    const { revision } = await store.list('');
    await raw
      .if('/txn/x', 'Version', '==', 0)
      .then(raw.put('/txn/a').value('1'), raw.put('/txn/b').value('2'))
      .commit();
    const seen = await take((signal) => store.watch('/txn/', revision, signal), 2);
    expect(seen.map((change) => change.type === 'put' && change.entry.key)).toEqual(['/txn/a', '/txn/b']);
  });

  test('a killed etcd ends the watch with one sentence, and no event is lost over its restart', async () => {
    const store = await open();
    const { revision } = await store.list('/kill/');
    const first = take((signal) => store.watch('/kill/', revision, signal), 1_000).then(
      () => undefined,
      (error: unknown) => error,
    );
    await store.create('/kill/1', 1);
    await server.kill();
    const failure = await first;
    expect(failure).toBeInstanceOf(UnavailableError);
    expect((failure as Error).message).toMatch(
      /^etcd at http:\/\/127\.0\.0\.1:\d+ (does not answer: |ended the watch)/,
    );
    await expect(store.get('/kill/1')).rejects.toThrow(/^etcd at http:\/\/127\.0\.0\.1:\d+ does not answer: /);
    await server.restart();
    await answers(() => store.get('/kill/1'));
    await store.create('/kill/2', 2);
    await store.delete('/kill/1');
    const seen = await take((signal) => store.watch('/kill/', revision, signal), 3);
    expect(seen.map(({ type }) => type)).toEqual(['put', 'put', 'delete']);
  });

  test('a syncer sees every write of a time in which etcd is killed, restarted and compacted, each once', async () => {
    const [store, writer] = [await open(), await open()];
    const told: Change[] = [];
    const stale: (string | undefined)[] = [];
    const handlers = {
      onChanges: (changes: readonly Change[]) => void told.push(...changes),
      onStale: (view: { readonly stale?: string }) => void stale.push(view.stale),
    };
    await writer.create('/sync/0', 0);
    const syncer = startSyncer(store, '/sync/', handlers, PORTS);
    await syncer.synced();
    await writer.create('/sync/1', 1);
    await eventually(() => syncer.view().entries.size === 2);
    await server.kill();
    await eventually(() => syncer.view().stale !== undefined);
    expect(syncer.view().entries.size).toBe(2);
    await server.restart();
    await answers(() => writer.get('/sync/1'));
    for (let i = 2; i < 10; i++) await writer.create(`/sync/${i}`, i);
    await writer.delete('/sync/0');
    const { revision } = await writer.list('/sync/');
    await raw.kv.compact({ revision, physical: true });
    await eventually(() => syncer.view().entries.size === 9 && syncer.view().stale === undefined);
    const puts = told.flatMap((change) => (change.type === 'put' ? [change.entry.key] : []));
    expect(puts).toEqual(Array.from({ length: 9 }, (_, i) => `/sync/${i + 1}`));
    expect(told.filter(({ type }) => type === 'delete')).toHaveLength(1);
    expect(stale[0]).toMatch(/^etcd at /);
    expect(stale.at(-1)).toBeUndefined();
    await syncer.close();
  });

  test('a paused etcd is given up after five seconds, not waited for', async () => {
    const store = await open();
    await store.get('/x');
    await server.pause();
    const started = performance.now();
    try {
      await expect(store.get('/x')).rejects.toThrow(/^etcd at .* does not answer: /);
      // Twice as long: the machine has other work.
      expect(performance.now() - started).toBeLessThan(10_000);
    } finally {
      server.resume();
    }
  });

  test('a wiped etcd makes watchers list again instead of waiting for revisions that were', async () => {
    const store = await open();
    for (let i = 0; i < 5; i++) await store.create(`/wipe/${i}`, i);
    const { revision } = await store.list('/wipe/');
    await server.kill();
    await server.wipe();
    await server.restart();
    await answers(() => store.get('/wipe/0'));
    await expect(take((signal) => store.watch('/wipe/', revision, signal), 1)).rejects.toThrow(CompactedError);
    expect((await store.list('/wipe/')).entries).toEqual([]);
  });

  test('with user and password it is let in, without them or with wrong ones it says why not', async () => {
    await raw.role('root').create();
    await raw.user('root').create('secret');
    await raw.user('root').addRole('root');
    await raw.auth.authEnable();
    const open = (user: object): Promise<Store> => openEtcdStore({ endpoints: [server.endpoint], ...user }, PORTS);
    const [good, wrong, none] = [
      await open({ username: 'root', password: 'secret' }),
      await open({ username: 'root', password: 'guess' }),
      await open({}),
    ];
    opened.push(good, wrong, none);
    const { revision } = await good.list('/auth/');
    await good.create('/auth/a', 1);
    expect(await take((signal) => good.watch('/auth/', revision, signal), 1)).toHaveLength(1);
    await expect(wrong.get('/auth/a')).rejects.toThrow(/^etcd at .* refuses us: .*authentication failed/);
    await expect(none.get('/auth/a')).rejects.toThrow(/^etcd at .* refuses us: .*user name is empty/);
  });
});

describe('an etcd that is not there', () => {
  test('answers with one sentence within five seconds, whatever is asked', async () => {
    const store = await openEtcdStore({ endpoints: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] }, PORTS);
    const started = performance.now();
    const sentence = /^etcd at http:\/\/127\.0\.0\.1:1, http:\/\/127\.0\.0\.1:2 does not answer: .*ECONNREFUSED/;
    await expect(store.list('/')).rejects.toThrow(sentence);
    await expect(store.create('/a', 1)).rejects.toBeInstanceOf(UnavailableError);
    await expect(take((signal) => store.watch('/', 1, signal), 1)).rejects.toThrow(sentence);
    expect(performance.now() - started).toBeLessThan(5_000);
    await store.close();
  });

  test('a TLS file that cannot be read is named', async () => {
    const settings = { endpoints: ['https://127.0.0.1:1'], tls: { ca: { file: '/nowhere/ca.pem' } } };
    await expect(openEtcdStore(settings, PORTS)).rejects.toThrow(
      /^ETCD_CA_CERT_FILE = '\/nowhere\/ca.pem': cannot be read/,
    );
  });
});

/** Asks again until the server that was just started answers. */
async function answers(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
