import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { FakeBfd } from '../support/fake-bfd.ts';
import { peerSettings } from '../support/bgp.ts';
import { A, B, learned, peer, SpeakerBench } from '../support/speakers.ts';

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
