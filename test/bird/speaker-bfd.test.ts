import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { FakeBfd } from '../support/fake-bfd.ts';
import { peerSettings } from '../support/bgp.ts';
import { A, B, C, learned, peer, SpeakerBench } from '../support/speakers.ts';

const bfd = { transmitMs: 300, receiveMs: 300, multiplier: 3 } as const;

let bench: SpeakerBench;
let watch: FakeBfd;
let a: Speaker;
let b: Speaker;

beforeEach(async () => {
  bench = new SpeakerBench();
  watch = new FakeBfd();
  a = await bench.start({
    address: A,
    peers: [{ address: B, bfd }],
    originates: ['192.168.1.0/26'],
    world: { bfd: watch },
  });
  b = await bench.start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
  await bench.clock.advance(3000);
});

afterEach(() => bench.close());

test('a peer that asks for BFD is watched, and shows it', () => {
  expect(watch.wanted).toMatchObject([{ transmitMs: 300, multiplier: 3 }]);
  expect(peer(a).bfd).toMatchObject({ state: 'Down' });
  watch.up(B);
  expect(peer(a).bfd).toMatchObject({ state: 'Up' });
});

test('a path that fails after it was up ends the session with Cease / BFD Down, and the routes go at once', async () => {
  watch.up(B);
  watch.down(B);
  await bench.clock.advance(10);
  expect(peer(a).incidents.at(-1)).toMatchObject({ kind: 'bfd', isFlap: true });
  expect(learned(a)).toEqual([]);
  expect(peer(b).lastError).toContain('BFD Down');
});

test('and the peer keeps none of ours: the path is no good to it either, though both sent the N bit', async () => {
  watch.up(B);
  watch.down(B);
  await bench.clock.advance(10);
  expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / BFD Down (Hard Reset)');
  expect(learned(b)).toEqual([]);
});

describe('a path that fails while the peer restarts', () => {
  const failsWhileAway = async (peerSays: { readonly isPeerIndependent: boolean }): Promise<void> => {
    watch.up(B, peerSays);
    await b.close({ kind: 'restart' });
    await bench.clock.advance(10);
    expect(peer(a).gracefulRestart).toMatchObject({ staleRoutes: 1 });
    watch.down(B, undefined, peerSays);
    await bench.clock.advance(10);
  };

  test('costs its routes where its BFD does not share the fate of its BGP: it no longer forwards', async () => {
    await failsWhileAway({ isPeerIndependent: true });
    expect(learned(a)).toEqual([]);
    expect(peer(a).gracefulRestart).toMatchObject({ peerRestarting: false, staleRoutes: 0 });
    const before = bench.clock.pending;
    await bench.clock.advance(200_000);
    expect(bench.clock.pending).toBeLessThanOrEqual(before);
  });

  test('costs nothing where its BFD went down with its BGP', async () => {
    await failsWhileAway({ isPeerIndependent: false });
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('costs everything where the peer is back and not done: that session ends as any other', async () => {
    await b.close({ kind: 'restart' });
    await bench.clock.advance(10);
    // A switch whose own selection waits for somebody else: no End-of-RIB.
    await bench.start({
      address: B,
      peers: [{ address: A }, { address: C }],
      originates: ['192.168.3.0/26'],
      gracefulRestart: { restarting: true, deferralSeconds: 600 },
      transit: true,
    });
    await bench.clock.advance(3000);
    expect(learned(a)).toHaveLength(2);
    watch.up(B, { isPeerIndependent: true });
    watch.down(B, undefined, { isPeerIndependent: true });
    await bench.clock.advance(10);
    expect(learned(a)).toEqual([]);
  });
});

test('a session that BFD never saw up is left alone', async () => {
  await bench.clock.advance(60_000);
  expect(peer(a)).toMatchObject({ state: 'Established', flaps: 0, bfd: { state: 'Down' } });
});

test('without BFD in its settings any more the peer is watched no longer, and nobody flaps', async () => {
  watch.up(B);
  a.setPeers([peerSettings({ address: B })]);
  await bench.clock.advance(10);
  expect(watch.wanted).toEqual([]);
  expect(peer(a)).toMatchObject({ state: 'Established', flaps: 0 });
});

test('a peer that the operator holds down is not watched', async () => {
  a.setPeers([peerSettings({ address: B, bfd, shutdown: 'maintenance' })]);
  await bench.clock.advance(10);
  expect(watch.wanted).toEqual([]);
});

test('closing tells the peers that it is us', async () => {
  await a.close({ kind: 'restart' });
  expect(watch.isClosed).toBe(true);
});
