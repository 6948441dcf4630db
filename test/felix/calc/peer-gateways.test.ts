import { expect, test } from 'vitest';
import type { PlannedRoute } from '../../../felix/calc/planned-route.ts';
import { planRoutes } from '../../../felix/calc/routes.ts';
import type { DataplaneInputs } from '../../../felix/inputs.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { host, inputs, learned } from '../../support/dataplane-inputs.ts';
import { programmable, routeText } from '../../support/route-text.ts';

const peerGateways = (peer: string, gateway: string): Partial<DataplaneInputs> => ({
  peerGateways: [{ peer: parseIpAddress(peer), gateway: parseIpAddress(gateway), origin: 'BGPPeer(tor-a)' }],
});
const plan = (some: Partial<DataplaneInputs>, words: Parameters<typeof host>[0] = {}): readonly PlannedRoute[] => [
  ...planRoutes(inputs(some), host(words)),
];

test('a peer behind a router of our link has a host route through it', () => {
  const [planned] = plan(peerGateways('10.9.9.9', '172.30.1.254'));
  expect(planned).toMatchObject({
    route: { class: 'peer-gateway', reason: 'BGPPeer(tor-a) says that 10.9.9.9 is reachable by 172.30.1.254' },
  });
  expect(routeText(planned!.route)).toBe('10.9.9.9/32 via 172.30.1.254 dev eth0');
});

test('so has an IPv6 peer', () => {
  expect(programmable(plan(peerGateways('2001:db8::9', 'fd00:30:1::fe'), { ipv6: true }))).toEqual([
    '2001:db8::9/128 via fd00:30:1::fe dev eth0',
  ]);
});

test('a router that is no neighbour, and one that nothing leads to, is told', () => {
  expect(plan(peerGateways('10.9.9.9', '10.1.1.1')).map(({ unresolved }) => unresolved)).toEqual([
    '10.1.1.1 is on no link of this host: next hop 10.1.1.1 is reached through 172.30.1.1',
  ]);
  expect(plan(peerGateways('2001:db8::9', 'fd00:30:1::fe')).map(({ unresolved }) => unresolved)).toEqual([
    'the host has no route to next hop fd00:30:1::fe',
  ]);
});

test('a route that the administrator set to the peer stays', () => {
  const routes = ['10.9.9.9/32 via 172.30.1.7 dev eth0'];
  expect(plan(peerGateways('10.9.9.9', '172.30.1.254'), { routes })).toMatchObject([
    { unresolved: 'the host has its own route for it (protocol 4)', isRefused: true },
  ]);
});

test('what the peer tells goes the same way, and no peer can tell another way to it', () => {
  const routes = [learned('10.20.0.0/16', '10.9.9.9'), learned('10.9.9.9/32', '172.30.1.12')];
  const planned = plan({ ...peerGateways('10.9.9.9', '172.30.1.254'), learned: routes });
  expect(programmable(planned)).toEqual([
    '10.20.0.0/16 via 172.30.1.254 dev eth0',
    '10.9.9.9/32 via 172.30.1.254 dev eth0',
  ]);
  expect(planned.flatMap(({ unresolved }) => unresolved ?? [])).toEqual([
    'loses to peer-gateway: BGPPeer(tor-a) says that 10.9.9.9 is reachable by 172.30.1.254',
  ]);
});

test('a next hop behind what the peer tells is found, too', () => {
  const routes = [
    learned('10.20.0.0/16', '10.9.9.9'),
    learned('10.30.0.0/16', '172.31.0.1'),
    learned('172.31.0.0/24', '172.30.1.3'),
  ];
  expect(programmable(plan({ ...peerGateways('10.9.9.9', '172.30.1.254'), learned: routes }))).toEqual([
    '10.20.0.0/16 via 172.30.1.254 dev eth0',
    '10.30.0.0/16 via 172.30.1.3 dev eth0',
    '10.9.9.9/32 via 172.30.1.254 dev eth0',
    '172.31.0.0/24 via 172.30.1.3 dev eth0',
  ]);
});
