import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { peerSettings } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { MemoryNetwork } from '../support/memory-transport.ts';
import { A, B, C, learned, originate, peer, SpeakerBench } from '../support/speakers.ts';
import type { Host } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;
let network: MemoryNetwork;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock, network } = bench);
});
afterEach(() => bench.close());

describe('two nodes', () => {
  test('come up and learn each other’s blocks', async () => {
    const [a, b] = await bench.pair();
    expect(peer(a)).toMatchObject({ state: 'Established', received: 1, accepted: 1, advertised: 1, flaps: 0 });
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
    expect(learned(b)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    expect(a.learnedRoutes()[0]?.learnedFrom).toBe('10.0.0.2 (global)');
  });

  test('come up where octets arrive one by one', async () => {
    network.chunkOctets = 1;
    const [a] = await bench.pair();
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('connect at the same moment and end with one session on both sides', async () => {
    const [a, b] = await bench.pair();
    await clock.advance(60_000);
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
    expect([peer(a).flaps, peer(b).flaps]).toEqual([0, 0]);
  });

  test('stay up for hours on keepalives', async () => {
    const [a] = await bench.pair({ holdSeconds: 9 });
    await clock.advance(600_000);
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 9, flaps: 0 });
  });

  test('without hold time send no keepalives and stay up', async () => {
    const [a] = await bench.pair({ holdSeconds: 0 });
    await clock.advance(600_000);
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 0, flaps: 0 });
  });

  test('one of them passive: the other dials', async () => {
    const [a, b] = await bench.pair({ passive: true });
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
  });

  test('both passive: nobody dials, and the view says what is waited for', async () => {
    const [a] = await bench.pair({ passive: true }, { passive: true });
    expect(peer(a)).toMatchObject({ state: 'Active', lastError: 'passive: waiting for the peer to connect' });
  });

  test('IPv6 blocks travel where both families are agreed on and the session is IPv6', async () => {
    const families = [6] as const;
    const a = await bench.start({ address: 'fd00::1', bgpIdentifier: 1, peers: [{ address: 'fd00::2', families }] });
    await bench.start({
      address: 'fd00::2',
      bgpIdentifier: 2,
      peers: [{ address: 'fd00::1', families }],
      originates: ['fd00:2::/122'],
    });
    await clock.advance(3000);
    expect(learned(a)).toEqual(['fd00:2::/122 via fd00::2']);
  });

  test('a change of routes is passed on, and listeners hear of it once', async () => {
    const [a, b] = await bench.pair();
    let calls = 0;
    const stop = a.onRoutesChange(() => calls++);
    originate(b, ['192.168.3.0/26', '192.168.4.0/26']);
    await clock.advance(100);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.2', '192.168.4.0/26 via 10.0.0.2']);
    expect(calls).toBeLessThanOrEqual(2);
    stop();
    originate(b, []);
    await clock.advance(100);
    expect(learned(a)).toEqual([]);
    expect(calls).toBeLessThanOrEqual(2);
  });

  test('five thousand routes arrive, and go', async () => {
    const [a, b] = await bench.pair();
    const many = Array.from({ length: 5000 }, (_, i) => `172.${16 + (i >> 8)}.${i & 255}.0/24`);
    originate(b, many);
    await clock.advance(1000);
    expect(a.learnedRoutes()).toHaveLength(5000);
    originate(b, []);
    await clock.advance(1000);
    expect(a.learnedRoutes()).toHaveLength(0);
  });
});

