/** RFC 8326: who leaves says so first, and waits. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, C, learned, originate, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

const GRACEFUL_SHUTDOWN = '65535:0';
const drain = (speaker: Speaker, waitSeconds = 30): Promise<void> =>
  speaker.close({ kind: 'drain', message: 'kernel update', waitSeconds });
/** What a peer holds of the routes of others: `192.168.2.0/26 100 65535:0`. */
const held = (speaker: Speaker): readonly unknown[] =>
  speaker
    .routes()
    .filter(({ from }) => from !== 'this node')
    .map(({ localPref, communities }) => [localPref, ...communities]);
const isOver = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);

describe('a drain', () => {
  test('makes our routes the last choice, waits, then ends the sessions with the reason', async () => {
    const [a, b] = await bench.pair();
    expect(held(a)).toEqual([[100]]);
    const left = drain(b);
    await clock.advance(100);
    expect(held(a)).toEqual([[0, GRACEFUL_SHUTDOWN]]);
    expect(peer(a)).toMatchObject({ state: 'Established', received: 1 });
    await clock.advance(29_000);
    expect([peer(a).state, await isOver(left)]).toEqual(['Established', false]);
    await clock.advance(1000);
    await left;
    expect(peer(a).lastError).toBe(
      'NOTIFICATION received: Cease / Administrative Shutdown: "kernel update" (Hard Reset)',
    );
    expect(learned(a)).toEqual([]);
  });

  test('tells an external peer the community alone, which for us means LOCAL_PREF 0', async () => {
    const a = await bench.start({ address: A, asn: 65001, peers: [{ address: B, localAsn: 65001 }] });
    const b = await bench.start({
      address: B,
      peers: [{ address: A, remoteAsn: 65001 }],
      originates: ['192.168.2.0/26'],
    });
    await clock.advance(3000);
    void drain(b);
    await clock.advance(100);
    expect(held(a)).toEqual([[0, GRACEFUL_SHUTDOWN]]);
  });

  test('makes a peer take the other way before this one is gone', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B }, { address: C }] });
    const [b, c] = await Promise.all(
      [B, C].map((address) => bench.start({ address, peers: [{ address: A }], originates: ['192.168.2.0/26'] })),
    );
    await clock.advance(3000);
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2, 10.0.0.3']);
    const seen: string[] = [];
    a.onRoutesChange(() => seen.push(learned(a).join()));
    void drain(b!);
    await clock.advance(60_000);
    expect(new Set(seen)).toEqual(new Set(['192.168.2.0/26 via 10.0.0.3']));
    expect(peer(c!).state).toBe('Established');
  });

  test('leaves the speaker at work until it ends: routes change, and peers that come hear of it', async () => {
    const [a, b] = await bench.pair();
    const left = drain(b);
    await clock.advance(1000);
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    originate(a, ['192.168.1.0/26', '192.168.4.0/26']);
    await clock.advance(1000);
    expect(held(a)).toEqual([
      [0, GRACEFUL_SHUTDOWN],
      [0, GRACEFUL_SHUTDOWN],
    ]);
    expect(learned(b)).toHaveLength(2);
    await a.close({ kind: 'restart' });
    const again = await bench.start({ address: A, peers: [{ address: B }] });
    await clock.advance(5000);
    expect(held(again)).toEqual([
      [0, GRACEFUL_SHUTDOWN],
      [0, GRACEFUL_SHUTDOWN],
    ]);
    await clock.advance(30_000);
    await left;
  });

  test.each(['restart', 'shutdown', 'drain'] as const)('is hurried by a second close (%s)', async (kind) => {
    const [a, b] = await bench.pair();
    const left = drain(b, 3600);
    await clock.advance(1000);
    void b.close({ kind, message: 'now', waitSeconds: 3600 });
    await clock.advance(10);
    await left;
    expect(peer(a).lastError).toContain('Administrative Shutdown: "kernel update"');
  });

  test('that is hurried before its peer has heard it leaves no timer', async () => {
    const [a, b] = await bench.pair();
    bench.network.isStuck = true;
    const left = drain(b, 3600);
    await clock.advance(1000);
    void b.close({ kind: 'shutdown', message: 'now' });
    await clock.advance(5000);
    await left;
    const over = a.close({ kind: 'restart' });
    await clock.advance(5000);
    await over;
    expect(clock.pending).toBe(0);
  });

  test('of a speaker without a session waits for nobody', async () => {
    const alone = await bench.start({ address: A, peers: [{ address: B }] });
    await clock.advance(100);
    expect(await isOver(drain(alone))).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('does not wait for ever for a peer that takes nothing', async () => {
    const [, b] = await bench.pair();
    bench.network.isStuck = true;
    const left = drain(b, 5);
    await clock.advance(34_000);
    expect(await isOver(left)).toBe(false);
    await clock.advance(1500);
    expect(await isOver(left)).toBe(true);
  });

  test.each([
    { what: 'to whom nothing is to be told', takesAtOnce: false, originates: [], peers: [B] },
    { what: 'whose kernels take all at once', takesAtOnce: true, originates: ['192.168.1.0/26'], peers: [B, C] },
  ])('waits no longer than it must for peers $what', async ({ takesAtOnce, originates, peers }) => {
    bench.network.takesAtOnce = takesAtOnce;
    for (const address of peers) await bench.start({ address, peers: [{ address: A, families: [4, 6] }] });
    const calls = peers.map((address) => ({ address, families: [4, 6] as const }));
    const a = await bench.start({ address: A, peers: calls, originates });
    await clock.advance(3000);
    const left = drain(a, 5);
    await clock.advance(5100);
    expect(await isOver(left)).toBe(true);
  });

  test('waits from when the last peer has heard it', async () => {
    const [, b] = await bench.pair();
    bench.network.isStuck = true;
    const left = drain(b, 5);
    await clock.advance(10_000);
    bench.network.isStuck = false;
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(4000);
    expect(await isOver(left)).toBe(false);
    await clock.advance(1500);
    expect(await isOver(left)).toBe(true);
  });
});
