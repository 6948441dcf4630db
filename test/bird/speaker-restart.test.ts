import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { Routing } from '../../bird/routing.ts';
import { dynamicPeers, peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { MemoryNetwork } from '../support/memory-transport.ts';
import { A, B, C, learned, originate, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;
let network: MemoryNetwork;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock, network } = bench);
});
afterEach(async () => {
  await bench.close();
  vi.restoreAllMocks();
});

describe('graceful restart', () => {
  test('of the peer: its routes stay, stale; what it does not tell again goes at its End-of-RIB', async () => {
    const [a, b] = await bench.pair();
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(100);
    await b.close({ kind: 'restart' });
    await clock.advance(10);
    expect(learned(a)).toHaveLength(2);
    expect(peer(a).gracefulRestart).toEqual({ negotiated: false, peerRestarting: true, staleRoutes: 2 });
    expect(a.routes().filter(({ stale }) => stale)).toHaveLength(2);

    const atOnce = vi.spyOn(Routing.prototype, 'selectAtOnce');
    const again = await bench.start({
      address: B,
      peers: [{ address: A }],
      originates: ['192.168.3.0/26'],
      gracefulRestart: { restarting: true, deferralSeconds: 60 },
    });
    expect([again.isConverged(), atOnce.mock.calls]).toEqual([false, [[false]]]);
    await clock.advance(5000);
    expect([again.isConverged(), atOnce.mock.calls]).toEqual([true, [[false], [true]]]);
    expect(learned(again)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    expect(learned(a)).toEqual(['192.168.3.0/26 via 10.0.0.2']);
    expect(peer(a).gracefulRestart).toEqual({ negotiated: true, peerRestarting: false, staleRoutes: 0 });
  });

  test('of a peer that stays away: its routes go when its restart time is over', async () => {
    const [a, b] = await bench.pair({}, { gracefulRestartSeconds: 20 });
    await b.close({ kind: 'restart' });
    await clock.advance(19_000);
    expect(learned(a)).toHaveLength(1);
    await clock.advance(1500);
    expect(learned(a)).toEqual([]);
  });

  test.each<readonly [string, Partial<PeerText>]>([
    ['speaks no graceful restart any more', { gracefulRestartSeconds: 0, families: [4, 6] }],
    ['has left the family', { families: [6] }],
  ])('of a peer that is back and %s: its routes go with the new OPEN', async (_, now) => {
    const families = [4, 6] as const;
    const [a, b] = await bench.pair({ families }, { families });
    expect(learned(a)).toContain('192.168.2.0/26 via 10.0.0.2');
    await b.close({ kind: 'restart' });
    await clock.advance(10);
    expect(learned(a)).toContain('192.168.2.0/26 via 10.0.0.2');
    // It waits for C, so no End-of-RIB comes: what is gone went for the OPEN.
    await bench.start({
      address: B,
      peers: [{ address: A, ...now }, { address: C }],
      gracefulRestart: { restarting: true, deferralSeconds: 600 },
      transit: true,
    });
    await clock.advance(3000);
    expect(peer(a)).toMatchObject({ state: 'Established' });
    expect(learned(a).filter((route) => route.startsWith('192.168.'))).toEqual([]);
  });

  test('of a peer whose restart time is zero: its routes go with the session', async () => {
    const [a, b] = await bench.pair({}, { gracefulRestartSeconds: 0 });
    await b.close({ kind: 'restart' });
    await clock.advance(10);
    expect(learned(a)).toEqual([]);
  });

  test('of a peer that comes and goes and never tells all: what it does not tell again goes with its first restart time', async () => {
    const [a, b] = await bench.pair({}, { gracefulRestartSeconds: 20 });
    originate(b, ['192.168.2.0/26', '192.168.3.0/26']);
    await clock.advance(100);
    await b.close({ kind: 'restart' });
    for (let flap = 0; flap < 4; flap++) {
      // A switch whose own selection waits for C: its routes come, its End-of-RIB does not.
      const again = await bench.start({
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
    await bench.start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const a = await bench.start({ address: A, peers: [{ address: B }, { address: C }], gracefulRestart: restarting });
    await clock.advance(5000);
    expect(peer(a)).toMatchObject({ state: 'Established', received: 1 });
    expect(a.isConverged()).toBe(false);
    expect(learned(a)).toEqual([]);
    await clock.advance(56_000);
    expect(a.isConverged()).toBe(true);
    expect(learned(a)).toEqual(['192.168.2.0/26 via 10.0.0.2']);
  });

  test('while selection waits, our own routes are told already', async () => {
    const b = await bench.start({ address: B, peers: [{ address: A }] });
    const restarting = { restarting: true, deferralSeconds: 60 };
    await bench.start({
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
        const speaker = await bench.start({
          address,
          peers: [{ address: other }],
          originates,
          gracefulRestart: restarting,
        });
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
      const a = await bench.start({ address: A, peers: [{ address: B }], gracefulRestart: restarting, ...passesOn });
      const b = await bench.start({ address: B, peers: [{ address: A }, { address: C }], gracefulRestart: restarting });
      const c = await bench.start({ address: C, peers: [{ address: B }], gracefulRestart: restarting, ...passesOn });
      await clock.advance(5000);
      expect([a, b, c].map((speaker) => speaker.isConverged())).toEqual([true, true, true]);
    },
  );

  test('a node says End-of-RIB when its own routes are known, not before', async () => {
    const b = await bench.start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const a = bench.make({ address: A });
    originate(a, ['192.168.1.0/26']);
    a.setPeers([peerSettings({ address: B })]);
    await a.start();
    await clock.advance(3000);
    await a.close({ kind: 'restart' });
    const again = bench.make({ address: A, gracefulRestart: { restarting: true, deferralSeconds: 60 } });
    again.setPeers([peerSettings({ address: B })]);
    await again.start();
    await clock.advance(5000);
    expect(peer(b)).toMatchObject({ state: 'Established', gracefulRestart: { staleRoutes: 1 } });
    expect(learned(b)).toEqual(['192.168.1.0/26 via 10.0.0.1']);
    originate(again, ['192.168.3.0/26']);
    await clock.advance(100);
    expect(learned(b)).toEqual(['192.168.3.0/26 via 10.0.0.1']);
  });

  test('waits for nobody whom the operator holds down', async () => {
    const restarting = { restarting: true, deferralSeconds: 60 };
    await bench.start({ address: B, peers: [{ address: A }], originates: ['192.168.2.0/26'] });
    const peers = [{ address: B }, { address: C, shutdown: 'maintenance' }];
    const a = await bench.start({ address: A, peers, gracefulRestart: restarting });
    await clock.advance(5000);
    expect(a.isConverged()).toBe(true);
  });

  test('of a reflector whose clients are dynamic: none sweeps what another, who comes later, has not told yet', async () => {
    const start = async (restarting: boolean): Promise<Speaker> => {
      const reflector = bench.make({ address: A, clusterId: 9, gracefulRestart: { restarting, deferralSeconds: 20 } });
      originate(reflector, []);
      reflector.setDynamicPeers([dynamicPeers('10.0.0.0/24', { routeReflectorClient: true })]);
      reflector.setPeers([]);
      await reflector.start();
      return reflector;
    };
    const first = await start(false);
    const b = await bench.start({ address: B, peers: [{ address: A }] });
    await bench.start({ address: C, peers: [{ address: A }], originates: ['192.168.3.0/26'] });
    await clock.advance(3000);
    await first.close({ kind: 'restart' });
    await clock.advance(10);
    network.unplugged.add(C);
    const counts = new Set([learned(b).length]);
    b.onRoutesChange(() => counts.add(learned(b).length));
    const again = await start(true);
    await clock.advance(5000);
    expect(peer(b)).toMatchObject({ state: 'Established', gracefulRestart: { staleRoutes: 1 } });
    network.unplugged.delete(C);
    await clock.advance(20_000);
    expect([again.isConverged(), learned(b), ...counts]).toEqual([true, ['192.168.3.0/26 via 10.0.0.3'], 1]);
    expect(peer(b).gracefulRestart).toMatchObject({ staleRoutes: 0 });
  });

  test('a restarted speaker that knows no peers and routes yet never calls itself converged', async () => {
    const restarting = { restarting: true, deferralSeconds: 60 };
    const speaker = bench.make({ address: A, listen: [], gracefulRestart: restarting });
    await speaker.start();
    expect(speaker.isConverged()).toBe(false);
    speaker.setPeers([]);
    expect(speaker.isConverged()).toBe(false);
    speaker.setOriginated([]);
    expect(speaker.isConverged()).toBe(true);
  });
});

describe('a speaker that takes over inside a running agent', () => {
  const restarting = { restarting: true, deferralSeconds: 60 };

  test.each([
    ['the peer learns of the new port first', 'before'],
    ['the peer learns of the new port later', 'after'],
    ['the port stays', 'never'],
  ] as const)(
    '%s: the peer loses none of our routes, and we are not converged before we have its own',
    async (_, when) => {
      const [a, b] = await bench.pair();
      const port = when === 'never' ? 179 : 1790;
      const wrong: string[] = [];
      b.onRoutesChange(() => {
        if (learned(b).length === 0) wrong.push('the peer lost our routes');
      });
      if (when === 'before') b.setPeers([peerSettings({ address: A, port })]);
      await clock.advance(100);
      await a.close({ kind: 'restart' });
      await clock.advance(700);
      const again = bench.make({ address: A, listen: [{ address: A, port }], gracefulRestart: restarting });
      again.onRoutesChange(() => {
        if (again.isConverged() && learned(again).length === 0) wrong.push('converged with nothing');
      });
      await again.start();
      originate(again, ['192.168.1.0/26']);
      again.setPeers([peerSettings({ address: B })]);
      if (when === 'after') b.setPeers([peerSettings({ address: A, port })]);
      await clock.advance(5000);
      expect(wrong).toEqual([]);
      expect([again.isConverged(), learned(again), learned(b)]).toEqual([
        true,
        ['192.168.2.0/26 via 10.0.0.2'],
        ['192.168.1.0/26 via 10.0.0.1'],
      ]);
      expect(peer(b)).toMatchObject({ state: 'Established', flaps: 1, gracefulRestart: { staleRoutes: 0 } });
    },
  );

  test('whose port is taken leaves nothing open, and another can follow', async () => {
    const [a, b] = await bench.pair();
    await bench.start({ address: A, bgpIdentifier: 5, listen: [{ address: A, port: 1790 }], peers: [] });
    await a.close({ kind: 'restart' });
    const listen = [180, 1790].map((port) => ({ address: A, port }));
    const next = bench.make({ address: A, listen, gracefulRestart: restarting });
    originate(next, ['192.168.1.0/26']);
    next.setPeers([peerSettings({ address: B })]);
    await clock.advance(0);
    const before = clock.pending;
    await expect(next.start()).rejects.toThrow('10.0.0.1:1790 is in use by another process');
    expect(clock.pending).toBe(before);
    const last = await bench.start({
      address: A,
      listen: [{ address: A, port: 180 }],
      peers: [{ address: B }],
      originates: ['192.168.1.0/26'],
      gracefulRestart: restarting,
    });
    await clock.advance(5000);
    expect([last.isConverged(), learned(last), learned(b)]).toEqual([
      true,
      ['192.168.2.0/26 via 10.0.0.2'],
      ['192.168.1.0/26 via 10.0.0.1'],
    ]);
  });
});
