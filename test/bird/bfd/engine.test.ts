import { beforeEach, describe, expect, test } from 'vitest';
import type { BfdChange, BfdSessionSettings, BfdSessionView } from '../../../bird/bfd/contract.ts';
import { Engine } from '../../../bird/bfd/engine.ts';
import { sessionKey } from '../../../bird/bfd/name.ts';
import { decodeControl, encodeControl } from '../../../bird/bfd/packet.ts';
import type { ControlPacket } from '../../../bird/bfd/packet.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { peerPacket } from '../../support/bfd.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryBfdNetwork } from '../../support/memory-bfd-network.ts';

const PEER: BfdSessionSettings = {
  address: parseIpAddress('10.0.0.2'),
  transmitMs: 300,
  receiveMs: 300,
  multiplier: 3,
};
const OTHER: BfdSessionSettings = { ...PEER, address: parseIpAddress('2001:db8::2') };
const KEY = sessionKey(PEER);

let clock: FakeClock;
let network: MemoryBfdNetwork;
let engine: Engine;
let changes: BfdChange[];

beforeEach(() => {
  clock = new FakeClock();
  network = new MemoryBfdNetwork();
  changes = [];
  engine = new Engine({ clock, random: () => 0.5, network, changed: (_, change) => changes.push(change) });
  network.attach((datagram) => engine.receive(datagram));
});

const view = (settings: BfdSessionSettings = PEER): BfdSessionView => engine.view(sessionKey(settings))!;

function sent(settings: BfdSessionSettings = PEER): readonly ControlPacket[] {
  return network.sent
    .filter(({ target }) => target.peer === settings.address)
    .map(({ octets }) => decodeControl(octets) as ControlPacket);
}

const from = (packet: Partial<ControlPacket>): Parameters<MemoryBfdNetwork['arrive']>[0] => ({
  octets: encodeControl(peerPacket({ yourDiscriminator: view().localDiscriminator, ...packet })),
  source: PEER.address,
  interfaceIndex: 3,
  ttl: 255,
  hops: 'single hop',
});

function comeUp(): void {
  engine.setSessions([PEER]);
  network.arrive(from({ state: 'Down', yourDiscriminator: 0 }));
  network.arrive(from({ state: 'Init' }));
}

/** A packet each 250 ms. */
async function keepUp(ms: number): Promise<void> {
  for (let past = 0; past < ms; past += 250) {
    await clock.advance(250);
    network.arrive(from({ state: 'Up' }));
  }
}

describe('a session', () => {
  test('is set up with a peer that answers, reported, and seen with all its values', async () => {
    comeUp();
    expect(changes).toMatchObject([{ address: PEER.address, state: 'Up', wasUp: false, isPathFailure: false }]);
    await keepUp(1000);
    const localDiscriminator = view().localDiscriminator;
    expect(localDiscriminator).not.toBe(0);
    expect(view()).toEqual({
      address: PEER.address,
      multihop: false,
      state: 'Up',
      remoteState: 'Up',
      localDiscriminator,
      remoteDiscriminator: 99,
      transmitMs: 300,
      receiveMs: 300,
      detectionMs: 900,
      upSince: 0,
      flaps: 0,
      packets: { received: 6, sent: sent().length, dropped: {} },
    });
  });

  test('that falls silent goes down after its Detection Time, with the reason in words, and counts a flap', async () => {
    comeUp();
    await keepUp(500);
    await clock.advance(899);
    expect(view().state).toBe('Up');
    await clock.advance(1);
    expect(changes[1]).toMatchObject({
      state: 'Down',
      diagnostic: 'nothing heard for 900 ms (3 x 300 ms)',
      wasUp: true,
      isPathFailure: true,
    });
    expect(view()).toMatchObject({ state: 'Down', flaps: 1, lastDiagnostic: 'nothing heard for 900 ms (3 x 300 ms)' });
    expect(view().upSince).toBeUndefined();
  });

  test('whose packets wait in the socket because the thread stood still does not go down', async () => {
    comeUp();
    await clock.advance(600);
    network.waiting.push(from({ state: 'Up' }));
    await clock.advance(400);
    expect(view().state).toBe('Up');
  });

  test('has the C bit of its peer with each change', () => {
    engine.setSessions([PEER]);
    network.arrive(from({ state: 'Down', yourDiscriminator: 0, controlPlaneIndependent: true }));
    network.arrive(from({ state: 'Init', controlPlaneIndependent: true }));
    expect(changes[0]?.isPeerIndependent).toBe(true);
  });

  test('counts what it drops by reason; what belongs to nobody is counted too', () => {
    engine.setSessions([PEER]);
    network.arrive({ ...from({}), ttl: 254 });
    network.arrive({ ...from({}), ttl: 254 });
    network.arrive(from({ yourDiscriminator: 5 }));
    network.arrive({ ...from({ yourDiscriminator: 0 }), source: OTHER.address });
    expect(view().packets).toMatchObject({ received: 0, dropped: { 'TTL is not 255': 2, 'unknown discriminator': 1 } });
    expect(engine.strangers()).toEqual({ 'unknown peer': 1 });
  });
});

