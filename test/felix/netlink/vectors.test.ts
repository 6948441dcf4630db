import { describe, expect, test } from 'vitest';
import { decodeAddress } from '../../../felix/netlink/address.ts';
import { decodeMessages, decodeVerdict } from '../../../felix/netlink/header.ts';
import { decodeLink } from '../../../felix/netlink/link.ts';
import { decodeNeighbour } from '../../../felix/netlink/neighbour.ts';
import { decodeRoute } from '../../../felix/netlink/route-reader.ts';
import { formatRoute } from '../../../felix/routes/kernel-route.ts';
import { formatPrefix, parseIpAddress } from '../../../src/model/ip.ts';
import vectors from '../../vectors/netlink.json' with { type: 'json' };

const bodies = (name: keyof typeof vectors.messages): readonly Uint8Array[] =>
  vectors.messages[name].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

/** Octets of the kernel's own, not of our encoder. */
describe('what the kernel sent is read', () => {
  test('as the IPv4 routes that iproute2 had made', () => {
    const routes = bodies('route4').map((body) => decodeRoute(body)!);
    expect(routes.map(formatRoute)).toEqual([
      '10.1.0.0/24 dev 10 metric 0 proto 2',
      'blackhole 10.2.0.0/26 metric 0 proto 80',
      '10.2.0.64/26 via 172.30.2.11 dev 10 onlink metric 0 proto 80',
      '10.3.0.0/24 via 10.1.0.2 dev 10 via 172.30.2.11 dev 11 onlink metric 32 proto 12',
      '10.4.0.0/24 via 2001:db8::9 dev 10 metric 0 proto 3',
      '10.5.0.0/24 dev 10 metric 0 proto 3',
      '10.65.0.9/32 dev 11 metric 0 proto 2',
    ]);
    expect(routes[0]).toMatchObject({ table: 254, scope: 253, source: parseIpAddress('10.1.0.1') });
    expect(routes[2]).toMatchObject({ scope: 0, mtu: 1380 });
    expect(routes[5]).toMatchObject({ tos: 0x10 });
    expect(routes[1]).not.toHaveProperty('tos');
  });

  test('as the IPv6 routes, a blackhole without the loopback that it hangs on', () => {
    const routes = bodies('route6').map((body) => formatRoute(decodeRoute(body)!));
    expect(routes.slice(0, 3)).toEqual([
      '2001:db8::/64 dev 10 metric 256 proto 2',
      'blackhole fd00::/64 metric 1024 proto 80',
      'fd01::/64 via 2001:db8::2 dev 10 via 2001:db8::3 dev 10 metric 7 proto 3',
    ]);
  });

  test('as links, with kind, peer and VXLAN settings', () => {
    const [lo, near, far, vxlan] = bodies('link').map((body) => decodeLink(body)!);
    expect(lo).toEqual({ index: 1, name: 'lo', mtu: 65536, up: false, running: false, mac: '00:00:00:00:00:00' });
    const common = { kind: 'veth', up: true, running: true };
    expect(near).toEqual({ ...common, index: 10, name: 'near', mtu: 1400, mac: '02:00:00:00:00:01', peerIndex: 11 });
    expect(far).toEqual({ ...common, index: 11, name: 'far', mtu: 1500, mac: '02:00:00:00:00:02', peerIndex: 10 });
    expect(vxlan).toEqual({
      index: 12,
      name: 'vxlan.calico',
      kind: 'vxlan',
      mtu: 1350,
      up: true,
      running: true,
      mac: '66:00:00:00:00:01',
      vxlan: { vni: 4096, port: 4789, learning: false, parentIndex: 10, local: parseIpAddress('10.1.0.1') },
    });
  });

  test('as addresses, of a point-to-point link our own end', () => {
    const addresses = bodies('addr').map((body) => decodeAddress(body)!);
    expect(addresses.slice(0, 3).map(({ ifindex, address }) => `${formatPrefix(address)} dev ${ifindex}`)).toEqual([
      '10.1.0.1/24 dev 10',
      '10.65.0.1/32 dev 11',
      '2001:db8::1/64 dev 10',
    ]);
    expect(addresses.slice(3).map(({ scope }) => scope)).toEqual([253, 253, 253]);
    expect(addresses[0]).not.toHaveProperty('secondary');
    expect(addresses[0]).not.toHaveProperty('deprecated');
  });

  test.each([
    [0x01, { secondary: true }],
    [0x20, { deprecated: true }],
  ])('as an address whose ifa_flags have 0x%s', (flag, expected) => {
    const body = Uint8Array.from(bodies('addr')[0]!);
    body[2] = body[2]! | flag;
    expect(decodeAddress(body)).toEqual({ ...decodeAddress(bodies('addr')[0]!), ...expected });
  });

  test('as neighbours and forwarding entries, multicast addresses left out', () => {
    const mac = '66:00:00:00:00:02';
    const neighbours = bodies('neigh').flatMap((body) => decodeNeighbour(body) ?? []);
    expect(neighbours).toEqual([
      { kind: 'neighbour', ifindex: 12, address: parseIpAddress('10.65.1.0'), mac, permanent: true },
    ]);
    const [entry] = bodies('fdb').map((body) => decodeNeighbour(body)!);
    expect(entry).toEqual({ kind: 'fdb', ifindex: 12, mac, remote: parseIpAddress('172.30.2.11'), permanent: true });
  });

  test('as a refusal with the kernel’s own sentence', () => {
    const [message] = decodeMessages(bodies('refusal')[0]!);
    expect(message).toMatchObject({ type: 2, sequence: 7 });
    expect(decodeVerdict(message!)).toEqual({ errno: 101, explanation: 'Nexthop has invalid gateway' });
  });
});
