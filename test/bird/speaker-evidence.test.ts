/** What the view of a peer tells, between two whole speakers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PeerExplanation, Speaker } from '../../bird/index.ts';
import { FakeTcpEvidence } from '../support/fake-tcp-evidence.ts';
import type { PeerText } from '../support/bgp.ts';
import { peerSettings } from '../support/bgp.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { MemoryNetwork } from '../support/memory-transport.ts';
import { A, B, C, learned, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;
let clock: FakeClock;
let network: MemoryNetwork;

beforeEach(() => {
  bench = new SpeakerBench();
  ({ clock, network } = bench);
});
afterEach(() => bench.close());

const ofB = (changes: Partial<PeerText>) => [peerSettings({ address: B, ...changes })];

const CAPABILITIES = [
  'IPv4 unicast',
  'route refresh',
  'enhanced route refresh',
  'graceful restart 120 s (N) with IPv4 unicast (F)',
  '4-octet AS 64512',
];

test('a session that is up shows its connection, its messages and what both sides can do', async () => {
  const [a] = await bench.pair();
  expect(peer(a)).toMatchObject({
    connection: { localAddress: peerSettings({ address: A }).address },
    capabilities: {
      sent: CAPABILITIES,
      received: CAPABILITIES,
    },
    reach: { hasSeenOpen: true },
  });
  const { sent, received } = peer(a).messages;
  expect(sent.update).toBe(2); // one route, and End-of-RIB
  expect(received.update).toBe(2);
  expect(peer(a).lastError).toBeUndefined();
});

describe('a peer that the operator holds down', () => {
  test('hears the text, goes, and its routes with it; removed, it is back', async () => {
    const [a, b] = await bench.pair();
    a.setPeers(ofB({ shutdown: 'new fibre' }));
    await clock.advance(10);
    expect([learned(a), learned(b)]).toEqual([[], []]);
    expect(peer(a)).toMatchObject({ state: 'Idle', lastError: 'administratively shut down: new fibre' });
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Administrative Shutdown: "new fibre" (Hard Reset)');
    await clock.advance(60_000);
    expect(peer(a).state).toBe('Idle');
    // That its calls are rejected meanwhile (6/5) is no news to whoever reads why.
    expect(peer(b).incidents.at(-1)?.text).toBe('NOTIFICATION received: Cease / Connection Rejected');
    expect(peer(b).lastError).toBe('NOTIFICATION received: Cease / Administrative Shutdown: "new fibre" (Hard Reset)');
    a.setPeers(ofB({}));
    await clock.advance(5000);
    expect([peer(a).state, learned(a)]).toEqual(['Established', ['192.168.2.0/26 via 10.0.0.2']]);
  });

  test('while another setting changes too does not keep its routes', async () => {
    const [a] = await bench.pair();
    a.setPeers(ofB({ shutdown: '', holdSeconds: 30 }));
    await clock.advance(10);
    expect([peer(a).state, learned(a)]).toEqual(['Idle', []]);
  });

  test('from the start never dials', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B, shutdown: 'spare' }] });
    await clock.advance(60_000);
    expect(peer(a)).toMatchObject({ state: 'Idle', reach: { dialled: 0 } });
  });
});

describe('why a session does not come up is known within five seconds', () => {
  test('nobody listens', async () => {
    const a = await bench.start({ address: A, peers: [{ address: B }] });
    await clock.advance(100);
    expect(peer(a).incidents.at(-1)).toMatchObject({ kind: 'connection failed', errno: 'ECONNREFUSED' });
  });

  test('the host is silent', async () => {
    network.unplugged.add(B);
    const a = await bench.start({ address: A, peers: [{ address: B, connectRetrySeconds: 5 }] });
    await clock.advance(3100);
    expect(peer(a).incidents.at(-1)).toMatchObject({
      kind: 'silence',
      text: 'no answer to our connection attempt within 3 s',
    });
  });

  test('TCP stands, but the peer says nothing', async () => {
    await network.host(B).listen({ address: B, port: 179 }, (connection) =>
      connection.attach({
        opened: () => undefined,
        data: () => undefined,
        progress: () => undefined,
        closed: () => undefined,
      }),
    );
    const a = await bench.start({ address: A, peers: [{ address: B }] });
    await clock.advance(3100);
    expect(peer(a)).toMatchObject({ state: 'OpenSent', reach: { connected: 1, hasSeenOpen: false } });
    expect(peer(a).incidents).toMatchObject([{ kind: 'no OPEN', text: 'TCP stands, but no OPEN came within 3 s' }]);
  });

  test('a wrong AS', async () => {
    const [a, b] = await bench.pair({ remoteAsn: 65009, passive: true });
    expect(peer(a).incidents.at(0)).toMatchObject({
      kind: 'notification sent',
      text: 'AS mismatch: the peer says AS 64512, AS 65009 is configured',
      notification: { code: 2, subcode: 2, data: '0000fc00' },
    });
    expect(peer(b).incidents.at(0)).toMatchObject({
      kind: 'notification received',
      notification: { name: 'OPEN Message Error / Bad Peer AS' },
    });
  });
});

describe('what the kernel dropped', () => {
  const kernel = new FakeTcpEvidence();
  const why = (speaker: Speaker): PeerExplanation => speaker.explainPeer(peerSettings({ address: B }).address)!;
  const start = (peers: readonly PeerText[] = [{ address: B, password: 'a' }]): Promise<Speaker> => {
    network.unplugged.add(B);
    return bench.start({ address: A, peers, world: { tcpEvidence: kernel.read } });
  };

  test('explains a silent peer, from when it was configured on, and for some minutes', async () => {
    kernel.drop('md5Failure', 7);
    const a = await start();
    await clock.advance(4000);
    expect(why(a).cause).toBe('no answer');
    kernel.drop('md5Failure', 2);
    expect(why(a)).toMatchObject({
      verdict: 'the two sides have different passwords (TCP MD5)',
      evidence: expect.arrayContaining([expect.stringContaining('dropped 2 segments')]) as string[],
    });
    await clock.advance(360_000);
    expect(why(a).cause).toBe('no answer');
  });

  test('may be of others who are down, but not of those that are up or held down', async () => {
    const a = await start([{ address: B, password: 'a' }, { address: C }, { address: '10.0.0.4', shutdown: 'spare' }]);
    await bench.start({ address: C, peers: [{ address: A }] });
    kernel.drop('md5Failure');
    expect(why(a).verdict).toMatch(/^most likely the two sides/);
    await clock.advance(4000);
    expect(peer(a, 1).state).toBe('Established');
    expect(why(a).verdict).toMatch(/^the two sides/);
  });
});

describe('two speakers that let the other speak first', () => {
  test('come up all the same, one of them loses patience', async () => {
    const [a, b] = await bench.pair({ delayOpenSeconds: 2 }, { delayOpenSeconds: 4 });
    await clock.advance(3000);
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
    expect([peer(a).flaps, peer(b).flaps]).toEqual([0, 0]);
  });
  test('and with a connect delay, once it is over', async () => {
    const [a, b] = await bench.pair({ connectDelaySeconds: 10 }, { connectDelaySeconds: 20 });
    expect([peer(a).state, peer(b).state]).toEqual(['Active', 'Active']);
    await clock.advance(8000);
    expect([peer(a).state, peer(b).state]).toEqual(['Established', 'Established']);
    expect([peer(a).reach.dialled, peer(b).reach.dialled]).toEqual([1, 0]);
  });
});