describe('what ends a session', () => {
  test('a peer that falls silent: hold timer, and without the N bit its routes go', async () => {
    const [a] = await bench.pair({ holdSeconds: 9, errorWaitSeconds: [5, 30], notificationRestart: false });
    network.unplugged.add(B);
    await clock.advance(8000);
    expect(peer(a).state).toBe('Established');
    await clock.advance(2000);
    expect(peer(a)).toMatchObject({ state: 'Idle', lastError: 'hold timer expired: nothing heard for 9 s', flaps: 1 });
    expect(learned(a)).toEqual([]);
  });

  test('a shutdown: the text arrives and the routes go at once', async () => {
    const [a, b] = await bench.pair();
    await b.close({ kind: 'shutdown', message: 'kernel update' });
    await clock.advance(10);
    const text = 'NOTIFICATION received: Cease / Administrative Shutdown: "kernel update" (Hard Reset)';
    expect(peer(a).lastError).toBe(text);
    expect(learned(a)).toEqual([]);
    // Dials that nobody answers tell less than that.
    await clock.advance(600_000);
    expect(peer(a).incidents.at(-1)?.text).toBe('connection refused');
    expect(peer(a).lastError).toBe(text);
  });

  test('a wrong AS: refused by name on both sides, and the waits grow', async () => {
    const [a, b] = await bench.pair({ remoteAsn: 65009 });
    expect(`${peer(a).lastError} ${peer(b).lastError}`).toContain('AS 64512, AS 65009 is configured');
    expect(peer(b).lastError).toContain('AS');
    expect(peer(a).state).not.toBe('Established');
  });

  test('nobody listens: refused, in words', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B }] });
    await clock.advance(100);
    expect(peer(a)).toMatchObject({ state: 'Active', lastError: 'connection refused' });
  });

  test('a removed peer hears that it was removed, and its routes go', async () => {
    const [a, b] = await bench.pair();
    a.setPeers([]);
    await clock.advance(5);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Peer De-configured (Hard Reset)');
    expect(learned(a)).toEqual([]);
  });
});

