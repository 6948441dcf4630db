/** Peers that ask too much: connections that say nothing, a peer that reads nothing, storms. Others must not notice. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PathAttributes } from '../../bird/bgp-ts/index.ts';
import { encodeMessage, IPV4_UNICAST, plainContext } from '../../bird/bgp-ts/index.ts';
import { eventually } from '../support/eventually.ts';
import { expectNoLeak } from '../support/leaks.ts';
import { isRoot } from '../support/netns.ts';
import { SilentCrowd } from '../support/scripted-peer-crowd.ts';
import { PeerLab, SPEAKER } from '../support/scripted-peer-lab.ts';
import type { ScriptedPeer } from '../support/scripted-peer.ts';

const HOLD_SECONDS = 12;
const INNOCENT = { address: '10.66.0.2', asn: 65002, holdSeconds: HOLD_SECONDS };
const FEEDER = { address: '10.66.0.3', asn: 65003, holdSeconds: 90 };
const HOSTILE = { address: '10.66.1.1', asn: 65001, holdSeconds: 90 };

const OTHERS = Array.from({ length: 100 }, (_, i) => 0xfde9_0000 + i);

let lab: PeerLab;
let innocent: ScriptedPeer;

/** `value` is the first community; the others make it large. */
const set = (asn: number, value = 0): PathAttributes => ({
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: [asn] }],
  nextHop: Uint8Array.of(192, 0, 2, 1),
  communities: [value, ...OTHERS],
});

const prefixesOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `11.${i >> 8}.${i & 255}.0/24`);

const GROUP = 5;
/** Until then some 10 MB have been told to those who read. */
const LAST = 26;
/** Rounds come back to the same sets, so that all there is to remember is known after the first few. */
const valueOf = (at: number, round: number): number => (round % 4) * 1e6 + at - (at % GROUP);

/** Announces all, in groups with a set each. */
function feed(feeder: ScriptedPeer, prefixes: readonly string[], round: number): void {
  for (let at = 0; at < prefixes.length; at += GROUP) {
    feeder.announce(set(feeder.script.asn, valueOf(at, round)), prefixes.slice(at, at + GROUP));
  }
}

const hasRound = (peer: ScriptedPeer, prefixes: readonly string[], round: number): boolean =>
  prefixes.every((prefix, at) => peer.routes.get(prefix)?.communities?.[0] === valueOf(at, round));

/** The innocent peer has all of a round; how long that took. */
async function converged(prefixes: readonly string[], round: number): Promise<number> {
  const began = performance.now();
  await innocent.until(() => hasRound(innocent, prefixes, round), `round ${round}`, 60_000);
  return performance.now() - began;
}

/** What is alive in the speaker, MB. */
async function live(): Promise<number> {
  const { heap, buffers } = await lab.memory();
  return heap + buffers;
}

