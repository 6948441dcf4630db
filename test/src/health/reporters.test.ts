import { beforeEach, describe, expect, test } from 'vitest';
import { EventLoopWatch } from '../../../src/health/event-loop.ts';
import { Heartbeat } from '../../../src/health/heartbeat.ts';
import { reportHealth } from '../../../src/health/report.ts';
import type { BgpPeerState } from '../../../src/health/verdicts.ts';
import { bgpVerdict, dataplaneVerdict, datastoreVerdict } from '../../../src/health/verdicts.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LateClock } from '../../support/late-clock.ts';

describe('event loop', () => {
  let clock: LateClock;
  let watch: EventLoopWatch;
  const verdict = (): string => {
    const { live, ready, detail } = watch.check(clock.time);
    return `${live ? (ready ? 'ready' : 'live') : 'dead'}: ${detail}`;
  };

  beforeEach(() => {
    clock = new LateClock();
    watch = new EventLoopWatch(clock);
    watch.start();
  });

  test('in time: ready', () => {
    clock.idle(60_000);
    expect(verdict()).toBe('ready: at most 0 ms late in the last 30 s');
  });

  test('three seconds late: live, not ready, and ready again once that is 30 s ago', () => {
    clock.time = 4000;
    clock.turn();
    clock.idle(5000);
    expect(verdict()).toBe('live: it stood still for 3.0 s, 5.0 s ago (more than 2.0 s)');
    clock.idle(25_001);
    expect(verdict()).toBe('ready: at most 0 ms late in the last 30 s');
  });

  test('twelve seconds late: not live, whether the question comes before the late timer or after it', () => {
    clock.idle(5000);
    clock.time += 13_000;
    expect(verdict()).toBe('dead: it stood still for 12 s, 0.0 s ago (more than 10 s)');
    clock.turn();
    clock.idle(2000);
    expect(verdict()).toBe('dead: it stood still for 12 s, 2.0 s ago (more than 10 s)');
  });

  test('a short lag after a long one does not hide it', () => {
    clock.time = 15_000;
    clock.turn();
    clock.time += 4000;
    clock.turn();
    expect(verdict()).toContain('dead: it stood still for 14 s');
  });
});

