import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PeerView, Speaker } from '../../bird/index.ts';
import type { Connection } from '../../bird/peer/transport.ts';
import { formatIpAddress, parseIpAddress } from '../../src/model/ip.ts';
import { dynamicPeers, peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { A, B, C, learned, originate, peer, SpeakerBench } from '../support/speakers.ts';

const RANGE = '10.0.0.0/24';
const D = '10.0.0.4';

let bench: SpeakerBench;
let clock: FakeClock;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock } = bench);
});
afterEach(() => bench.close());

const caller = (address: string, of: Partial<PeerText> = {}): Promise<Speaker> =>
  bench.start({
    address,
    asn: of.localAsn ?? 64512,
    peers: [{ address: A, ...of }],
    originates: [`192.168.${address.split('.')[3]}.0/26`],
  });

const reception = async (...[template, more]: readonly object[]): Promise<Speaker> => {
  const speaker = await bench.start({ address: A, peers: [], originates: ['192.168.1.0/26'] });
  speaker.setDynamicPeers([dynamicPeers(RANGE, template, more)]);
  return speaker;
};

const shown = (speaker: Speaker): readonly (readonly [string, PeerView['state']])[] =>
  speaker.peers().map(({ settings, state }) => [formatIpAddress(settings.address), state]);

const refused = (speaker: Speaker): readonly string[] =>
  speaker.refusedCallers().map(({ address, why }) => `${formatIpAddress(address)}: ${why}`);

/** Connects and never says a word; gives how it ended. */
function silentCaller(address: string): { readonly connection: Connection; readonly ended: string[]; octets: number } {
  const connection = bench.network.host(address).connect({ address: parseIpAddress(A), port: 179 });
  const silent = { connection, ended: [] as string[], octets: 0 };
  connection.attach({
    opened: () => undefined,
    data: ({ length }) => (silent.octets += length),
    progress: () => undefined,
    closed: ({ text }) => silent.ended.push(text),
  });
  return silent;
}

