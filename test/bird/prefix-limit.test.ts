import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PrefixLimit } from '../../bird/settings.ts';
import { fitsLimit, limitOctets, limitStage } from '../../bird/prefix-limit.ts';
import type { Speaker } from '../../bird/index.ts';
import { peerSettings } from '../support/bgp.ts';
import { RawPeer } from '../support/raw-peer.ts';
import { attributesOf, RoutingBench } from '../support/routing-bench.ts';
import { A, B, peer, SpeakerBench } from '../support/speakers.ts';

const limit = (changes: Partial<PrefixLimit> = {}): PrefixLimit => ({
  maximum: 4,
  warnPercent: 75,
  action: 'warn',
  ...changes,
});
const prefixOf = (i: number): string => `10.0.${i}.0/24`;

test.each([
  [2, 'within'],
  [3, 'warning'],
  [4, 'warning'],
  [5, 'exceeded'],
])('%i of 4 prefixes, warned from 75 percent on: %s', (count, stage) => expect(limitStage(limit(), count)).toBe(stage));

test('only drop keeps anything out, and one that counts already stays while it is not too many', () => {
  const drop = limit({ action: 'drop' });
  expect([
    fitsLimit(drop, 3, false),
    fitsLimit(drop, 4, false),
    fitsLimit(drop, 4, true),
    fitsLimit(drop, 5, true),
  ]).toEqual([true, false, true, false]);
  expect(fitsLimit(limit(), 400, false)).toBe(true);
});

test('the NOTIFICATION names AFI, SAFI and the limit', () => {
  expect([...limitOctets(6, limit({ maximum: 0x01020304 }))]).toEqual([0, 2, 1, 1, 2, 3, 4]);
});

describe('drop', () => {
  const drop = (maximum: number) => ({ prefixLimits: { 4: limit({ maximum, action: 'drop' }) } });
  const bench = (count: number): RoutingBench => {
    const b = new RoutingBench([{ address: '10.9.0.2', ...drop(4) }]);
    for (let i = 0; i < count; i++) b.announce(0, prefixOf(i), { attributes: attributesOf(1) });
    b.sync();
    return b;
  };
  const beyond = (b: RoutingBench): readonly string[] =>
    b.views().flatMap(({ best, reason }) => (best ? [] : [reason]));

  test('keeps what is beyond out of selection, with the reason, and says both stages once', () => {
    const b = bench(7);
    expect([b.learned().length, b.peers[0]!.adjRibIn[4].received]).toEqual([4, 7]);
    expect(new Set(beyond(b))).toEqual(new Set(['rejected on import: beyond the prefix limit of the peer']));
    expect(b.limits.map(({ stage }) => stage)).toEqual(['warning', 'exceeded']);
  });

  test('says nothing of an excess where what is there is only said again', () => {
    const b = bench(4);
    for (let i = 0; i < 4; i++) b.announce(0, prefixOf(i), { attributes: attributesOf(2) });
    expect(b.limits.map(({ stage }) => stage)).toEqual(['warning']);
  });

  test('lets one in for each that goes, and one that is said again stays where it is', () => {
    const b = bench(7);
    for (const i of [0, 1]) b.withdraw(0, prefixOf(i));
    b.announce(0, prefixOf(2), { attributes: attributesOf(2) });
    b.sync();
    expect([b.learned().length, beyond(b).length]).toEqual([4, 1]);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('lets all in when the limit is raised, and takes out what is too much when it is lowered', () => {
    const b = bench(7);
    b.adjust(0, drop(6));
    b.sync();
    expect(b.learned().length).toBe(6);
    b.adjust(0, drop(2));
    b.sync();
    expect(b.learned().length).toBe(2);
    b.adjust(0, { prefixLimits: {} });
    b.sync();
    expect([b.learned().length, beyond(b)]).toEqual([7, []]);
  });

  test('counts every path of a peer with ADD-PATH, and what import refuses', () => {
    const b = new RoutingBench([
      { address: '10.9.0.2', ...drop(3), session: { addPath: { send: false, receive: true } } },
    ]);
    const loop = attributesOf(9, { asPath: [{ type: 'sequence', asns: [65001, 64512] }] });
    b.announce(0, prefixOf(0), { attributes: loop, pathId: 1 });
    for (const pathId of [2, 3, 4]) b.announce(0, prefixOf(0), { attributes: attributesOf(pathId), pathId });
    b.sync();
    expect(b.learned()).toEqual(['10.0.0.0/24 via 10.8.0.2, 10.8.0.3']);
  });
});

describe('shutdown', () => {
  let bench: SpeakerBench;
  let speaker: Speaker;
  beforeEach(() => {
    bench = new SpeakerBench();
  });
  afterEach(() => bench.close());

  const settings = (prefixLimit: PrefixLimit) =>
    ({ address: B, remoteAsn: 65001, passive: true, prefixLimits: { 4: prefixLimit } }) as const;
  async function start(prefixLimit: PrefixLimit): Promise<RawPeer> {
    speaker = await bench.start({ address: A, peers: [settings(prefixLimit)] });
    return connect();
  }
  async function connect(): Promise<RawPeer> {
    const raw = new RawPeer(bench.network.host(B), A, { asn: 65001, bgpIdentifier: 9, capabilities: [] });
    await bench.clock.advance(10);
    return raw;
  }

  test('ends the session with Cease 6/1, and says why while the peer is held down', async () => {
    const raw = await start(limit({ action: 'shutdown' }));
    raw.announce(4);
    await bench.clock.advance(10);
    expect(peer(speaker)).toMatchObject({ state: 'Established', accepted: 4 });
    raw.announce(1, 4);
    await bench.clock.advance(10);
    expect(raw.notification).toMatchObject({ code: 6, subcode: 1, data: Uint8Array.of(0, 1, 1, 0, 0, 0, 4) });
    expect(peer(speaker)).toMatchObject({
      state: 'Idle',
      received: 0,
      lastError:
        'more than the 4 IPv4 prefixes that the peer may announce, the session ends; an operator must let it back in',
    });
    await bench.clock.advance(3_600_000);
    expect((await connect()).isClosed).toBe(true);
  });

  test('lets the peer come back after the restart time', async () => {
    const raw = await start(limit({ action: 'shutdown', restartSeconds: 60 }));
    raw.announce(5);
    await bench.clock.advance(30_000);
    expect([peer(speaker).state, (await connect()).isClosed]).toEqual(['Idle', true]);
    await bench.clock.advance(31_000);
    expect(peer(speaker).lastError).not.toContain('operator');
    const again = await connect();
    expect(peer(speaker).state).toBe('Established');
    again.announce(5);
    await bench.clock.advance(10);
    expect(again.notification).toMatchObject({ code: 6, subcode: 1 });
  });

  test('lets the peer come back at once when the limit is another', async () => {
    const raw = await start(limit({ action: 'shutdown' }));
    raw.announce(5);
    await bench.clock.advance(10);
    speaker.setPeers([peerSettings(settings(limit({ action: 'shutdown', maximum: 9 })))]);
    const again = await connect();
    again.announce(5);
    await bench.clock.advance(10);
    expect(peer(speaker)).toMatchObject({ state: 'Established', accepted: 5 });
  });

  test('closes with nothing left to happen while a peer is held down', async () => {
    const raw = await start(limit({ action: 'shutdown', restartSeconds: 60 }));
    raw.announce(5);
    await bench.clock.advance(10);
    await speaker.close({ kind: 'restart' });
    await bench.clock.advance(1);
    expect(bench.clock.pending).toBe(0);
  });
});
