/** Sessions that take an odd course: octet by octet, both sides at once, cut in two, stopped for a while. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Capability, PathAttributes, Update } from '../../bird/bgp-ts/index.ts';
import {
  encodeMessage,
  IPV4_UNICAST,
  IPV6_UNICAST,
  parsePrefix,
  plainContext,
  routeRefreshError,
} from '../../bird/bgp-ts/index.ts';
import { bytes, frame } from '../support/bgp-bytes.ts';
import { isRoot } from '../support/netns.ts';
import type { LabPeer } from '../support/scripted-peer-lab.ts';
import { PeerLab, SPEAKER, SPEAKER_ASN } from '../support/scripted-peer-lab.ts';
import { openOf, usualCapabilities } from '../support/scripted-peer-script.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';

const HOLD_SECONDS = 8;
const INNOCENT = { address: '10.66.0.2', asn: 65002, holdSeconds: HOLD_SECONDS };
const PEER = { address: '10.66.1.1', asn: 65001 };
const PREFIX = '198.51.100.0/24';
const LATER = '203.0.113.0/24';

const good: PathAttributes = {
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: [65001] }],
  nextHop: Uint8Array.of(192, 0, 2, 1),
};
const nlri = [{ pathId: 0, ...parsePrefix(PREFIX, 32)! }];
const goodUpdate: Update = {
  type: 'update',
  attributes: good,
  announced: [{ kind: 'prefix', family: IPV4_UNICAST, nlri }],
  withdrawn: [],
  faults: [],
};

let lab: PeerLab;
let innocent: ScriptedPeer;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const seen = (prefix = PREFIX): Promise<void> =>
  innocent.until(() => innocent.routes.has(prefix), `${prefix} at the innocent peer`);
const gone = (prefix = PREFIX): Promise<void> =>
  innocent.until(() => !innocent.routes.has(prefix), `the withdrawal of ${prefix} at the innocent peer`);
const said = (peer: ScriptedPeer): readonly string[] =>
  peer.notifications.map(({ code, subcode }) => `${code}/${subcode}`);

async function begin(peer: LabPeer): Promise<void> {
  lab = await PeerLab.start();
  await lab.setPeers([INNOCENT, peer]);
  innocent = await lab.establish(INNOCENT);
}

/** That the session stands and what came before in it has been read. */
async function goesOn(peer: ScriptedPeer): Promise<void> {
  peer.announce(good, [LATER]);
  await seen(LATER);
  expect(said(peer)).toEqual([]);
  expect(peer.end).toBeUndefined();
}

