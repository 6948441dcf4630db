import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSpeaker } from '../../bird/index.ts';
import type { PeerView, Speaker, SpeakerSettings } from '../../bird/index.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryNetwork } from '../support/memory-transport.ts';

let clock: FakeClock;
let network: MemoryNetwork;
let speakers: Speaker[];

beforeEach(() => {
  clock = new FakeClock();
  network = new MemoryNetwork(clock);
  speakers = [];
});
afterEach(async () => {
  await Promise.all(speakers.map((speaker) => speaker.close({ kind: 'restart' })));
});

interface Host extends Partial<SpeakerSettings> {
  readonly address: string;
  readonly peers: readonly PeerText[];
  readonly originates?: readonly string[];
}

async function start({ address, peers, originates = [], ...settings }: Host): Promise<Speaker> {
  const speaker = createSpeaker(
    {
      asn: 64512,
      bgpIdentifier: parseIpAddress(address).words[0]!,
      listen: [{ address, port: 179 }],
      gracefulRestart: { restarting: false, deferralSeconds: 60 },
      ...settings,
    },
    { clock, random: () => 1, log: silentLogger, transport: network.host(address) },
  );
  speakers.push(speaker);
  originate(speaker, originates);
  speaker.setPeers(peers.map(peerSettings));
  await speaker.start();
  return speaker;
}

