import { describe, expect, test } from 'vitest';
import { UpdateReader } from '../../../bird/rib/update-reader.ts';
import { learnedRoutes } from '../../../bird/snapshot.ts';
import { explainPrefix } from '../../../bird/routing/explain.ts';
import { formatIpAddress, formatPrefix, parsePrefix } from '../../../src/model/ip.ts';
import { agreed, localSettings, openOf } from '../../support/bgp.ts';
import { updateFrame } from '../../support/bgp-bytes.ts';
import { attributesOf, octetsOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const EXTENDED = { extendedNextHop: true } as const;

const nextHopTold = (bench: RoutingBench, at: number, prefix: string): string | undefined => {
  const { nextHop } = bench.told[at]!.get(prefix) ?? {};
  return nextHop === undefined ? undefined : Buffer.from(nextHop).toString('hex');
};

describe('IPv4 routes over an IPv6 session, RFC 8950', () => {
  const bench = (localAddress = 'fd00:9::1'): RoutingBench =>
    new RoutingBench([
      { address: 'fd00:9::2', session: { ...EXTENDED, localAddress } },
      { address: 'fd00:9::3', remoteAsn: 65003 },
      { address: '10.9.0.4', remoteAsn: 65004 },
    ]);

  test('our own are told with our IPv6 address where that was agreed on, and not at all elsewhere', () => {
    const b = bench();
    b.originate([P]);
    b.sync();
    expect(nextHopTold(b, 0, P)).toBe('fd000009000000000000000000000001');
    expect(b.has(1, P)).toEqual([]);
    expect(nextHopTold(b, 2, P)).toBe('0a090001');
    b.originate([]);
    b.sync();
    expect(b.has(0, P)).toEqual([]);
  });

  test('a link-local session has its address in both places of the next hop', () => {
    const b = bench('fe80::1');
    b.originate([P]);
    b.sync();
    expect(nextHopTold(b, 0, P)).toBe('fe80000000000000000000000000000' + '1' + 'fe800000000000000000000000000001');
  });

  test('a learned one keeps its IPv6 next hop only where the session carries it; the reason says so', () => {
    const b = new RoutingBench([
      { address: 'fd00:9::2', session: EXTENDED },
      { address: 'fd00:9::3', remoteAsn: 65003, nextHop: 'keep', session: EXTENDED },
      { address: '10.9.0.4', remoteAsn: 65004, nextHop: 'keep' },
    ]);
    b.announce(0, P, { attributes: attributesOf(1, { nextHop: octetsOf('fd00:8::1') }) });
    b.sync();
    expect(nextHopTold(b, 1, P)).toBe('fd000008000000000000000000000001');
    expect(b.has(2, P)).toEqual([]);
    const kept = explainPrefix(b.routing, parsePrefix(P))!.exports.find(({ peer }) => peer === b.peers[2]);
    expect(kept).toMatchObject({
      kind: 'kept back',
      reason: expect.stringContaining('the next hop is an IPv6 address'),
    });
  });

  test('are read from MP_REACH, and withdrawn from either place', () => {
    const b = new RoutingBench([{ address: 'fd00:9::2', session: EXTENDED }]);
    const local = localSettings({ remoteAsn: 65001, ...EXTENDED });
    const reader = new UpdateReader(agreed(local, openOf(local)), b.routing.sinkFor(b.peers[0]!));
    const rest = '40010100 4002060201 0000fde9';
    const reach = (nextHop: string, nlri: string): Uint8Array => {
      const value = `0001 01 ${(nextHop.length / 2).toString(16).padStart(2, '0')} ${nextHop} 00 ${nlri}`;
      const octets = value.replaceAll(' ', '').length / 2;
      return updateFrame({ attributes: `80 0e ${octets.toString(16).padStart(2, '0')} ${value} ${rest}` });
    };
    const via = (): readonly string[] => {
      b.sync();
      return learnedRoutes(b.routing).flatMap(({ nextHops }) => nextHops.map(formatIpAddress));
    };
    expect(reader.read(reach('fd000008000000000000000000000001', '18 0a0000'))).toEqual({});
    expect(via()).toEqual(['fd00:8::1']);
    expect(reader.read(updateFrame({ withdrawn: '18 0a0000' }))).toEqual({});
    expect(via()).toEqual([]);
    const both = 'fd000008000000000000000000000001' + 'fe800000000000000000000000000001';
    expect(reader.read(reach(both, '18 0a0000'))).toEqual({});
    expect(via()).toEqual(['fd00:8::1']);
    expect(reader.read(updateFrame({ attributes: '80 0f 07 0001 01 18 0a0000' }))).toEqual({});
    expect(via()).toEqual([]);
  });

  test('in MP_REACH without having been agreed on end the session', () => {
    const b = new RoutingBench([{ address: 'fd00:9::2' }]);
    const local = localSettings({ remoteAsn: 65001 });
    const reader = new UpdateReader(agreed(local, openOf(local)), b.routing.sinkFor(b.peers[0]!));
    const frame = updateFrame({ attributes: '800e 19 0001 01 10 fd000008000000000000000000000001 00 18 0a0000' });
    expect(reader.read(frame).fault?.code).toEqual([3, 9]);
  });
});

test('equal paths of two link-local peers are two next hops, each with its link', () => {
  const linkLocal = (link: string, remoteAsn: number) =>
    ({ address: 'fe80::2', interface: link, remoteAsn, session: { ...EXTENDED, localAddress: 'fe80::1' } }) as const;
  const b = new RoutingBench([linkLocal('eth0', 65001), linkLocal('eth1', 65002)]);
  const nextHop = Uint8Array.of(...octetsOf('fe80::2'), ...octetsOf('fe80::2'));
  for (const at of [0, 1]) {
    const asPath = [{ type: 'sequence', asns: [65001 + at] }] as const;
    b.announce(at, P, { attributes: attributesOf(1, { asPath, nextHop }) });
  }
  b.sync();
  expect(learnedRoutes(b.routing)).toMatchObject([
    { nextHops: [{ family: 6 }, { family: 6 }], interfaces: ['eth0', 'eth1'] },
  ]);
});

test('routes of one way share it, and each has its own way wherever the next one differs', () => {
  const b = new RoutingBench([
    { address: '10.9.0.3', remoteAsn: 65001 },
    { address: '10.9.0.4', remoteAsn: 65002 },
  ]);
  const say = (at: number, prefix: string, nextHop: string): void => {
    const asPath = [{ type: 'sequence', asns: [65001 + at] }] as const;
    b.announce(at, prefix, { attributes: attributesOf(1, { asPath, nextHop: octetsOf(nextHop) }) });
  };
  say(0, '10.0.0.0/24', '10.9.0.3');
  say(0, '10.0.1.0/24', '10.9.0.3');
  say(0, '10.0.2.0/24', '10.9.0.7');
  say(1, '10.0.3.0/24', '10.9.0.4');
  for (const third of [4, 5]) for (const at of [0, 1]) say(at, `10.0.${third}.0/24`, `10.9.0.${at + 3}`);
  say(0, '10.0.6.0/24', '10.9.0.3');
  for (const at of [0, 1]) say(at, '10.0.7.0/24', `10.9.0.${at + 3}`);
  b.sync();
  const routes = learnedRoutes(b.routing);
  expect(
    routes.map(({ prefix, nextHops, learnedFrom }) =>
      [formatPrefix(prefix), 'via', ...nextHops.map(formatIpAddress), learnedFrom].join(' '),
    ),
  ).toEqual([
    '10.0.0.0/24 via 10.9.0.3 10.9.0.3 (global)',
    '10.0.1.0/24 via 10.9.0.3 10.9.0.3 (global)',
    '10.0.2.0/24 via 10.9.0.7 10.9.0.3 (global)',
    '10.0.3.0/24 via 10.9.0.4 10.9.0.4 (global)',
    '10.0.4.0/24 via 10.9.0.3 10.9.0.4 10.9.0.3 (global)',
    '10.0.5.0/24 via 10.9.0.3 10.9.0.4 10.9.0.3 (global)',
    '10.0.6.0/24 via 10.9.0.3 10.9.0.3 (global)',
    '10.0.7.0/24 via 10.9.0.3 10.9.0.4 10.9.0.3 (global)',
  ]);
  expect(routes[1]!.nextHops).toBe(routes[0]!.nextHops);
  expect(routes[5]!.nextHops).toBe(routes[4]!.nextHops);
});