describe('a path that cannot be had', () => {
  test('is told once, tried again, and forgotten when it works', async () => {
    network.failure = 'UDP port 3784 is in use by another process';
    engine.setSessions([PEER]);
    await clock.advance(3000);
    expect(changes).toMatchObject([{ state: 'Down', diagnostic: network.failure, wasUp: false, isPathFailure: false }]);
    expect(view().problem).toBe(network.failure);
    network.failure = undefined;
    await clock.advance(1000);
    expect(view().problem).toBeUndefined();
    expect(sent().length).toBeGreaterThan(0);
  });

  test('while Up is left to the Detection Time; the next packet opens it anew with the same source port', async () => {
    comeUp();
    network.failure = 'the interface is gone';
    await clock.advance(300);
    expect(changes).toHaveLength(1);
    expect(view()).toMatchObject({ state: 'Up', problem: 'the interface is gone' });
    network.failure = undefined;
    await clock.advance(300);
    expect(network.opened.map(({ sourcePort }) => sourcePort)).toEqual([undefined, 50_001]);
    expect(network.closed).toHaveLength(1);
  });
});

describe('the desired set', () => {
  test('touches only what changed', async () => {
    comeUp();
    await keepUp(250);
    const before = network.sent.length;
    engine.setSessions([PEER, OTHER]);
    engine.setSessions([OTHER, PEER]);
    expect(sent(PEER)).toHaveLength(before);
    expect(sent(OTHER)).toHaveLength(1);
    expect(view().state).toBe('Up');
    expect(new Set([view(PEER), view(OTHER)].map(({ localDiscriminator }) => localDiscriminator)).size).toBe(2);
  });

  test('changes timers by a Poll, without a flap', async () => {
    comeUp();
    await clock.advance(200);
    network.arrive(from({ state: 'Up', final: true }));
    network.arrive(from({ state: 'Up' }));
    engine.setSessions([{ ...PEER, transmitMs: 600, receiveMs: 600 }]);
    expect(sent().at(-1)).toMatchObject({ state: 'Up', poll: true, desiredMinTxUs: 600_000 });
    network.arrive(from({ state: 'Up', final: true }));
    expect(view()).toMatchObject({ state: 'Up', transmitMs: 600, detectionMs: 1800 });
    expect(changes).toHaveLength(1);
  });

  test('takes another source address over by a new path', () => {
    comeUp();
    engine.setSessions([{ ...PEER, localAddress: parseIpAddress('10.0.0.9') }]);
    expect(network.closed).toHaveLength(1);
    expect(view().state).toBe('Up');
  });

  test('what leaves it says AdminDown for a Detection Time, is no failure, and is gone then', async () => {
    comeUp();
    await keepUp(250);
    engine.setSessions([]);
    expect(engine.view(KEY)).toBeUndefined();
    expect(sent().at(-1)).toMatchObject({ state: 'AdminDown', diagnostic: 7 });
    const said = sent().length;
    await clock.advance(2999);
    expect(sent().length - said).toBeGreaterThanOrEqual(2);
    expect(network.closed).toHaveLength(0);
    await clock.advance(1);
    expect(network.closed).toHaveLength(1);
    expect(changes).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('what comes back meanwhile begins again, and stays', async () => {
    comeUp();
    engine.setSessions([]);
    await clock.advance(500);
    engine.setSessions([PEER]);
    expect(view().state).toBe('Down');
    await clock.advance(10_000);
    network.arrive(from({ state: 'Down', yourDiscriminator: 0 }));
    network.arrive(from({ state: 'Init' }));
    expect(view().state).toBe('Up');
  });

  test('what nobody ever answered leaves at once', () => {
    engine.setSessions([PEER]);
    engine.setSessions([]);
    expect(network.closed).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

test('close says AdminDown three times within 40 ms, and leaves nothing open', async () => {
  comeUp();
  const before = sent().length;
  let isClosed = false;
  const closed = engine.close().then(() => (isClosed = true));
  await clock.advance(40);
  await closed;
  expect(isClosed).toBe(true);
  expect(
    sent()
      .slice(before)
      .map(({ state }) => state),
  ).toEqual(['AdminDown', 'AdminDown', 'AdminDown']);
  expect(network.closed).toHaveLength(network.opened.length);
  expect(clock.pending).toBe(0);
});

test('a session on an interface hears only that interface, also after it came back under another index', async () => {
  const linkLocal: BfdSessionSettings = { ...PEER, address: parseIpAddress('fe80::2'), interface: 'eth0' };
  engine.setSessions([linkLocal]);
  const hello = {
    ...{ octets: encodeControl(peerPacket({ yourDiscriminator: 0 })) },
    source: linkLocal.address,
    ttl: 255,
  };
  network.arrive({ ...hello, interfaceIndex: 9, hops: 'single hop' });
  expect(view(linkLocal).state).toBe('Down');
  network.failure = 'the interface is gone';
  await clock.advance(1000);
  network.failure = undefined;
  network.interfaceIndex = 9;
  await clock.advance(1000);
  network.arrive({ ...hello, interfaceIndex: 9, hops: 'single hop' });
  expect(view(linkLocal)).toMatchObject({ state: 'Init', interface: 'eth0' });
});
