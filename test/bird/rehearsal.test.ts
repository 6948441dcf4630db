import { afterEach, expect, test, vi } from 'vitest';
import { rehearse } from '../../bird/index.ts';
import type { Transport } from '../../bird/peer/transport.ts';
import { announcement, withdrawal } from '../../bird/rehearsal/messages.ts';
import { inTheFormOf, peerInPlay } from '../../bird/rehearsal/peer-in-play.ts';
import { SESSIONS } from '../../bird/rehearsal/sessions.ts';
import { playTables, PREFIXES } from '../../bird/rehearsal/tables.ts';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import { Routing } from '../../bird/routing.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { decodeMessage, Framer, MAX_OCTETS, plainContext, UpdateWriter } from '../../bird/wire.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { MemoryNetwork } from '../support/memory-transport.ts';

afterEach(() => vi.restoreAllMocks());

const SETTINGS = {
  ...{ asn: 64_999, bgpIdentifier: 9, transit: true, listen: [{ address: '192.0.2.1', port: 179 }] },
  gracefulRestart: { restarting: true, deferralSeconds: 120 },
} as const;

const peersOf = (families: readonly IpFamily[]) => families.map((family) => ({ families: [family] }));

/** A rehearsal whose loopback is in memory. Port 0 is there to be called, too. */
function rehearsal(change: (transport: Transport) => Partial<Transport> = () => ({})) {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock);
  const { log, lines } = memoryLogger();
  const over = vi.fn();
  const loopback = network.host('127.0.0.1');
  const listeners: { readonly address: string; readonly port: number }[] = [];
  const transport: Transport = {
    ...loopback,
    listen: async (at, accept) => {
      const listener = await loopback.listen(at, accept);
      listeners.push(at);
      return {
        ...listener,
        close: () => {
          listeners.splice(listeners.indexOf(at), 1);
          return listener.close();
        },
      };
    },
  };
  const world = { clock, random: () => 0.5, log, transport: { ...transport, ...change(transport) } };
  let toldOctets = 0;
  network.tap = (from, _, octets) => {
    if (from === '127.0.0.1') toldOctets += octets.length;
  };
  const count = (event: string): number => lines.filter(({ message }) => message.includes(event)).length;
  return { clock, over, listeners, count, toldOctets: () => toldOctets, world };
}

/** All messages, decoded. */
function read(octets: Uint8Array) {
  const framer = new Framer(MAX_OCTETS);
  framer.push(octets);
  const prefixes: string[] = [];
  const withdrawn: string[] = [];
  const attributes: object[] = [];
  const text = (nlri: unknown): string => JSON.stringify(nlri);
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    const result = decodeMessage(frame, plainContext);
    if (result.kind === 'fault' || result.message.type !== 'update') throw new Error(JSON.stringify(result));
    const { message } = result;
    if (message.remedy !== undefined) throw new Error(JSON.stringify(message.faults));
    prefixes.push(...message.announced.flatMap(({ nlri }) => nlri as readonly unknown[]).map(text));
    withdrawn.push(...message.withdrawn.flatMap(({ nlri }) => nlri as readonly unknown[]).map(text));
    attributes.push(message.attributes);
  }
  return { prefixes, withdrawn, attributes };
}