const originate = (speaker: Speaker, prefixes: readonly string[]): void =>
  speaker.setOriginated(prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test' })));

const learned = (speaker: Speaker): readonly string[] =>
  speaker
    .learnedRoutes()
    .map(({ prefix, nextHops }) => `${formatPrefix(prefix)} via ${nextHops.map(formatIpAddress).join(', ')}`)
    .sort();

const peer = (speaker: Speaker, index = 0): PeerView => speaker.peers()[index]!;

const A = '10.0.0.1';
const B = '10.0.0.2';
const C = '10.0.0.3';

/** Two nodes of a mesh. */
async function pair(ofA: Partial<PeerText> = {}, ofB: Partial<PeerText> = {}): Promise<readonly [Speaker, Speaker]> {
  const a = await start({ address: A, peers: [{ address: B, ...ofA }], originates: ['192.168.1.0/26'] });
  const b = await start({
    address: B,
    peers: [{ address: A, ...ofB }],
    originates: ['192.168.2.0/26', 'fd00:2::/122'],
  });
  await clock.advance(3000);
  return [a, b];
}

describe('two nodes', () => {
  test('come up and learn each other’s blocks', async () => {
    const [a, b] = await pair();
    expect(peer(a)).toMatchObject({ state: 'Established', received: 1, accepted: 1, advertised: 1, flaps: 0 });
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
    expect(learned(b)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    expect(a.learnedRoutes()[0]?.learnedFrom).toBe('10.0.0.2 (global)');
  });

  test('come up where octets arrive one by one', async () => {
    network.chunkOctets = 1;
    const [a] = await pair();
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('connect at the same moment and end with one session on both sides', async () => {
    const [a, b] = await pair();
    await clock.advance(60_000);
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
    expect([peer(a).flaps, peer(b).flaps]).toEqual([0, 0]);
  });

  test('stay up for hours on keepalives', async () => {
    const [a] = await pair({ holdSeconds: 9 });
    await clock.advance(600_000);
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 9, flaps: 0 });
  });

  test('without hold time send no keepalives and stay up', async () => {
    const [a] = await pair({ holdSeconds: 0 });
    await clock.advance(600_000);
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 0, flaps: 0 });
  });

  test('one of them passive: the other dials', async () => {
    const [a, b] = await pair({ passive: true });
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
  });

  test('both passive: nobody dials, and the view says what is waited for', async () => {
    const [a] = await pair({ passive: true }, { passive: true });
    expect(peer(a)).toMatchObject({ state: 'Active', lastError: 'passive: waiting for the peer to connect' });
  });

  test('IPv6 blocks travel where both families are agreed on and the session is IPv6', async () => {
    const families = [6] as const;
    const a = await start({ address: 'fd00::1', bgpIdentifier: 1, peers: [{ address: 'fd00::2', families }] });
    await start({
      address: 'fd00::2',
      bgpIdentifier: 2,
      peers: [{ address: 'fd00::1', families }],
      originates: ['fd00:2::/122'],
    });
    await clock.advance(3000);
    expect(learned(a)).toEqual(['fd00:2::/122 via fd00::2']);
  });

  test('a change of routes is passed on, and listeners hear of it once', async () => {
    const [a, b] = await pair();
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
    const [a, b] = await pair();
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
  test('a peer that falls silent: hold timer, and its routes go', async () => {
    const [a] = await pair({ holdSeconds: 9, errorWaitSeconds: [5, 30] });
    network.unplugged.add(B);
    await clock.advance(8000);
    expect(peer(a).state).toBe('Established');
    await clock.advance(2000);
    expect(peer(a)).toMatchObject({ state: 'Idle', lastError: 'hold timer expired: nothing heard for 9 s', flaps: 1 });
    expect(learned(a)).toEqual([]);
  });

  test('a shutdown: the text arrives and the routes go at once', async () => {
    const [a, b] = await pair();
    await b.close({ kind: 'shutdown', message: 'kernel update' });
    await clock.advance(10);
    expect(peer(a).lastError).toBe('NOTIFICATION received: Cease / Administrative Shutdown: "kernel update"');
    expect(learned(a)).toEqual([]);
  });

  test('a wrong AS: refused by name on both sides, and the waits grow', async () => {
    const [a, b] = await pair({ remoteAsn: 65009 });
    expect(`${peer(a).lastError} ${peer(b).lastError}`).toContain('AS 64512, AS 65009 is configured');
    expect(peer(b).lastError).toContain('AS');
    expect(peer(a).state).not.toBe('Established');
  });

  test('nobody listens: refused, in words', async () => {
    const a = await start({ address: A, peers: [{ address: B }] });
    await clock.advance(100);
    expect(peer(a)).toMatchObject({ state: 'Active', lastError: 'connection refused' });
  });

  test('a removed peer hears that it was removed; a changed one is reset; an equal one is left alone', async () => {
    const [a, b] = await pair();
    a.setPeers([peerSettings({ address: B, kind: 'node specific', connectRetrySeconds: 7 })]);
    await clock.advance(100);
    expect(peer(a)).toMatchObject({ state: 'Established', settings: { kind: 'node specific' }, flaps: 0 });
    expect(a.learnedRoutes()[0]?.learnedFrom).toBe('10.0.0.2 (node specific)');
    a.setPeers([peerSettings({ address: B, holdSeconds: 30 })]);
    await clock.advance(5);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Other Configuration Change');
    await clock.advance(5000);
    expect(peer(a)).toMatchObject({ state: 'Established', holdSeconds: 30 });
    a.setPeers([]);
    await clock.advance(5);
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Peer De-configured');
    expect(learned(a)).toEqual([]);
  });
});

describe('graceful restart', () => {
  test('of the peer: its routes stay, stale; what it does not tell again goes at its End-of-RIB', async () => {
    const [a, b] = await pair();
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(100);
    await b.close({ kind: 'restart' });
    await clock.advance(10);
    expect(learned(a)).toHaveLength(2);
    expect(peer(a).gracefulRestart).toEqual({ negotiated: false, peerRestarting: true, staleRoutes: 2 });
    expect(a.routes().filter(({ stale }) => stale)).toHaveLength(2);

    const again = await start({
      address: B,
      peers: [{ address: A }],
      originates: ['192.168.3.0/26'],
      gracefulRestart: { restarting: true, deferralSeconds: 60 },
    });
    expect(again.isConverged()).toBe(false);
    await clock.advance(5000);
    expect(again.isConverged()).toBe(true);
    expect(learned(again)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.2']);
    expect(peer(a).gracefulRestart).toEqual({ negotiated: true, peerRestarting: false, staleRoutes: 0 });
  });

  test('of a peer that stays away: its routes go when its restart time is over', async () => {
    const [a, b] = await pair({}, { gracefulRestartSeconds: 20 });
    await b.close({ kind: 'restart' });
    await clock.advance(19_000);
    expect(learned(a)).toHaveLength(1);
    await clock.advance(1500);
    expect(learned(a)).toEqual([]);
  });

  test('of a peer that comes and goes and never tells all: what it does not tell again goes with its first restart time', async () => {
    const [a, b] = await pair({}, { gracefulRestartSeconds: 20 });
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(100);
    await b.close({ kind: 'restart' });
    for (let flap = 0; flap < 4; flap++) {
      // A switch whose own selection waits for C: its routes come, its End-of-RIB does not.
      const again = await start({
        address: B,
        peers: [{ address: A, gracefulRestartSeconds: 20 }, { address: C }],
        originates: ['192.168.3.0/26'],
        gracefulRestart: { restarting: true, deferralSeconds: 600 },
        transit: true,
      });
      await clock.advance(4000);
      expect(peer(a)).toMatchObject({ state: 'Established', gracefulRestart: { staleRoutes: 1 } });
      expect(learned(a)).toHaveLength(2);
      await again.close({ kind: 'restart' });
      await clock.advance(500);
    }
    await clock.advance(2500);
    expect(learned(a)).toEqual([]);
  });

  test('our own: selection waits for every peer, and for the deferral time where one stays away', async () => {
    const restarting = { restarting: true, deferralSeconds: 60 };
    await start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const a = await start({ address: A, peers: [{ address: B }, { address: C }], gracefulRestart: restarting });
    await clock.advance(5000);
    expect(peer(a)).toMatchObject({ state: 'Established', received: 1 });
    expect(a.isConverged()).toBe(false);
    expect(learned(a)).toEqual([]);
    await clock.advance(56_000);
    expect(a.isConverged()).toBe(true);
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('while selection waits, our own routes are told already', async () => {
    const b = await start({ address: B, peers: [{ address: A }] });
    const restarting = { restarting: true, deferralSeconds: 60 };
    await start({
      address: A,
      peers: [{ address: B }, { address: C }],
      originates: ['192.168.1.0/26'],
      gracefulRestart: restarting,
    });
    await clock.advance(5000);
    expect(learned(b)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
  });

  test.each([0, 1, 7, 400, 3000, 9000])(
    'two nodes restart %i ms apart: neither is ever converged without the other’s routes, and neither waits for the timer',
    async (offset) => {
      network.chunkOctets = 16;
      const restarting = { restarting: true, deferralSeconds: 60 };
      const wrong: string[] = [];
      const seen: Speaker[] = [];
      const look = (): void => {
        for (const speaker of seen) if (speaker.isConverged() && learned(speaker).length === 0) wrong.push('empty');
      };
      const node = async (address: string, other: string, originates: readonly string[]): Promise<void> => {
        const speaker = await start({ address, peers: [{ address: other }], originates, gracefulRestart: restarting });
        speaker.onRoutesChange(look);
        seen.push(speaker);
      };
      await node(A, B, ['192.168.1.0/26']);
      await clock.advance(offset);
      await node(B, A, ['192.168.2.0/26']);
      for (let ms = 0; ms < 5000; ms += 5) {
        await clock.advance(5);
        look();
      }
      expect(wrong).toEqual([]);
      expect(seen.map((speaker) => speaker.isConverged())).toEqual([true, true]);
      expect(seen.map(learned)).toEqual([['192.168.2.0/26 via 10.0.0.2'], ['192.168.1.0/26 via 10.0.0.1']]);
    },
  );

  test.each([{ transit: true }, { clusterId: 9 }])(
    'who passes routes on (%o) says End-of-RIB after its selection, and waits for nobody that restarts',
    async (passesOn) => {
      const restarting = { restarting: true, deferralSeconds: 60 };
      const a = await start({ address: A, peers: [{ address: B }], gracefulRestart: restarting, ...passesOn });
      const b = await start({ address: B, peers: [{ address: A }, { address: C }], gracefulRestart: restarting });
      const c = await start({ address: C, peers: [{ address: B }], gracefulRestart: restarting, ...passesOn });
      await clock.advance(5000);
      expect([a, b, c].map((speaker) => speaker.isConverged())).toEqual([true, true, true]);
    },
  );

  test('a node says End-of-RIB when its own routes are known, not before', async () => {
    const b = await start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const ports = { clock, random: () => 1, log: silentLogger, transport: network.host(A) };
    const a = createSpeaker(
      {
        asn: 64512,
        bgpIdentifier: 1,
        listen: [{ address: A, port: 179 }],
        gracefulRestart: { restarting: false, deferralSeconds: 60 },
      },
      ports,
    );
    speakers.push(a);
    originate(a, ['192.168.1.0/26']);
    a.setPeers([peerSettings({ address: B })]);
    await a.start();
    await clock.advance(3000);
    await a.close({ kind: 'restart' });
    const again = createSpeaker(
      {
        asn: 64512,
        bgpIdentifier: 1,
        listen: [{ address: A, port: 179 }],
        gracefulRestart: { restarting: true, deferralSeconds: 60 },
      },
      ports,
    );
    speakers.push(again);
    again.setPeers([peerSettings({ address: B })]);
    await again.start();
    await clock.advance(5000);
    expect(peer(b)).toMatchObject({ state: 'Established', gracefulRestart: { staleRoutes: 1 } });
    expect(learned(b)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    originate(again, ['192.168.3.0/26']);
    await clock.advance(100);
    expect(learned(b)).toEqual(['192.168.3.0/26 via 10.0.0.1']);
  });

  test('a restarted speaker that knows no peers and routes yet never calls itself converged', async () => {
    const speaker = createSpeaker(
      { asn: 1, bgpIdentifier: 1, listen: [], gracefulRestart: { restarting: true, deferralSeconds: 60 } },
      { clock, random: () => 1, log: silentLogger, transport: network.host(A) },
    );
    speakers.push(speaker);
    await speaker.start();
    expect(speaker.isConverged()).toBe(false);
    speaker.setPeers([]);
    expect(speaker.isConverged()).toBe(false);
    speaker.setOriginated([]);
    expect(speaker.isConverged()).toBe(true);
  });
});

describe('more than two', () => {
  const tor = (
    address: string,
    asn: number,
    { peers, originates }: Pick<Host, 'peers' | 'originates'>,
  ): Promise<Speaker> =>
    start({
      address,
      asn,
      peers: peers.map((p) => ({ localAsn: asn, ...p })),
      originates: originates ?? [],
      transit: true,
    });

  test('a switch passes on between its nodes; a node passes nothing on', async () => {
    const nodeA = await start({
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
    const a = await start({
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
    await start({
      address: A,
      clusterId: 9,
      peers: [
        { address: B, ...client },
        { address: C, ...client },
      ],
    });
    await start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const c = await start({ address: C, peers: [{ address: A }] });
    await clock.advance(5000);
    expect(learned(c)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('another node may announce an address that it borrows from one of our blocks', async () => {
    const [a, b] = await pair();
    originate(b, ['192.168.1.5/32']);
    await clock.advance(100);
    expect(learned(a)).toEqual(['192.168.1.5/32 via 10.0.0.2']);
  });

  test('a prefix inside one of our own blocks is refused from outside our AS, by name, also when the block comes later', async () => {
    const a = await start({ address: A, peers: [{ address: B, remoteAsn: 65001 }], originates: ['192.168.1.0/26'] });
    const b = await start({ address: B, asn: 65001, peers: [{ address: A, localAsn: 65001, remoteAsn: 64512 }] });
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
    await start({ address: A, peers: [{ address: B }] });
    const stranger = await start({ address: C, peers: [{ address: A }] });
    await clock.advance(3000);
    expect(peer(stranger)).toMatchObject({ lastError: 'the peer closed the connection' });
  });
});

test('a listener that cannot be had ends start with its reason, and nothing stays open', async () => {
  await start({ address: A, peers: [] });
  const second = start({
    address: A,
    peers: [],
    listen: [
      { address: A, port: 180 },
      { address: A, port: 179 },
    ],
  });
  await expect(second).rejects.toThrow('10.0.0.1:179 is in use by another process');
  await expect(start({ address: A, peers: [], listen: [{ address: A, port: 180 }] })).resolves.toBeDefined();
});

describe('an end at an odd moment', () => {
  const bare = (address: string): Speaker => {
    const speaker = createSpeaker(
      {
        asn: 64512,
        bgpIdentifier: 1,
        listen: [{ address, port: 179 }],
        gracefulRestart: { restarting: true, deferralSeconds: 60 },
      },
      { clock, random: () => 1, log: silentLogger, transport: network.host(address) },
    );
    speakers.push(speaker);
    return speaker;
  };
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
    const [a, b] = await pair();
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
    await start({ address: B, peers: [{ address: A }] });
    await clock.advance(3000);
    expect(peer(second).state).toBe('Established');
  });
});