describe('dynamic peers', () => {
  test('a caller from the range becomes a passive peer, and routes go both ways', async () => {
    const a = await reception();
    const b = await caller(B);
    await clock.advance(3000);
    expect(shown(a)).toEqual([[B, 'Established']]);
    expect(peer(a)).toMatchObject({ isDynamic: true, settings: { passive: true } });
    expect([learned(a), learned(b)]).toEqual([['192.168.2.0/26 via 10.0.0.2'], ['192.168.1.0/26 via 10.0.0.1']]);
  });

  test('a configured peer is none, also inside the range', async () => {
    const a = await reception();
    a.setPeers([peerSettings({ address: B })]);
    await caller(B);
    await clock.advance(3000);
    expect(peer(a)).toMatchObject({ state: 'Established', settings: { passive: false } });
    expect(peer(a).isDynamic).toBeUndefined();
  });

  test('beyond the limit nobody is let in, and it is said why', async () => {
    const a = await reception({}, { limit: 1 });
    await caller(B);
    await clock.advance(1000);
    await caller(C);
    await clock.advance(5000);
    expect(shown(a)).toEqual([[B, 'Established']]);
    expect(refused(a)).toEqual([`${C}: 10.0.0.0/24 has its limit of 1 dynamic peers`]);
  });

  test('a stranger is remembered, with the number of calls', async () => {
    const a = await bench.start({ address: A, peers: [] });
    await caller(B);
    await clock.advance(10_000);
    expect(refused(a)).toEqual([`${B}: no peer has this address, and no dynamic range holds it`]);
    expect(a.refusedCallers()[0]?.count).toBeGreaterThan(2);
  });

  test('one that sends no OPEN is sent away after half a minute, with the NOTIFICATION that says so', async () => {
    const a = await reception();
    const silent = silentCaller(B);
    await clock.advance(29_000);
    expect(shown(a)).toEqual([[B, 'OpenSent']]);
    const before = silent.octets;
    await clock.advance(6000);
    expect([silent.ended.length, silent.octets - before]).toEqual([1, 21]);
    expect([shown(a), refused(a)]).toEqual([[], [`${B}: sent no OPEN within 30 s`]]);
  });

  test('a flood of silent callers costs the limit, and a peer that is up notices nothing', async () => {
    const a = await reception({}, { limit: 20 });
    const b = await caller(B);
    await clock.advance(3000);
    const silent = Array.from({ length: 200 }, (_, i) => silentCaller(`10.0.0.${i + 50}`));
    await clock.advance(100);
    expect(silent.filter(({ ended }) => ended.length === 0)).toHaveLength(19);
    expect(a.peers()).toHaveLength(20);
    await clock.advance(40_000);
    expect([shown(a), peer(b).flaps]).toEqual([[[B, 'Established']], 0]);
  });

  test('when its session is over, its place is free after a minute', async () => {
    const a = await reception();
    const b = await caller(B);
    await clock.advance(3000);
    await b.close({ kind: 'shutdown', message: 'gone' });
    await clock.advance(50_000);
    expect(shown(a)).toEqual([[B, 'Active']]);
    await clock.advance(20_000);
    expect(shown(a)).toEqual([]);
  });

  test('one that restarts keeps its routes and its place for its restart time, and no longer', async () => {
    const a = await reception();
    const b = await caller(B, { gracefulRestartSeconds: 100 });
    await clock.advance(3000);
    await b.close({ kind: 'restart' });
    await clock.advance(95_000);
    expect([shown(a), learned(a)]).toEqual([[[B, 'Active']], ['192.168.2.0/26 via 10.0.0.2']]);
    await clock.advance(75_000);
    expect([shown(a), learned(a)]).toEqual([[], []]);
  });

  test('one that comes back within its restart time is the same peer', async () => {
    const a = await reception();
    const b = await caller(B);
    await clock.advance(3000);
    await b.close({ kind: 'restart' });
    await clock.advance(70_000);
    await caller(B);
    await clock.advance(3000);
    expect(peer(a)).toMatchObject({ state: 'Established', flaps: 1, isDynamic: true });
  });

  test('the place of one that never came up goes to the next caller when it is needed', async () => {
    const a = await reception({}, { limit: 1 });
    await caller(B, { localAsn: 65009 });
    await clock.advance(100);
    expect(peer(a).lastError).toContain('AS mismatch: the peer says AS 65009, AS 64512 is configured');
    await caller(C);
    await clock.advance(5000);
    expect(shown(a)).toEqual([[C, 'Established']]);
  });

  describe('of several AS numbers', () => {
    const asns = { remoteAsns: [65001, 65002] };

    test('each has the AS that it says, and is external or internal by it', async () => {
      const a = await reception({}, { remoteAsns: [65001, 64512] });
      await caller(B, { localAsn: 65001 });
      await caller(C);
      await clock.advance(3000);
      expect(a.peers().map(({ state, settings }) => [state, settings.remoteAsn])).toEqual([
        ['Established', 65001],
        ['Established', 64512],
      ]);
      expect(a.routes().map(({ asPath, from }) => [from, asPath])).toEqual(
        expect.arrayContaining([
          [expect.stringContaining(B), '65001'],
          [expect.stringContaining(C), ''],
        ]),
      );
    });

    test('another is refused, and told which are wanted', async () => {
      const a = await reception({}, asns);
      await caller(B);
      await clock.advance(1000);
      expect(peer(a).lastError).toContain('AS mismatch: the peer says AS 64512, AS 65001 or 65002 is configured');
    });

    test('one that comes back as another AS is refused while routes of the first are kept', async () => {
      const a = await reception({}, asns);
      const b = await caller(B, { localAsn: 65001 });
      await clock.advance(3000);
      await b.close({ kind: 'restart' });
      await caller(B, { localAsn: 65002 });
      await clock.advance(5000);
      expect(peer(a).lastError).toContain('the peer says AS 65002, AS 65001 is configured');
    });

    test('a list without its AS ends it, a list with it does not disturb it', async () => {
      const a = await reception({}, asns);
      await caller(B, { localAsn: 65001 });
      await clock.advance(3000);
      a.setDynamicPeers([dynamicPeers(RANGE, {}, { remoteAsns: [65001] })]);
      await clock.advance(1000);
      expect(peer(a)).toMatchObject({ state: 'Established', flaps: 0 });
      a.setDynamicPeers([dynamicPeers(RANGE, {}, { remoteAsns: [65002] })]);
      expect(shown(a)).toEqual([]);
    });
  });

  test('a range that is removed ends its peers with Cease / Peer De-configured', async () => {
    const a = await reception();
    const b = await caller(B);
    await clock.advance(3000);
    a.setDynamicPeers([]);
    await clock.advance(100);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Peer De-configured (Hard Reset)');
    expect([shown(a), learned(a)]).toEqual([[], []]);
  });

  test('a change of the template reaches its peers as a change of settings does', async () => {
    const a = await reception();
    const b = await caller(B);
    await clock.advance(3000);
    a.setDynamicPeers([dynamicPeers(RANGE, { description: 'rack 7' })]);
    await clock.advance(1000);
    expect(peer(a)).toMatchObject({ state: 'Established', flaps: 0, settings: { description: 'rack 7' } });
    a.setDynamicPeers([dynamicPeers(RANGE, { holdSeconds: 30 })]);
    await clock.advance(5000);
    expect(peer(a)).toMatchObject({ state: 'Established', flaps: 1, holdSeconds: 30, isDynamic: true });
    expect(learned(b)).toHaveLength(1);
    a.setDynamicPeers([dynamicPeers(RANGE, { families: [4, 6] })]);
    await clock.advance(5000);
    expect(peer(a)).toMatchObject({ state: 'Established', isDynamic: true, settings: { families: [4, 6] } });
  });

  test('a peer that is configured by its address from now on is no dynamic one any more', async () => {
    const a = await reception();
    await caller(B);
    await clock.advance(3000);
    a.setPeers([peerSettings({ address: B })]);
    await clock.advance(5000);
    expect(shown(a)).toEqual([[B, 'Established']]);
    expect(peer(a).isDynamic).toBeUndefined();
  });

  test('a speaker that closes leaves nothing to happen', async () => {
    const a = await reception();
    silentCaller(B);
    await clock.advance(100);
    await a.close({ kind: 'shutdown', message: 'over' });
    await clock.advance(100);
    expect(clock.pending).toBe(0);
    a.setDynamicPeers([dynamicPeers(RANGE)]);
    expect(a.peers()).toHaveLength(1);
  });
});