describe('more than two', () => {
  const tor = (
    address: string,
    asn: number,
    { peers, originates }: Pick<Host, 'peers' | 'originates'>,
  ): Promise<Speaker> =>
    bench.start({
      address,
      asn,
      peers: peers.map((p) => ({ localAsn: asn, ...p })),
      originates: originates ?? [],
      transit: true,
    });

  test('a switch passes on between its nodes; a node passes nothing on', async () => {
    const nodeA = await bench.start({
      address: A,
      peers: [{ address: B, remoteAsn: 65001 }],
      originates: ['192.168.1.0/26'],
    });
    await tor(B, 65001, { peers: [{ address: A }, { address: C, remoteAsn: 65002 }], originates: ['0.0.0.0/0'] });
    const far = await tor(C, 65002, { peers: [{ address: B, remoteAsn: 65001 }], originates: ['10.50.0.0/16'] });
    await clock.advance(5000);
    expect(learned(far)).toEqual(['0.0.0.0/0 via 10.0.0.2', '192.168.1.0/26 via 10.0.0.2']);
    expect(learned(nodeA)).toEqual(['0.0.0.0/0 via 10.0.0.2', '10.50.0.0/16 via 10.0.0.2']);
    expect(far.routes().find(({ prefix }) => prefix.length === 26)?.asPath).toBe('65001 64512');
  });

  test('equal paths from two switches are one multipath route', async () => {
    const a = await bench.start({
      address: A,
      peers: [
        { address: C, remoteAsn: 65001 },
        { address: B, remoteAsn: 65001 },
      ],
    });
    for (const address of [B, C]) await tor(address, 65001, { peers: [{ address: A }], originates: ['10.50.0.0/16'] });
    await clock.advance(5000);
    expect(learned(a)).toEqual(['10.50.0.0/16 via 10.0.0.2, 10.0.0.3']);
    expect(a.routes().map(({ reason }) => reason)).toEqual([
      'best path',
      'equal path, lost by: f) lower BGP Identifier',
    ]);
  });

  test('a route reflector passes on between its clients, with ORIGINATOR_ID, and the next hop stays', async () => {
    const client = { routeReflectorClient: true };
    await bench.start({
      address: A,
      clusterId: 9,
      peers: [
        { address: B, ...client },
        { address: C, ...client },
      ],
    });
    await bench.start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const c = await bench.start({ address: C, peers: [{ address: A }] });
    await clock.advance(5000);
    expect(learned(c)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('another node may announce an address that it borrows from one of our blocks', async () => {
    const [a, b] = await bench.pair();
    originate(b, ['192.168.1.5/32']);
    await clock.advance(100);
    expect(learned(a)).toEqual(['192.168.1.5/32 via 10.0.0.2']);
  });

  test('a prefix inside one of our own blocks is refused from outside our AS, by name, also when the block comes later', async () => {
    const a = await bench.start({
      address: A,
      peers: [{ address: B, remoteAsn: 65001 }],
      originates: ['192.168.1.0/26'],
    });
    const b = await bench.start({ address: B, asn: 65001, peers: [{ address: A, localAsn: 65001, remoteAsn: 64512 }] });
    await clock.advance(3000);
    originate(b, ['192.168.1.5/32', '192.168.9.1/32']);
    await clock.advance(100);
    expect(learned(a)).toEqual(['192.168.9.1/32 via 10.0.0.2']);
    expect(a.routes().find(({ prefix }) => formatPrefix(prefix) === '192.168.1.5/32')?.reason).toBe(
      'rejected on import: the prefix lies inside a block of this node',
    );
    originate(a, ['192.168.9.0/26']);
    await clock.advance(100);
    expect(learned(a)).toEqual(['192.168.1.5/32 via 10.0.0.2']);
  });

  test('a stranger is hung up on', async () => {
    await bench.start({ address: A, peers: [{ address: B }] });
    const stranger = await bench.start({ address: C, peers: [{ address: A }] });
    await clock.advance(3000);
    expect(peer(stranger)).toMatchObject({ lastError: 'the peer closed the connection' });
  });
});

test('a listener that cannot be had ends start with its reason, and nothing stays open', async () => {
  await bench.start({ address: A, peers: [] });
  const second = bench.start({
    address: A,
    peers: [],
    listen: [
      { address: A, port: 180 },
      { address: A, port: 179 },
    ],
  });
  await expect(second).rejects.toThrow('10.0.0.1:179 is in use by another process');
  await expect(bench.start({ address: A, peers: [], listen: [{ address: A, port: 180 }] })).resolves.toBeDefined();
});

describe('an end at an odd moment', () => {
  const bare = (address: string): Speaker =>
    bench.make({ address, gracefulRestart: { restarting: true, deferralSeconds: 60 } });
  const configure = (speaker: Speaker): void => {
    originate(speaker, ['192.168.1.0/26']);
    speaker.setPeers([peerSettings({ address: B })]);
  };

  test('while it starts: nothing stays open, nothing is left to happen', async () => {
    const speaker = bare(A);
    configure(speaker);
    const started = speaker.start();
    await speaker.close({ kind: 'restart' });
    await started;
    await clock.advance(1);
    expect([clock.pending, peer(speaker).state]).toEqual([0, 'Idle']);
    await bare(A).start();
  });

  test('a second time: both calls resolve when all is closed', async () => {
    const [a, b] = await bench.pair();
    const both = [a.close({ kind: 'restart' }), a.close({ kind: 'shutdown', message: 'too late' })];
    await Promise.all(both);
    await clock.advance(10);
    expect(peer(b).lastError).toBe('the peer closed the connection');
    await bare(A).start();
  });

  test('and what is set afterwards starts nothing', async () => {
    const speaker = bare(A);
    await speaker.start();
    await speaker.close({ kind: 'restart' });
    configure(speaker);
    await speaker.start();
    await clock.advance(1);
    expect([clock.pending, speaker.peers(), speaker.learnedRoutes()]).toEqual([0, [], []]);
    await bare(A).start();
  });

  test('a start that failed can be tried again', async () => {
    const first = bare(A);
    await first.start();
    const second = bare(A);
    configure(second);
    await expect(second.start()).rejects.toThrow('10.0.0.1:179 is in use by another process');
    await first.close({ kind: 'restart' });
    await clock.advance(1);
    expect(clock.pending).toBe(0);
    await second.start();
    await bench.start({ address: B, peers: [{ address: A }] });
    await clock.advance(3000);
    expect(peer(second).state).toBe('Established');
  });
});
