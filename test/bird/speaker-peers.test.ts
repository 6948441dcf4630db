import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, learned, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

describe('a change of a peer’s settings', () => {
  const ofB = (changes: Partial<PeerText>) => [peerSettings({ address: B, ...changes })];
  const ofA = (changes: Partial<PeerText>) => [peerSettings({ address: A, ...changes })];

  test.each<Partial<PeerText>>([
    { kind: 'node specific', origin: 'BGPPeer(b)' },
    { connectRetrySeconds: 7, errorWaitSeconds: [2, 8] },
    { gracefulRestartSeconds: 20 },
    { keepaliveSeconds: 3 },
    { passive: true },
    { port: 1790 },
    { description: 'tor a' },
    { notificationRestart: false },
    { longLivedSeconds: 3600 },
    { nextHop: 'self' },
    { routeReflectorClient: true },
  ])('%o leaves the session alone', async (changes) => {
    const [a, b] = await bench.pair();
    a.setPeers(ofB(changes));
    await clock.advance(100_000);
    expect(peer(a)).toMatchObject({ state: 'Established', settings: changes, flaps: 0 });
    expect(peer(b).flaps).toBe(0);
  });

  test('of another peer does not make one dial that waits after an error', async () => {
    const [a] = await bench.pair({ errorWaitSeconds: [60, 60], remoteAsn: 65009 });
    const { state, since } = peer(a);
    a.setPeers([...ofB({ errorWaitSeconds: [60, 60], remoteAsn: 65009 }), peerSettings({ address: '10.0.0.9' })]);
    await clock.advance(100);
    expect([state, peer(a, 1).state]).toEqual(['Idle', 'Active']);
    expect(peer(a)).toMatchObject({ state, since });
  });

  test('of its waits ends the one that is under way', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, connectRetrySeconds: 3600 }] });
    await clock.advance(600_000);
    expect(peer(a)).toMatchObject({ state: 'Active', reach: { dialled: 1 } });
    a.setPeers(ofB({ connectRetrySeconds: 5 }));
    await clock.advance(60_000);
    expect(peer(a).reach.dialled).toBeGreaterThan(10);
  });

  test('of its name is news, for routes bear it', async () => {
    const [a] = await bench.pair();
    let calls = 0;
    a.onRoutesChange(() => calls++);
    a.setPeers(ofB({ kind: 'node specific' }));
    await clock.advance(1);
    expect([calls, a.learnedRoutes()[0]?.learnedFrom]).toEqual([1, '10.0.0.2 (node specific)']);
  });

  test('of its restart time is told in the next session', async () => {
    const [a, b] = await bench.pair();
    a.setPeers(ofB({ gracefulRestartSeconds: 20 }));
    b.setPeers(ofA({ holdSeconds: 30 }));
    await clock.advance(5000);
    await a.close({ kind: 'restart' });
    await clock.advance(19_000);
    expect(learned(b)).toHaveLength(1);
    await clock.advance(1500);
    expect(learned(b)).toEqual([]);
  });

  test.each<Partial<PeerText>>([{ holdSeconds: 30 }, { localAddress: A }, { extendedMessages: true }])(
    '%o needs a new session, and neither side loses a route meanwhile',
    async (changes) => {
      const [a, b] = await bench.pair();
      const seen = new Set<string>();
      const look = (): void => void seen.add(`${learned(a).join()} ${learned(b).join()}`);
      a.onRoutesChange(look);
      b.onRoutesChange(look);
      a.setPeers(ofB(changes));
      look();
      expect(peer(a)).toMatchObject({ state: 'Active', lastError: 'the settings of the peer changed' });
      expect(peer(a).gracefulRestart?.staleRoutes).toBe(1);
      for (let ms = 0; ms < 5000; ms += 10) {
        await clock.advance(10);
        look();
      }
      expect([...seen]).toEqual(['192.168.2.0/26 via 10.0.0.2 192.168.1.0/26 via 10.0.0.1']);
      expect(peer(a)).toMatchObject({ state: 'Established', flaps: 1, gracefulRestart: { staleRoutes: 0 } });
      expect(peer(b).lastError).toBe('the peer closed the connection');
    },
  );

  test('while its routes are stale and it is away loses none of them, and the restart time still ends them', async () => {
    const [a, b] = await bench.pair({}, { gracefulRestartSeconds: 20 });
    await b.close({ kind: 'restart' });
    await clock.advance(10_000);
    a.setPeers(ofB({ holdSeconds: 30, port: 1790 }));
    await clock.advance(9000);
    expect(learned(a)).toHaveLength(1);
    await clock.advance(1500);
    expect(learned(a)).toEqual([]);
  });

  test('that it does not agree with ends its routes with its restart time', async () => {
    const [a] = await bench.pair({}, { gracefulRestartSeconds: 20 });
    a.setPeers(ofB({ localAsn: 64999, remoteAsn: 64512 }));
    await clock.advance(19_000);
    expect(learned(a)).toHaveLength(1);
    await clock.advance(2000);
    expect(learned(a)).toEqual([]);
  });

  /** What either side's routes were, each time they changed. */
  function watch(...both: readonly Speaker[]): readonly number[][] {
    return both.map((speaker) => {
      const counts: number[] = [];
      speaker.onRoutesChange(() => counts.push(learned(speaker).length));
      return counts;
    });
  }

  test('without graceful restart is told with a NOTIFICATION, and its routes go until it is back', async () => {
    const [a, b] = await bench.pair({ gracefulRestartSeconds: 0 });
    const counts = watch(a, b);
    a.setPeers(ofB({ gracefulRestartSeconds: 0, holdSeconds: 30 }));
    await clock.advance(5000);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Other Configuration Change');
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 30 });
    expect(counts).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('to another AS at the same address keeps nothing of the old peer', async () => {
    const [a, b] = await bench.pair();
    const counts = watch(a, b);
    a.setPeers(ofB({ remoteAsn: 65009 }));
    await clock.advance(5);
    expect(counts).toEqual([[0], [0]]);
  });

  test('to other families keeps nothing of the old session', async () => {
    const [a, b] = await bench.pair();
    const counts = watch(a, b);
    a.setPeers(ofB({ families: [4, 6] }));
    await clock.advance(5000);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Other Configuration Change (Hard Reset)');
    expect(counts).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });
});