describe('passwords', () => {
  const password = 'a';

  test('are wanted from the first caller on, and both ends sign', async () => {
    const [a] = await bench.pair({ password }, { password });
    expect(peer(a).state).toBe('Established');
  });

  test.each([
    ['another on the other side', { password: 'b' }],
    ['none on the other side', {}],
  ])('%s: no session, whoever dials', async (_, ofB) => {
    const [a, b] = await bench.pair({ password }, ofB);
    expect([peer(a).state, peer(b).state]).not.toContain('Established');
  });

  test('of a running peer: the session ends, and is back when the other side has the new one, too', async () => {
    const [a, b] = await bench.pair({ password }, { password });
    a.setPeers([peerSettings({ address: B, password: 'new' })]);
    await clock.advance(5000);
    expect([peer(a).state, peer(b).state]).not.toContain('Established');
    expect(learned(a)).toHaveLength(1);
    b.setPeers([peerSettings({ address: A, password: 'new' })]);
    await clock.advance(5000);
    expect([peer(a), peer(b)]).toMatchObject([
      { state: 'Established', flaps: 1 },
      { state: 'Established', flaps: 1 },
    ]);
  });

  test('of a range count for its callers, but not for a configured peer without one', async () => {
    const a = await bench.start({ address: A, peers: [{ address: D, passive: true }] });
    a.setDynamicPeers([dynamicPeers(RANGE, { password })]);
    originate(a, []);
    await caller(B, { password });
    await caller(C);
    await caller(D);
    await clock.advance(5000);
    expect(shown(a)).toEqual([
      [D, 'Established'],
      [B, 'Established'],
    ]);
  });
});
