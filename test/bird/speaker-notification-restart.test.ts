/** RFC 8538: what a NOTIFICATION, or silence, costs where both sides sent the N bit. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, frame } from '../support/bgp-bytes.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { MemoryNetwork } from '../support/memory-transport.ts';
import { A, B, learned, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;
let network: MemoryNetwork;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock, network } = bench);
});
afterEach(() => bench.close());

const SHORT: Partial<PeerText> = { holdSeconds: 9, gracefulRestartSeconds: 60, errorWaitSeconds: [1, 2] };

describe('silence until the hold timer', () => {
  const cutOff = async (seconds: number): Promise<void> => {
    network.unplugged.add(B);
    await clock.advance(seconds * 1000);
    network.unplugged.delete(B);
  };

  test('keeps the routes of both, and the new session confirms them', async () => {
    const [a, b] = await bench.pair(SHORT, SHORT);
    const counts = new Set<number>();
    for (const speaker of [a, b]) speaker.onRoutesChange(() => counts.add(learned(speaker).length));
    await cutOff(15);
    for (const speaker of [a, b]) {
      expect(peer(speaker)).toMatchObject({ gracefulRestart: { peerRestarting: true, staleRoutes: 1 }, flaps: 1 });
      expect(learned(speaker)).toHaveLength(1);
    }
    await clock.advance(10_000);
    for (const speaker of [a, b]) {
      expect(peer(speaker)).toMatchObject({
        state: 'Established',
        gracefulRestart: { peerRestarting: false, staleRoutes: 0 },
      });
    }
    expect([...counts].filter((count) => count !== 1)).toEqual([]);
  });

  test('keeps them for the restart time of the peer, no longer', async () => {
    const [a] = await bench.pair(SHORT, SHORT);
    await cutOff(65);
    expect(learned(a)).toHaveLength(1);
    network.unplugged.add(B);
    await clock.advance(6000);
    expect(learned(a)).toEqual([]);
  });

  test('costs them where one side did not send the N bit', async () => {
    const [a, b] = await bench.pair({ ...SHORT, notificationRestart: false }, SHORT);
    await cutOff(15);
    expect([learned(a), learned(b)]).toEqual([[], []]);
  });
});

describe('a NOTIFICATION', () => {
  /** Attributes longer than the message: RFC 7606 §4 leaves nothing but to reset the session. */
  const MALFORMED = frame(2, bytes('0000 00c8 4001'));
  /** Between the two, as if B had sent it. */
  const sayMalformed = (): Promise<void> => {
    network.inject(B, A, MALFORMED);
    return clock.advance(50);
  };

  test('of ours about a malformed UPDATE keeps the routes of both', async () => {
    const [a, b] = await bench.pair(SHORT, SHORT);
    await sayMalformed();
    expect(peer(b).lastError).toMatch(/^NOTIFICATION received: UPDATE Message Error/);
    expect([peer(a).state, peer(b).state]).toEqual(['Idle', 'Idle']);
    expect([learned(a), learned(b)]).toEqual([['192.168.2.0/26 via 10.0.0.2'], ['192.168.1.0/26 via 10.0.0.1']]);
    await clock.advance(10_000);
    expect(peer(a)).toMatchObject({ state: 'Established', gracefulRestart: { staleRoutes: 0 } });
    expect(learned(a)).toHaveLength(1);
  });

  test('costs the routes where the N bit was not agreed on', async () => {
    const [a, b] = await bench.pair(SHORT, { ...SHORT, notificationRestart: false });
    await sayMalformed();
    expect([learned(a), learned(b)]).toEqual([[], []]);
  });
});

describe('where routes must go although both sent the N bit', () => {
  const watchedPair = async (ofA: Partial<PeerText> = {}) => {
    const [a, b] = await bench.pair({ ...SHORT, ...ofA }, SHORT);
    return { a, b };
  };

  test('an administrative shutdown is a Hard Reset', async () => {
    const { a, b } = await watchedPair();
    await a.close({ kind: 'shutdown', message: 'off' });
    await clock.advance(10);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Administrative Shutdown: "off" (Hard Reset)');
    expect(learned(b)).toEqual([]);
  });

  test('so is the end of a peer that is removed', async () => {
    const { a, b } = await watchedPair();
    a.setPeers([]);
    await clock.advance(10);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Peer De-configured (Hard Reset)');
    expect([learned(a), learned(b)]).toEqual([[], []]);
  });

  test.each<Partial<PeerText>>([{ remoteAsn: 65009 }, { families: [4, 6] }])('and a change to %o', async (changes) => {
    const { a, b } = await watchedPair();
    const first = [a, b].map((speaker) => {
      const counts: number[] = [];
      speaker.onRoutesChange(() => counts.push(learned(speaker).length));
      return counts;
    });
    a.setPeers([peerSettings({ address: B, ...SHORT, ...changes })]);
    await clock.advance(1);
    expect(first.map(([count]) => count)).toEqual([0, 0]);
  });

  test('a peer without the N bit gets the plain Cease', async () => {
    const { a, b } = await watchedPair({ notificationRestart: false });
    await a.close({ kind: 'shutdown', message: 'off' });
    await clock.advance(10);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Administrative Shutdown: "off"');
    expect(learned(b)).toEqual([]);
  });
});
