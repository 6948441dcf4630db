import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefreshWatch } from '../../bird/refresh-watch.ts';
import type { Speaker } from '../../bird/index.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RawPeer } from '../support/raw-peer.ts';
import { RoutingBench, attributesOf } from '../support/routing-bench.ts';
import { A, B, SpeakerBench } from '../support/speakers.ts';

const IPV4 = { afi: 1, safi: 1 };
const IPV6 = { afi: 2, safi: 1 };
const ENHANCED = [
  { name: 'multiprotocol', family: IPV4 },
  { name: 'route-refresh' },
  { name: 'enhanced-route-refresh' },
] as const;

let bench: SpeakerBench;
let speaker: Speaker;

beforeEach(async () => {
  bench = new SpeakerBench();
  const peers = [{ address: B, remoteAsn: 65001, passive: true, families: [4, 6] as const }];
  speaker = await bench.start({ address: A, peers, originates: ['192.168.1.0/26', '192.168.2.0/26'] });
});
afterEach(() => bench.close());

const prefixes = (): readonly string[] =>
  speaker
    .learnedRoutes()
    .map(({ prefix }) => formatPrefix(prefix))
    .sort();

async function connect(capabilities: ConstructorParameters<typeof RawPeer>[2]['capabilities']): Promise<RawPeer> {
  const peer = new RawPeer(bench.network.host(B), A, { asn: 65001, bgpIdentifier: 9, capabilities });
  await bench.clock.advance(10);
  return peer;
}

const refresh = (subtype: 'request' | 'begin' | 'end') => ({ type: 'route-refresh', family: IPV4, subtype }) as const;

/** What came since: UPDATEs by number of prefixes, End-of-RIB, and marks. */
const heard = (peer: RawPeer): readonly string[] =>
  peer.heard.splice(0).flatMap((message) => {
    if (message.type === 'route-refresh') return [String(message.subtype)];
    if (message.type !== 'update') return [];
    return [message.endOfRib === undefined ? `${message.announced[0]?.nlri.length} routes` : 'End-of-RIB'];
  });

describe('our answer to a request', () => {
  test('stands between BoRR and EoRR where both sides know them, after End-of-RIB', async () => {
    const peer = await connect(ENHANCED);
    expect(heard(peer)).toEqual(['2 routes', 'End-of-RIB']);
    peer.say(refresh('request'));
    await bench.clock.advance(10);
    expect(heard(peer)).toEqual(['begin', '2 routes', 'end']);
  });

  test('is plain where the peer does not', async () => {
    const peer = await connect(ENHANCED.slice(0, 2));
    heard(peer);
    peer.say(refresh('request'));
    await bench.clock.advance(10);
    expect(heard(peer)).toEqual(['2 routes']);
  });

  test('is one for all requests that came meanwhile', async () => {
    const peer = await connect(ENHANCED);
    heard(peer);
    for (let i = 0; i < 1000; i++) peer.say(refresh('request'));
    await bench.clock.advance(10);
    expect(heard(peer).length).toBeLessThanOrEqual(6);
  });

  test('is an empty one where there is nothing to tell', async () => {
    speaker.setOriginated([]);
    const peer = await connect(ENHANCED);
    heard(peer);
    peer.say(refresh('request'));
    await bench.clock.advance(10);
    expect(heard(peer)).toEqual(['begin', 'end']);
  });
});