describe('heartbeat', () => {
  const settings = { name: 'netlink', everyMs: 5000, readyMs: 10_000, liveMs: 60_000 };
  let clock: FakeClock;
  let beats: PromiseWithResolvers<undefined>[];
  let heartbeat: Heartbeat;

  beforeEach(() => {
    clock = new FakeClock();
    beats = [];
    const beat = (): Promise<void> => {
      const one = Promise.withResolvers<undefined>();
      beats.push(one);
      return one.promise;
    };
    heartbeat = new Heartbeat(settings, { clock, beat });
    heartbeat.start();
  });

  test('answered: ready, and asked again five seconds later', async () => {
    expect(heartbeat.check(clock.now())).toEqual({ live: true, ready: false, detail: 'no answer yet' });
    await clock.advance(40);
    beats[0]!.resolve(undefined);
    await clock.advance(3000);
    expect(heartbeat.check(clock.now())).toEqual({
      live: true,
      ready: true,
      detail: 'answered within 40.0 ms, 3.0 s ago',
    });
    await clock.advance(2000);
    expect(beats).toHaveLength(2);
  });

  test('never answered: not ready after 10 s, not live after 60 s, and nothing is queued up behind it', async () => {
    beats[0]!.resolve(undefined);
    await clock.advance(5000);
    await clock.advance(10_001);
    expect(heartbeat.check(clock.now())).toEqual({ live: true, ready: false, detail: 'no answer for 10 s' });
    await clock.advance(50_000);
    expect(heartbeat.check(clock.now())).toEqual({ live: false, ready: false, detail: 'no answer for 65 s' });
    expect(beats).toHaveLength(2);
  });

  test('refused: not ready with the reason, not live once that has lasted, ready at the first answer', async () => {
    beats[0]!.reject(new Error('look up the route to 127.0.0.1: ENOBUFS (no buffer space left)'));
    await clock.advance(1);
    expect(heartbeat.check(clock.now())).toMatchObject({
      live: true,
      ready: false,
      detail: 'look up the route to 127.0.0.1: ENOBUFS (no buffer space left)',
    });
    for (let i = 1; i < 13; i++) {
      await clock.advance(5000);
      beats[i]!.reject(new Error('ENOBUFS'));
    }
    await clock.advance(1000);
    expect(heartbeat.check(clock.now())).toMatchObject({ live: false, detail: 'no answer for 61 s: ENOBUFS' });
    await clock.advance(5000);
    beats.at(-1)!.resolve(undefined);
    await clock.advance(0);
    expect(heartbeat.check(clock.now())).toMatchObject({ live: true, ready: true });
  });

  test('closed: not asked again', async () => {
    heartbeat.close();
    beats[0]!.resolve(undefined);
    await clock.advance(60_000);
    expect(beats).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('verdicts', () => {
  const view = { revision: 7, inSync: true };

  test.each([
    [undefined, 'not ready', 'not asked yet: the node registers first'],
    [{ ...view, inSync: false }, 'not ready', 'has not been read yet'],
    [{ ...view, inSync: false, stale: 'refused', staleSince: 0 }, 'not ready', 'has not been read yet: refused'],
    [view, 'ready', 'in sync at revision 7'],
    [{ ...view, stale: 'refused', staleSince: 940_000 }, 'ready', 'stale for 60 s, what was known is kept: refused'],
    [{ ...view, stale: 'refused', staleSince: 0 }, 'not ready', 'stale for 17 min, what was known is kept: refused'],
  ])('datastore %j: %s', (given, word, detail) => {
    expect(datastoreVerdict(given, { now: 1_000_000 })).toEqual({ live: true, ready: word === 'ready', detail });
  });

  test.each([[undefined], [view]])('datastore %j, locked for a migration: not ready', (given) => {
    expect(datastoreVerdict(given, { now: 1, isLocked: true })).toEqual({
      ...{ live: true, ready: false },
      detail: 'locked for a migration: what it said before is kept, and no pods can be added',
    });
  });

  const counts = { routes: 5, pending: 0, failed: 0 };
  const done = { hasReconciled: true };
  test.each([
    [{ hasReconciled: false }, 'not ready', 'the first reconcile has not ended yet'],
    [done, 'ready', '5 routes'],
    [{ ...done, passSince: 999_000 }, 'ready', '5 routes'],
    [{ ...done, error: 'EPERM' }, 'not ready', 'the kernel could not be read: EPERM'],
    [{ ...done, passSince: 900_000 }, 'not live', 'a pass over the kernel has run for 100 s'],
  ])('dataplane %j: %s', (health, word, detail) => {
    const live = word !== 'not live';
    expect(dataplaneVerdict(health, counts, 1_000_000)).toEqual({ live, ready: word === 'ready', detail });
  });

  test('routes that the kernel refuses are told, and leave the node ready', () => {
    expect(dataplaneVerdict(done, { routes: 5, pending: 2, failed: 1 }, 0)).toEqual({
      ...{ live: true, ready: true },
      detail: '5 routes, 2 pending, 1 refused by the kernel: calicoctl-ts routes',
    });
  });

  const peersUp = (...up: readonly boolean[]): BgpPeerState[] =>
    up.map((isUp, i) => ({ address: `172.30.1.${i + 1}`, isUp }));
  const none = 'listens, 0 of 6 peers Established';
  test.each([
    [undefined, false, 'does not listen yet'],
    [
      { converged: false, peers: peersUp(true, false) },
      false,
      "listens, but waits for the peers' End-of-RIB after a restart; 1 of 2 peers Established",
    ],
    [{ converged: true, peers: peersUp(true, false) }, true, 'listens, 1 of 2 peers Established'],
    [{ converged: true, peers: peersUp(...Array<boolean>(6).fill(false)) }, true, none],
  ])('bgp %j', (speaker, ready, detail) => {
    expect(bgpVerdict(speaker, { asBirdReady: false, upForMs: 100_000 })).toEqual({ live: true, ready, detail });
  });

  test.each([
    { up: [], upForMs: 1, ready: true, detail: 'listens, 0 of 0 peers Established' },
    { up: [true, true], upForMs: 1, ready: true, detail: 'listens, 2 of 2 peers Established' },
    { up: [true, false], upForMs: 30_000, ready: false, detail: '; BGP not established with 172.30.1.2' },
    { up: [true, false], upForMs: 30_001, ready: true, detail: 'listens, 1 of 2 peers Established' },
    {
      up: Array<boolean>(6).fill(false),
      upForMs: 30_001,
      ready: false,
      detail: `${none}; BGP not established with 172.30.1.1, 172.30.1.2, 172.30.1.3, 172.30.1.4, 172.30.1.5 and 1 more`,
    },
  ])("bgp as calico-node's --bird-ready: $up after $upForMs ms", ({ up, upForMs, ready, detail }) => {
    const verdict = bgpVerdict({ converged: true, peers: peersUp(...up) }, { asBirdReady: true, upForMs });
    expect(verdict).toEqual({ live: true, ready, detail: expect.stringContaining(detail) as string });
  });

  test('one that is not live is not ready, and so is the whole', () => {
    const check = (live: boolean) => (): { live: boolean; ready: boolean; detail: string } => ({
      ...{ live, ready: true },
      detail: '',
    });
    const report = reportHealth(
      [
        { name: 'a', check: check(true) },
        { name: 'b', check: check(false) },
      ],
      0,
    );
    expect(report).toEqual({
      ...{ live: false, ready: false },
      reporters: [
        { name: 'a', live: true, ready: true, detail: '' },
        { name: 'b', live: false, ready: false, detail: '' },
      ],
    });
  });
});
