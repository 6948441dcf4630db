/** A mesh becomes a topology with a route reflector, on the sessions that stand. RFC 4456. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { scanUpdate, UPDATE_TYPE, messageType } from '../../bird/wire.ts';
import { context } from '../support/bgp-bytes.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, C, learned, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

const D = '10.0.0.4';
const ALL = [A, B, C, D];
const CLUSTER = 0xf4_00_00_01;
const blockOf = (address: string): string => `192.168.${address.at(-1)}.0/26`;

const mesh = (own: string, others: readonly string[] = ALL): readonly PeerText[] =>
  others.filter((address) => address !== own).map((address) => ({ address, kind: 'node-to-node mesh' }));
const reflector = (address: string): PeerText => ({ address, kind: 'node specific', origin: 'BGPPeer(rr)' });
const client = (address: string): PeerText => ({ ...reflector(address), routeReflectorClient: true });

async function meshOf(addresses: readonly string[]): Promise<ReadonlyMap<string, Speaker>> {
  const started = addresses.map(async (address) => {
    const speaker = await bench.start({ address, peers: mesh(address, addresses), originates: [blockOf(address)] });
    return [address, speaker] as const;
  });
  const speakers = new Map(await Promise.all(started));
  await clock.advance(3000);
  return speakers;
}

const set = (speaker: Speaker, peers: readonly PeerText[]): void => speaker.setPeers(peers.map(peerSettings));
const sessions = (speaker: Speaker): readonly unknown[] =>
  speaker.peers().map(({ settings, state, since, flaps }) => [settings.address.words[0], state, since, flaps]);

/** What went over the wire: every UPDATE with a withdrawal, as `from → to`. */
function withdrawals(): readonly string[] {
  const heard: string[] = [];
  bench.network.tap = (from, to, octets) => {
    if (messageType(octets) !== UPDATE_TYPE) return;
    const scan = scanUpdate(octets, context({ external: false }));
    if (scan.withdrawnStart < scan.withdrawnEnd || scan.mpUnreach !== undefined) heard.push(`${from} → ${to}`);
  };
  return heard;
}

/** Every set of routes that a speaker had, as its owner saw it. */
function seenBy(speaker: Speaker): ReadonlySet<number> {
  const counts = new Set([learned(speaker).length]);
  speaker.onRoutesChange(() => counts.add(learned(speaker).length));
  return counts;
}

describe('a mesh that is turned into clients of a route reflector', () => {
  test('keeps the sessions that stay, and nobody loses a route: make before break', async () => {
    const speakers = await meshOf(ALL);
    const [a, b, c, d] = ALL.map((address) => speakers.get(address)!) as [Speaker, Speaker, Speaker, Speaker];
    const before = { a: sessions(a), d: sessions(d), toA: [b, c].map((speaker) => sessions(speaker)[0]) };
    const seen = [a, b, c, d].map(seenBy);
    const heard = withdrawals();

    // 1. The reflector: its cluster, its clients.
    a.setClusterId(CLUSTER);
    await clock.advance(50);
    set(a, [B, C, D].map(client));
    await clock.advance(50);
    // 2. The clients: the same session for another reason; D stays in the mesh as well.
    set(b, [reflector(A), ...mesh(B, [C, D])]);
    set(c, [reflector(A), ...mesh(C, [B, D])]);
    await clock.advance(1000);
    expect(b.routes().filter(({ reason }) => reason.includes('shorter CLUSTER_LIST'))).not.toEqual([]);
    // 3. The mesh between B and C goes.
    set(b, [reflector(A), ...mesh(B, [D])]);
    set(c, [reflector(A), ...mesh(C, [D])]);
    await clock.advance(5000);

    expect({ a: sessions(a), d: sessions(d), toA: [b, c].map((speaker) => sessions(speaker)[0]) }).toEqual(before);
    expect(seen.map((counts) => [...counts])).toEqual([[3], [3], [3], [3]]);
    expect(b.routes().find(({ best, from }) => best && from.startsWith(A))).toBeDefined();
    expect(heard).toEqual([]);
  });

  test('and back again: no session notices, and what was reflected is withdrawn when it is no longer', async () => {
    const speakers = await meshOf([A, B, C]);
    const [a, b, c] = [A, B, C].map((address) => speakers.get(address)!) as [Speaker, Speaker, Speaker];
    a.setClusterId(CLUSTER);
    set(a, [B, C].map(client));
    await clock.advance(100);
    const reflected = (): number =>
      [b, c].flatMap((speaker) => speaker.peers().map(({ received }) => received)).reduce((x, y) => x + y);
    expect(reflected()).toBe(6);
    const before = [a, b, c].map(sessions);
    const seen = [a, b, c].map(seenBy);
    a.setClusterId(undefined);
    set(a, mesh(A, [A, B, C]));
    await clock.advance(5000);
    expect([a, b, c].map(sessions)).toEqual(before);
    expect(reflected()).toBe(4);
    expect(seen.map((counts) => [...counts])).toEqual([[2], [2], [2]]);
  });

  test('a reflector of another cluster takes what the loop check of the last one refused, and refuses anew', async () => {
    const peers = { a: [client(B)], b: [{ address: A }, client(C)], c: [{ address: B }] };
    const a = await bench.start({ address: A, peers: peers.a, clusterId: 7 });
    const b = await bench.start({ address: B, peers: peers.b, clusterId: 7 });
    await bench.start({ address: C, peers: peers.c, originates: [blockOf(C)] });
    await clock.advance(3000);
    expect(a.routes().map(({ reason }) => reason)).toEqual([
      'rejected on import: CLUSTER_LIST holds our own cluster id',
    ]);
    a.setClusterId(8);
    await clock.advance(10);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.3']);
    a.setClusterId(7);
    await clock.advance(10);
    expect(learned(a)).toEqual([]);
    b.setClusterId(9);
    await clock.advance(10);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.3']);
    expect(a.peers()[0]?.flaps).toBe(0);
  });

  test('a node that is made a reflector while it waits after a restart holds its End-of-RIB from then on', async () => {
    const restarting = { restarting: true, deferralSeconds: 60 };
    const a = bench.make({ address: A, gracefulRestart: restarting });
    a.setClusterId(CLUSTER);
    a.setOriginated([]);
    set(a, [client(B), client(C)]);
    await a.start();
    const b = await bench.start({ address: B, peers: [{ address: A }], gracefulRestart: restarting });
    await clock.advance(5000);
    // C never comes, so A defers, says nothing, and B waits for it.
    expect([a.isConverged(), b.isConverged()]).toEqual([false, false]);
    a.setClusterId(undefined);
    await clock.advance(100);
    expect([a.isConverged(), b.isConverged()]).toEqual([false, true]);
  });
});