describe.skipIf(!isRoot && process.env['CI'] === undefined)('a peer that asks too much', () => {
  beforeEach(async () => {
    lab = await PeerLab.start();
    await lab.setPeers([INNOCENT, FEEDER, HOSTILE]);
    innocent = await lab.establish(INNOCENT);
  });

  afterEach(async () => {
    try {
      expect(lab.stderr).toBe('');
      expect(innocent.end).toBeUndefined();
      expect(innocent.counts.open).toBe(1);
      expect(innocent.faults).toEqual([]);
      expect(innocent.longestSilenceMs).toBeLessThan(HOLD_SECONDS * 1000);
    } finally {
      await lab.close();
    }
  });

  test.each([
    ['nobody here knows', '10.66.9.9'],
    ['is a peer', HOSTILE.address],
  ])('10,000 connects that never speak, from an address that %s, leave nothing behind', async (_, from) => {
    const crowd = new SilentCrowd();
    await crowd.gather({ from, to: SPEAKER }, 10_000);
    crowd.disperse();
    await eventually(() => expect(crowd.size).toBe(0));
    const [files, before] = [lab.openFiles, await lab.memory()];
    await crowd.gather({ from, to: SPEAKER }, 10_000);
    // Of a peer at most two are heard at the same time, RFC 4271 §6.8.
    await eventually(() => expect(crowd.size).toBeLessThanOrEqual(2));
    expect(lab.openFiles).toBeLessThanOrEqual(files + 2);
    crowd.disperse();
    await eventually(() => expect(lab.openFiles).toBeLessThanOrEqual(files));
    const after = await lab.memory();
    expectNoLeak(before, after);
    // The real peer is let in.
    const peer = await lab.establish(HOSTILE);
    peer.announce(set(HOSTILE.asn), ['198.51.100.0/24']);
    await innocent.until(() => innocent.routes.has('198.51.100.0/24'), 'a route of the peer');
  });

  test('a peer that never reads costs a bounded queue, and others converge as they do without it', async () => {
    const prefixes = prefixesOf(5000);
    const feeder = await lab.establish(FEEDER);
    const usual: number[] = [];
    for (let round = 0; round < 6; round++) {
      feed(feeder, prefixes, round);
      usual.push(await converged(prefixes, round));
    }
    const deaf = await lab.establish(HOSTILE);
    deaf.pause();
    const before = await live();
    const slow: number[] = [];
    for (let round = 6; round < LAST; round++) {
      feed(feeder, prefixes, round);
      slow.push(await converged(prefixes, round));
    }
    expect(Math.min(...slow)).toBeLessThan(2 * Math.min(...usual) + 500);
    expect(await live()).toBeLessThan(before + 8);
    // And it has its routes right, should it read one day.
    deaf.resume();
    await deaf.until(() => hasRound(deaf, prefixes, LAST - 1), 'the last round', 30_000);
  });

  test('a peer that never reads is given up by the send hold timer (RFC 9687), though it talks', async () => {
    await lab.setPeers([INNOCENT, FEEDER, { ...HOSTILE, sendHoldSeconds: 5 }]);
    const prefixes = prefixesOf(5000);
    const feeder = await lab.establish(FEEDER);
    const deaf = await lab.establish({ ...HOSTILE, holdSeconds: 3 });
    deaf.pause();
    // Until both sides' buffers are full.
    for (let round = 0; round < 8; round++) {
      feed(feeder, prefixes, round);
      await converged(prefixes, round);
    }
    await eventually(async () => {
      const { peers } = await lab.speaker.status();
      expect(peers.find(({ address }) => address === HOSTILE.address)?.lastError).toContain('send hold timer expired');
    });
    expect(feeder.end).toBeUndefined();
    deaf.resume();
    await deaf.until(() => deaf.end !== undefined, 'the end of the session');
  });

  test('10,000 ROUTE-REFRESH in one segment are answered once or a few times, not 10,000 times', async () => {
    const prefixes = prefixesOf(5000);
    const feeder = await lab.establish(FEEDER);
    feed(feeder, prefixes, 1);
    const peer = await lab.establish(HOSTILE);
    await peer.until(() => peer.routes.size === prefixes.length, 'the table');
    const before = peer.prefixChanges;
    const request = encodeMessage({ type: 'route-refresh', family: IPV4_UNICAST, subtype: 'request' }, plainContext);
    const many = Uint8Array.from(Array.from({ length: 10_000 }, () => [...request]).flat());
    const began = performance.now();
    peer.sendBytes(many);
    peer.announce(set(HOSTILE.asn), ['198.51.100.0/24']);
    await innocent.until(() => innocent.routes.has('198.51.100.0/24'), 'a route that was sent behind them', 30_000);
    expect(performance.now() - began).toBeLessThan(5000);
    peer.forgetRoutes(IPV4_UNICAST.afi);
    peer.sendBytes(request);
    await peer.until(() => peer.routes.size === prefixes.length, 'the table once more');
    expect(peer.prefixChanges - before).toBeLessThan(20 * prefixes.length);
  });

  test('an UPDATE storm that flaps one prefix 100,000 times is told far less often, and ends right', async () => {
    const storm = await lab.establish(HOSTILE);
    storm.announce(set(HOSTILE.asn), ['198.51.100.0/24']);
    await innocent.until(() => innocent.routes.has('198.51.100.0/24'), 'the prefix');
    const [changes, before] = [innocent.prefixChanges, await live()];
    for (let flap = 0; flap < 50_000; flap++) {
      storm.withdraw(['198.51.100.0/24']);
      storm.announce({ ...set(HOSTILE.asn), communities: [flap] }, ['198.51.100.0/24']);
      if (flap % 1000 === 0) await storm.flushed();
    }
    const isLast = (): boolean => innocent.routes.get('198.51.100.0/24')?.communities?.[0] === 49_999;
    await innocent.until(isLast, 'the last state', 60_000);
    expect(innocent.prefixChanges - changes).toBeLessThan(20_000);
    storm.withdraw(['198.51.100.0/24']);
    await innocent.until(() => innocent.routes.size === 0, 'the withdrawal');
    expect(await live()).toBeLessThan(before + 5);
  });
});
