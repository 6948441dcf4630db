import { expect, test } from 'vitest';
import { Neighbor } from '../../bird/neighbor.ts';
import { NOBODY_LISTENS } from '../support/nobody-listens.ts';
import { Routing } from '../../bird/routing.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { peerSettings } from '../support/bgp.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryNetwork } from '../support/memory-transport.ts';
import { RawPeer } from '../support/raw-peer.ts';
import { A, B } from '../support/speakers.ts';

const IPV4 = { afi: 1, safi: 1 };

/** One neighbor and its peer at the other end. */
async function connected(capabilities: ConstructorParameters<typeof RawPeer>[2]['capabilities']) {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock);
  const deaf = NOBODY_LISTENS;
  const neighbor = new Neighbor(peerSettings({ address: B, remoteAsn: 65001, passive: true }), {
    ports: { clock, random: () => 1, log: silentLogger, transport: network.host(A) },
    routing: new Routing({ bgpIdentifier: 1, transit: false, clusterId: undefined, seed: 1 }, deaf),
    bgpIdentifier: 1,
    clusterId: () => undefined,
    isDeferring: () => false,
    isStarting: () => false,
    isEndOfRibHeld: () => false,
    patience: () => 'everybody',
    isDynamic: false,
    tcpEvidence: () => undefined,
    dropsBefore: () => undefined,
    defer: () => undefined,
    progressed: () => undefined,
  });
  await network.host(A).listen({ address: A, port: 179 }, (connection) => neighbor.accept(connection));
  neighbor.start();
  const raw = new RawPeer(network.host(B), A, { asn: 65001, bgpIdentifier: 9, capabilities });
  await clock.advance(10);
  const refreshes = async () => {
    await clock.advance(10);
    return raw.heard.filter(({ type }) => type === 'route-refresh');
  };
  return { neighbor, refreshes };
}

test('a peer that can be asked for everything again is asked, family by family', async () => {
  const { neighbor, refreshes } = await connected([{ name: 'multiprotocol', family: IPV4 }, { name: 'route-refresh' }]);
  expect([neighbor.requestRefresh(4), neighbor.requestRefresh(6)]).toEqual([true, false]);
  expect(await refreshes()).toEqual([{ type: 'route-refresh', family: IPV4, subtype: 'request' }]);
});

test('one that cannot be asked is not', async () => {
  const { neighbor, refreshes } = await connected([]);
  expect([neighbor.isEstablished, neighbor.requestRefresh(4)]).toEqual([true, false]);
  expect(await refreshes()).toEqual([]);
});
