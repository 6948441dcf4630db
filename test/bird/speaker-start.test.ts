import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PeerText } from '../support/bgp.ts';
import { dynamicPeers, peerSettings } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, C, learned, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

/** What an agent has, but for the moments after its start. */
const patient = { connectDelaySeconds: 2, connectRetrySeconds: 5 } as const;
const hasty: Partial<PeerText> = { ...patient, dialAtStart: true };

/** One that runs for long, and has given up on A some moments ago. */
async function waitingB(ofB: Partial<PeerText> = {}) {
  const b = await bench.start({
    address: B,
    peers: [{ address: A, ...patient, ...ofB }],
    originates: ['192.168.2.0/26'],
  });
  await clock.advance(20_100);
  return b;
}

describe('a speaker that has just started', () => {
  test('dials at once, however long the delay', async () => {
    await waitingB();
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty }] });
    await clock.advance(20);
    expect(peer(a).state).toBe('Established');
  });

  test('says that a session is up, and not before', async () => {
    await waitingB();
    const peerUp = vi.fn();
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty }], world: { peerUp } });
    expect(peerUp).not.toHaveBeenCalled();
    await clock.advance(20);
    expect(peer(a).state).toBe('Established');
    expect(peerUp).toHaveBeenCalledOnce();
  });

  test('waits as it is told where it shall not', async () => {
    await waitingB({ passive: true });
    const a = await bench.start({ address: A, peers: [{ address: B, ...patient }] });
    await clock.advance(1900);
    expect(peer(a).reach.dialled).toBe(0);
    await clock.advance(300);
    expect(peer(a).state).toBe('Established');
  });

  test('dials a peer that should call and does not', async () => {
    const b = await waitingB();
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty, passive: true }] });
    await clock.advance(230);
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
    expect(peer(a).reach.dialled).toBe(1);
  });

  test('does not dial a peer that calls by itself', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty, passive: true }] });
    await bench.start({ address: B, peers: [{ address: A, ...hasty }] });
    await clock.advance(10_000);
    expect([peer(a).state, peer(a).reach.dialled]).toEqual(['Established', 0]);
  });

  test('tries every second where nobody listens, and after five as often as ever', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty, connectRetrySeconds: 60 }] });
    await clock.advance(4500);
    expect(peer(a).reach.dialled).toBe(5);
    await clock.advance(55_000);
    expect(peer(a).reach.dialled).toBe(6);
  });

  test('leaves a passive peer alone after that', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty, passive: true }] });
    await clock.advance(100_000);
    expect(peer(a)).toMatchObject({ state: 'Active', reach: { dialled: 5 } });
  });

  test('gives up on a passive peer that does not answer', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, ...hasty, passive: true }] });
    bench.network.unplugged.add(B);
    await clock.advance(100_000);
    expect(peer(a).state).toBe('Active');
  });

  test('counts from when it has peers and listens, whichever comes last', async () => {
    const a = bench.make({ address: A });
    await a.start();
    await clock.advance(60_000);
    await waitingB();
    a.setPeers([peerSettings({ address: B, ...hasty })]);
    await clock.advance(20);
    expect(peer(a).state).toBe('Established');
  });

  test('has no haste for who comes later', async () => {
    const a = await bench.start({ address: A, peers: [{ address: C, ...hasty, passive: true }] });
    await clock.advance(6000);
    a.setPeers([peerSettings({ address: B, ...hasty }), peerSettings({ address: C, ...hasty, passive: true })]);
    await clock.advance(1900);
    expect(peer(a).reach.dialled).toBe(0);
    await clock.advance(200);
    expect(peer(a).reach.dialled).toBe(1);
  });

  test('never dials a dynamic peer', async () => {
    const a = bench.make({ address: A });
    a.setPeers([]);
    a.setDynamicPeers([dynamicPeers('10.0.0.0/24', hasty)]);
    await a.start();
    const b = await bench.start({ address: B, peers: [{ address: A, ...hasty }] });
    await clock.advance(100);
    expect(peer(a)).toMatchObject({ state: 'Established', reach: { dialled: 0 } });
    await b.close({ kind: 'restart' });
    await clock.advance(4000);
    expect(a.peers().every(({ reach }) => reach.dialled === 0)).toBe(true);
  });

  test('is let in at once by a peer that has not noticed that it was away, and no route is lost', async () => {
    const [a, b] = await bench.pair(hasty, hasty);
    bench.network.unplugged.add(B);
    await b.close({ kind: 'restart' });
    await clock.advance(1000);
    bench.network.unplugged.delete(B);
    let isLost = false;
    a.onRoutesChange(() => (isLost ||= learned(a).length === 0));
    expect(peer(a).state).toBe('Established');
    const again = await bench.start({
      address: B,
      peers: [{ address: A, ...hasty }],
      originates: ['192.168.2.0/26'],
      gracefulRestart: { restarting: true, deferralSeconds: 60 },
    });
    await clock.advance(500);
    expect([peer(a).state, peer(again).state, again.isConverged()]).toEqual(['Established', 'Established', true]);
    expect([learned(a), isLost]).toEqual([['192.168.2.0/26 via 10.0.0.2'], false]);
  });
});