describe('the answer of a peer', () => {
  test('between BoRR and EoRR is all that it has: the rest goes', async () => {
    const peer = await connect(ENHANCED);
    peer.announce(3);
    await bench.clock.advance(10);
    peer.say(refresh('begin'));
    peer.announce(1, 1);
    await bench.clock.advance(10);
    expect(prefixes()).toHaveLength(3);
    peer.say(refresh('end'));
    await bench.clock.advance(10);
    expect(prefixes()).toEqual(['10.0.1.0/24']);
  });

  test('that ends without having begun says nothing', async () => {
    const peer = await connect(ENHANCED);
    peer.announce(2);
    peer.say(refresh('end'));
    await bench.clock.advance(10);
    expect(prefixes()).toHaveLength(2);
  });

  test('of one that does not know the marks is none', async () => {
    const peer = await connect(ENHANCED.slice(0, 2));
    peer.announce(2);
    peer.say(refresh('begin'));
    peer.say(refresh('end'));
    await bench.clock.advance(10);
    expect(prefixes()).toHaveLength(2);
  });

  test('that never ends, ends after six minutes', async () => {
    const peer = await connect(ENHANCED);
    peer.announce(2);
    peer.say(refresh('begin'));
    peer.announce(1);
    await bench.clock.advance(359_000);
    expect(prefixes()).toHaveLength(2);
    await bench.clock.advance(2000);
    expect(prefixes()).toEqual(['10.0.0.0/24']);
  });
});

/** RFC 7313 §4; who has not told everything once has nothing to tell again. */
describe('BoRR of a peer with graceful restart, before End-of-RIB', () => {
  const families = [IPV4, IPV6];
  const restart = {
    name: 'graceful-restart',
    restarting: true,
    notification: false,
    restartSeconds: 120,
    families: families.map((family) => ({ family, forwardingPreserved: true })),
  } as const;
  const RESTARTABLE = [...ENHANCED, { name: 'multiprotocol', family: IPV6 }, restart] as const;

  /** All but the first of three routes is left out. */
  async function tellFirstAgain(peer: RawPeer): Promise<void> {
    peer.say(refresh('begin'));
    peer.announce(1);
    peer.say(refresh('end'));
    await bench.clock.advance(10);
  }

  test('says nothing, the first time that the peer is here too', async () => {
    const peer = await connect(RESTARTABLE);
    peer.announce(3);
    await tellFirstAgain(peer);
    expect(prefixes()).toHaveLength(3);
    peer.endOfRib(IPV4);
    await tellFirstAgain(peer);
    expect(prefixes()).toEqual(['10.0.0.0/24']);
  });

  test('counts as soon as the End-of-RIB of its own family came, while another is still awaited', async () => {
    const before = await connect(RESTARTABLE);
    before.announce(3);
    before.hangUp();
    await bench.clock.advance(10);
    const peer = await connect(RESTARTABLE);
    peer.announce(3);
    peer.endOfRib(IPV4);
    await tellFirstAgain(peer);
    expect(prefixes()).toEqual(['10.0.0.0/24']);
  });

  test('is not made good by what follows: EoRR after End-of-RIB ends nothing', async () => {
    const peer = await connect(RESTARTABLE);
    peer.announce(3);
    peer.say(refresh('begin'));
    peer.endOfRib(IPV4);
    peer.say(refresh('end'));
    await bench.clock.advance(10);
    expect(prefixes()).toHaveLength(3);
  });
});

test('a refresh that begins again marks anew, and a session that is lost ends it', async () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const watch = new RefreshWatch({
    clock,
    markStale: (family) => log.push(`mark ${family}`),
    sweepStale: (family) => log.push(`sweep ${family}`),
  });
  watch.take(4, 'begin');
  await clock.advance(300_000);
  watch.take(4, 'begin');
  await clock.advance(300_000);
  watch.take(4, 7);
  expect(log).toEqual(['mark 4', 'mark 4']);
  watch.take(6, 'begin');
  watch.stop();
  await clock.advance(400_000);
  watch.take(6, 'end');
  expect(log).toEqual(['mark 4', 'mark 4', 'mark 6']);
});

test('a route that goes while everything is told again is withdrawn', () => {
  const b = new RoutingBench([{ address: '10.9.0.2' }, { address: '10.9.0.3', remoteAsn: 65003 }]);
  b.announce(0, '10.0.0.0/24', { attributes: attributesOf(1) });
  b.sync();
  b.withdraw(0, '10.0.0.0/24');
  b.settle();
  b.routing.refresh(b.peers[1]!, 4);
  b.sync();
  expect(b.told[1]!.size).toBe(0);
});