test('plays sessions until each step was taken often, and leaves no socket and no timer', async () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, over, listeners, count, world } = rehearsal();
  rehearse({ settings: SETTINGS, peers: peersOf([4, 6]) }, world, over);
  await clock.advance(20_000);
  expect(over).toHaveBeenCalledOnce();
  expect(count(' Up')).toBeGreaterThanOrEqual(SESSIONS);
  expect(count('bug')).toBe(0);
  const marks = read.mock.results.flatMap(({ value }) => (value as { endOfRib?: number }).endOfRib ?? []);
  expect(marks.length).toBeGreaterThanOrEqual(2 * SESSIONS);
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('plays tables over sessions, in both families: taken in without a fault, told to others, lost with their peer', async () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const flush = vi.spyOn(Routing.prototype, 'flush');
  const { clock, over, listeners, count, toldOctets, world } = rehearsal();
  playTables({ ...world, families: [4, 6], settings: SETTINGS, peer: undefined }, over);
  await clock.advance(20_000);
  expect(over).toHaveBeenCalledOnce();
  expect(new Set(read.mock.results.map(({ value }) => Object.keys(value as object).join()))).toEqual(
    new Set(['', 'endOfRib']),
  );
  expect(toldOctets()).toBeGreaterThan(3 * 2 * 4 * PREFIXES * 4);
  // In each play one peer hangs up once, and another says so twice.
  expect([count('Administrative Shutdown'), flush.mock.calls.length >= 3 * 3]).toEqual([3 * 2, true]);
  expect(count('bug')).toBe(0);
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('tables end where nobody needs them any more, at whatever moment', async () => {
  for (const ms of [0, 1, 2, 5, 9, 14]) {
    const { clock, over, listeners, world } = rehearsal();
    const end = playTables({ ...world, families: [4, 6], settings: SETTINGS, peer: undefined }, over);
    await clock.advance(ms);
    end();
    await clock.advance(0);
    expect([listeners.length, clock.pending, over.mock.calls.length]).toEqual([0, 0, 0]);
  }
});

test('what is said is in order, all over the space of the family, with the attributes of the Internet', () => {
  for (const family of [4, 6] as const) {
    const writer = new UpdateWriter();
    announcement(writer, { family, asn: 65_001, edition: 1 }, { first: 0, end: 2000 });
    const { prefixes, attributes } = read(writer.take());
    expect(prefixes.length).toBe(2000);
    expect(new Set(prefixes).size).toBeGreaterThan(family === 4 ? 1900 : 1990);
    const common = ['origin', 'asPath', 'nextHop'];
    const some = ['med', 'communities', 'largeCommunities', 'atomicAggregate', 'aggregator'];
    expect(new Set(attributes.flatMap((set) => Object.keys(set)))).toEqual(new Set([...common, ...some]));
    withdrawal(writer, family, { first: 0, end: 2000 });
    expect(read(writer.take()).withdrawn).toEqual(prefixes);
  }
});

test('a peer of a rehearsal has what a real one has, in its order, and nothing of what it says', () => {
  const real = { remoteAsn: 1, password: 'secret', kind: 'eBGP', families: [6] as const };
  const peer = peerInPlay({ address: { family: 4, words: [1] }, remoteAsn: 65_001, families: [4] });
  const formed = inTheFormOf(real, peer);
  expect(formed).toEqual(peer);
  expect(Object.keys(formed).slice(0, 3)).toEqual(['remoteAsn', 'kind', 'families']);
});

test('listens on the loopback, on a port that the kernel picks', async () => {
  const { clock, listeners, world } = rehearsal();
  const end = rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, () => undefined);
  await vi.waitFor(() => expect(listeners).toHaveLength(1));
  expect(listeners).toMatchObject([{ address: '127.0.0.1', port: 0 }]);
  end();
  await clock.advance(20_000);
});

test('ends where nobody needs it any more: nothing is over, and nothing is left', async () => {
  const { clock, over, listeners, world } = rehearsal();
  const end = rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, over);
  await vi.waitFor(() => expect(listeners).toHaveLength(1));
  end();
  await clock.advance(60_000);
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(over).not.toHaveBeenCalled();
});

test('ends for good also while the sessions are being closed', async () => {
  const closing = Promise.withResolvers<undefined>();
  const silent = new MemoryNetwork(new FakeClock()).host('127.0.0.1');
  const { clock, over, listeners, world } = rehearsal((transport) => ({
    listen: async (at, accept) => {
      const listener = await transport.listen(at, accept);
      return { ...listener, close: () => closing.promise.then(() => listener.close()) };
    },
    connect: (target) => silent.connect(target),
  }));
  const end = rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, over);
  await clock.advance(3000);
  expect(listeners).toHaveLength(1);
  end();
  closing.resolve(undefined);
  await clock.advance(60_000);
  expect([listeners.length, clock.pending, over.mock.calls.length]).toEqual([0, 0, 0]);
});

test('plays nothing where it may not listen', async () => {
  const read = vi.spyOn(UpdateReader.prototype, 'read');
  const { clock, over, count, world } = rehearsal(() => ({ listen: () => Promise.reject(new Error('no loopback')) }));
  rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, over);
  await clock.advance(20_000);
  expect(over).toHaveBeenCalledOnce();
  expect(count(' Up')).toBe(0);
  expect(read).not.toHaveBeenCalled();
  expect(clock.pending).toBe(0);
});

test('goes on to the tables where a socket cannot be closed', async () => {
  const { clock, over, world } = rehearsal((transport) => ({
    listen: async (at, accept) => ({
      ...(await transport.listen(at, accept)),
      close: () => Promise.reject(new Error('a bug')),
    }),
  }));
  rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, over);
  await clock.advance(20_000);
  expect(over).toHaveBeenCalledOnce();
});

test('waits some seconds for a loopback that is silent, and no longer', async () => {
  const network = new MemoryNetwork(new FakeClock());
  const { clock, over, listeners, world } = rehearsal(() => ({
    connect: (target) => network.host('127.0.0.1').connect(target),
  }));
  rehearse({ settings: SETTINGS, peers: peersOf([4]) }, world, over);
  await clock.advance(2999);
  expect(over).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(over).toHaveBeenCalledOnce();
  expect(listeners).toEqual([]);
  expect(clock.pending).toBe(0);
});