describe.skipIf(!isRoot && process.env['CI'] === undefined)('a session that takes an odd course', () => {
  beforeEach(() => begin(PEER));

  afterEach(async () => {
    try {
      expect(lab.stderr).toBe('');
      expect(innocent.end).toBeUndefined();
      expect(innocent.counts.open).toBe(1);
    } finally {
      await lab.close();
    }
  });

  test('one octet in each TCP segment is slow, and otherwise the same', async () => {
    const peer = await lab.connect(PEER);
    const keepalive = encodeMessage({ type: 'keepalive' }, plainContext);
    await peer.sendOctets(encodeMessage(openOf(peer.script), plainContext));
    await peer.until(() => peer.theirOpen !== undefined, 'their OPEN');
    await peer.sendOctets(keepalive);
    await peer.until(() => peer.counts.keepalive > 0, 'their KEEPALIVE');
    await peer.sendOctets(encodeMessage(goodUpdate, plainContext));
    await seen();
    await peer.sendOctets(keepalive);
    await peer.sendOctets(
      encodeMessage({ ...goodUpdate, attributes: {}, announced: [], withdrawn: goodUpdate.announced }, plainContext),
    );
    await gone();
    await peer.sendOctets(frame(3, bytes('0602')));
    await peer.until(() => peer.end !== undefined, 'the end');
    expect(said(peer)).toEqual([]);
  });

  test('half-close after the OPEN ends the connection, and the peer is let in again', async () => {
    const peer = await lab.connect(PEER);
    peer.sendOpen();
    peer.halfClose();
    await peer.until(() => peer.end !== undefined, 'the end of the connection');
    const again = await lab.establish(PEER);
    await goesOn(again);
  });

  test('a NOTIFICATION in the middle of an UPDATE is part of that UPDATE; the session ends with the connection', async () => {
    const peer = await lab.establish(PEER);
    peer.announce(good, [PREFIX]);
    await seen();
    const whole = encodeMessage(
      { ...goodUpdate, attributes: { ...good, communities: Array<number>(40).fill(1) } },
      plainContext,
    );
    peer.sendBytes(whole.subarray(0, 60));
    peer.sendBytes(frame(3, bytes('0602')));
    peer.halfClose();
    await peer.until(() => peer.end !== undefined, 'the end of the connection');
    expect(said(peer)).toEqual([]);
    await gone();
  });

  test('a NOTIFICATION that fills an UPDATE that was cut short is its rest: treated as withdrawn, the session stays', async () => {
    const peer = await lab.establish(PEER);
    peer.announce(good, [PREFIX]);
    await seen();
    const whole = encodeMessage(goodUpdate, plainContext);
    peer.sendBytes(whole.subarray(0, whole.length - 21));
    // In the place of attributes and prefix: an attribute that runs past its end, and 3.6.0.0/21.
    peer.sendBytes(frame(3, bytes('0602')));
    await goesOn(peer);
    expect(innocent.routes.has(PREFIX)).toBe(true);
  });

  describe('enhanced route refresh out of order', () => {
    const capabilities = (asn: number): readonly Capability[] => [
      ...usualCapabilities(asn),
      { name: 'enhanced-route-refresh' },
    ];

    async function withRoute(): Promise<ScriptedPeer> {
      const peer = await lab.establish({ ...PEER, capabilities: capabilities(PEER.asn) });
      peer.announce(good, [PREFIX]);
      await seen();
      return peer;
    }

    test('a beginning without an end takes no route away at once', async () => {
      const peer = await withRoute();
      peer.send({ type: 'route-refresh', family: IPV4_UNICAST, subtype: 'begin' });
      peer.send({ type: 'route-refresh', family: IPV6_UNICAST, subtype: 'begin' });
      await goesOn(peer);
      expect(innocent.routes.has(PREFIX)).toBe(true);
    });

    test('an end without a beginning is ignored', async () => {
      const peer = await withRoute();
      for (let times = 0; times < 100; times++) {
        peer.send({ type: 'route-refresh', family: IPV4_UNICAST, subtype: 'end' });
      }
      await goesOn(peer);
      expect(innocent.routes.has(PREFIX)).toBe(true);
    });

    test('a beginning of the wrong length is 7/1 where it was agreed on, and never a crash', async () => {
      const peer = await withRoute();
      peer.sendBytes(frame(5, bytes('00010101 00')));
      await peer.until(() => peer.end !== undefined, 'the end of the session');
      expect(said(peer)).toEqual([routeRefreshError.invalidLength.join('/')]);
      await gone();
    });
  });

  test('a process that was stopped for longer than the hold time reads first, and only then gives up who was silent', async () => {
    await lab.setPeers([INNOCENT, PEER, { address: '10.66.1.2', asn: 65003 }]);
    const talks = await lab.establish({ ...PEER, holdSeconds: HOLD_SECONDS });
    const silent = await lab.establish({ address: '10.66.1.2', asn: 65003, holdSeconds: HOLD_SECONDS });
    talks.announce(good, [PREFIX]);
    await seen();
    silent.stopKeepalives();
    lab.signal('SIGSTOP');
    await sleep((HOLD_SECONDS + 3) * 1000);
    lab.signal('SIGCONT');
    await silent.until(() => silent.end !== undefined, 'the end of the silent one');
    expect(said(silent)).toEqual(['4/0']);
    const { keepalive } = talks.counts;
    await talks.until(() => talks.counts.keepalive > keepalive, 'one more KEEPALIVE');
    expect([talks.end, talks.counts.open, innocent.end]).toEqual([undefined, 1, undefined]);
    expect(innocent.routes.has(PREFIX)).toBe(true);
    await goesOn(talks);
  });
});

describe.skipIf(!isRoot && process.env['CI'] === undefined)(
  'both sides connect at once, with equal BGP Identifiers',
  () => {
    // RFC 6286 §2.3: the larger AS keeps the connection that it made.
    test.each([
      ['larger', SPEAKER_ASN + 1, 'ours'],
      ['smaller', SPEAKER_ASN - 1, "the speaker's"],
    ] as const)('the peer has the %s AS', async (_, asn, winner) => {
      const peer = { address: '10.66.1.1', asn, bgpIdentifier: SPEAKER };
      lab = await PeerLab.start();
      const listener = await ScriptedPeer.listen({ ...peer, speaker: SPEAKER });
      try {
        await lab.setPeers([INNOCENT, { ...peer, passive: false }]);
        innocent = await lab.establish(INNOCENT);
        const [theirs, ours] = await Promise.all([listener.next(), lab.connect(peer)]);
        for (const each of [theirs, ours]) each.sendOpen();
        const [wins, loses] = winner === 'ours' ? [ours, theirs] : [theirs, ours];
        await loses.until(() => loses.end !== undefined, 'the end of the connection that loses');
        expect(said(loses)).toEqual(['6/7']);
        wins.send({ type: 'keepalive' });
        await wins.until(() => wins.counts.keepalive > 0, 'KEEPALIVE on the connection that wins');
        await goesOn(wins);
        expect(innocent.end).toBeUndefined();
      } finally {
        await listener.close();
        await lab.close();
      }
    });
  },
);
