/** RFC 9494: graceful restart, then long-lived graceful restart, then the end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { updateFrame } from '../support/bgp-bytes.ts';
import type { PeerText } from '../support/bgp.ts';
import { peerSettings } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, C, learned, originate, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

const LLGR_STALE = '65535:6';
const LONG: Partial<PeerText> = { gracefulRestartSeconds: 20, longLivedSeconds: 300 };
const restarting = { restarting: true, deferralSeconds: 60 };

const communities = (speaker: Speaker): readonly (readonly string[])[] =>
  speaker.routes().flatMap(({ from, communities: own }) => (from === 'this node' ? [] : [own]));

/** B is gone, and its restart time over. */
async function longLived(ofA: Partial<PeerText> = LONG, ofB: Partial<PeerText> = LONG): Promise<Speaker> {
  const [a, b] = await bench.pair(ofA, ofB);
  await b.close({ kind: 'restart' });
  await clock.advance(19_000);
  expect(communities(a)).toEqual([[]]);
  await clock.advance(2000);
  return a;
}

const again = (originates: readonly string[], ofB: Partial<PeerText> = LONG): Promise<Speaker> =>
  bench.start({ address: B, peers: [{ address: A, ...ofB }], originates, gracefulRestart: restarting });

describe('long-lived graceful restart', () => {
  test('keeps the routes of a peer that stays away, marked, for its long-lived time', async () => {
    const a = await longLived();
    expect(communities(a)).toEqual([[LLGR_STALE]]);
    expect(peer(a).gracefulRestart).toMatchObject({ peerRestarting: true, staleRoutes: 1, longLived: [4] });
    await clock.advance(298_000);
    expect(learned(a)).toHaveLength(1);
    await clock.advance(2000);
    expect(learned(a)).toEqual([]);
    expect(peer(a).gracefulRestart).toEqual({ negotiated: false, peerRestarting: false, staleRoutes: 0 });
  });

  test('begins at once with a peer whose restart time is zero', async () => {
    const now = { ...LONG, gracefulRestartSeconds: 0 };
    const [a, b] = await bench.pair(now, now);
    await b.close({ kind: 'restart' });
    await clock.advance(10);
    expect(communities(a)).toEqual([[LLGR_STALE]]);
  });

  test.each<readonly [Partial<PeerText>, Partial<PeerText>]>([
    [LONG, { gracefulRestartSeconds: 20 }],
    [{ gracefulRestartSeconds: 20 }, LONG],
  ])('is not there where one side does not speak it (%o, %o)', async (ofA, ofB) => {
    const a = await longLived(ofA, ofB);
    expect(learned(a)).toEqual([]);
  });

  test('does not keep what must not live so long', async () => {
    const [a, b] = await bench.pair(LONG, LONG);
    // ORIGIN igp, no AS_PATH, NEXT_HOP 10.0.0.2, LOCAL_PREF 100, COMMUNITIES NO_LLGR, of 10.7.0.0/16.
    const attributes = '40010100 400200 4003040a000002 40050400000064 c00804ffff0007';
    bench.network.inject(B, A, updateFrame({ attributes, nlri: '100a07' }));
    await clock.advance(100);
    expect(learned(a)).toHaveLength(2);
    await b.close({ kind: 'restart' });
    await clock.advance(19_000);
    expect(learned(a)).toHaveLength(2);
    await clock.advance(2000);
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('ends with the End-of-RIB of the peer: what it told again is as fresh as ever, the rest goes', async () => {
    const [a, b] = await bench.pair(LONG, LONG);
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(100);
    await b.close({ kind: 'restart' });
    await clock.advance(100_000);
    expect(learned(a)).toHaveLength(2);
    await again(['192.168.3.0/26']);
    await clock.advance(5000);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.2']);
    expect(communities(a)).toEqual([[]]);
    await clock.advance(400_000);
    expect(learned(a)).toHaveLength(1);
  });

  test('loses nothing when the peer restarts again in its long-lived time, which runs on', async () => {
    const a = await longLived();
    const counts = new Set<number>();
    a.onRoutesChange(() => counts.add(learned(a).length));
    for (let round = 0; round < 3; round++) {
      // A switch whose selection waits for C tells its own routes, and no End-of-RIB.
      const short = await bench.start({
        address: B,
        peers: [{ address: A, ...LONG }, { address: C }],
        originates: ['192.168.9.0/26'],
        gracefulRestart: { restarting: true, deferralSeconds: 600 },
        transit: true,
      });
      await clock.advance(5000);
      expect(peer(a)).toMatchObject({ state: 'Established', gracefulRestart: { longLived: [4] } });
      await short.close({ kind: 'restart' });
      await clock.advance(20_000);
    }
    expect([...counts]).toEqual([2]);
    await clock.advance(230_000);
    expect(learned(a)).toEqual([]);
  });

  test('drops everything of a peer that is back without it', async () => {
    const a = await longLived();
    const counts: number[] = [];
    a.onRoutesChange(() => counts.push(learned(a).length));
    await again(['192.168.2.0/26'], { gracefulRestartSeconds: 20 });
    await clock.advance(5000);
    expect(counts).toEqual([0, 1]);
  });

  test('is over at once for a peer that is removed, and leaves no timer', async () => {
    const a = await longLived();
    a.setPeers([]);
    await clock.advance(1);
    expect(learned(a)).toEqual([]);
    const before = clock.pending;
    a.setPeers([peerSettings({ address: C, passive: true })]);
    expect(clock.pending).toBe(before);
  });
});
