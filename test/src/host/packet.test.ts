import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeIpv4Answer, decodeIpv6Answer } from '../../../src/host/probe/answer.ts';
import { encapsulate, encapsulateVxlan, encodeEcho } from '../../../src/host/probe/packet.ts';
import type { Endpoints } from '../../../src/host/probe/packet.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';

const between = (source: string, destination: string): Endpoints => ({
  source: parseIpAddress(source),
  destination: parseIpAddress(destination),
});
const ends = between('172.30.7.11', '172.30.7.12');
const ends6 = between('fd30::11', 'fd30::12');
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** RFC 1071: the sum over what a checksum in place covers is 0xffff. */
const isSummed = (...parts: readonly Uint8Array[]): boolean => {
  let sum = 0;
  for (const octets of parts) {
    for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff;
};
/** RFC 8200 §8.1, of a packet without extension headers. */
const pseudo6 = (packet: Uint8Array): Uint8Array =>
  bytes(`${hex(packet.subarray(8, 40))} 0000 ${hex(packet.subarray(4, 6))} 000000 ${hex(packet.subarray(6, 7))}`);

describe('an echo request', () => {
  test('of IPv4, as RFC 791 and 792 draw it', () => {
    const packet = encodeEcho(ends, { identifier: 0x1234, sequence: 5 }, 32);
    expect(hex(packet)).toMatch(/^45000020000540004001....ac1e070bac1e070c0800....12340005(00){4}$/);
    expect(isSummed(packet.subarray(0, 20))).toBe(true);
    expect(isSummed(packet.subarray(20))).toBe(true);
  });

  test('of IPv6, as RFC 8200 and 4443 draw it', () => {
    const packet = encodeEcho(ends6, { identifier: 0x1234, sequence: 5 }, 52);
    const addresses = 'fd30(00){13}11fd30(00){13}12';
    expect(hex(packet)).toMatch(new RegExp(`^60000000000c3a40${addresses}8000....12340005(00){4}$`));
    expect(isSummed(pseudo6(packet), packet.subarray(40))).toBe(true);
  });
});

test('inside protocol 4 it is itself, with another header before it', () => {
  const inner = encodeEcho(between('10.48.0.1', '172.30.7.12'), { identifier: 1, sequence: 3 }, 84);
  const outer = encapsulate(ends, inner, 3);
  expect(outer.length).toBe(104);
  expect(outer[9]).toBe(4);
  expect(hex(outer.subarray(20))).toBe(hex(inner));
  expect(isSummed(outer.subarray(0, 20))).toBe(true);
});

describe('inside VXLAN, as RFC 7348 §5 draws it', () => {
  const to = { vni: 4096, port: 4789, mac: '66:00:00:00:00:0b', sourceMac: '66:00:00:00:00:0a' };
  // UDP 49155 → 4789, flags, VNI, both MACs.
  const HEADERS = 'c00312b5....(....)080000000010000066000000000b66000000000a';

  test('over IPv4', () => {
    const inner = encodeEcho(between('10.48.0.1', '10.48.1.1'), { identifier: 1, sequence: 3 }, 84);
    const packet = encapsulateVxlan(ends, { inner, sequence: 3 }, to);
    expect(packet.length).toBe(84 + 50);
    expect(hex(packet.subarray(20))).toMatch(new RegExp(`^${HEADERS}0800${hex(inner)}$`));
    const pseudo = bytes(`${hex(packet.subarray(12, 20))} 0011 ${hex(packet.subarray(24, 26))}`);
    expect(isSummed(pseudo, packet.subarray(20))).toBe(true);
  });

  test('over IPv6', () => {
    const inner = encodeEcho(between('fd48::1', 'fd48::2'), { identifier: 1, sequence: 3 }, 84);
    const packet = encapsulateVxlan(ends6, { inner, sequence: 3 }, to);
    expect(packet.length).toBe(84 + 70);
    expect(hex(packet.subarray(40))).toMatch(new RegExp(`^${HEADERS}86dd${hex(inner)}$`));
    expect(isSummed(pseudo6(packet), packet.subarray(40))).toBe(true);
  });
});

const ICMP_FROM_B = '4500 0054 1111 0000 4001 0000 ac1e070c ac1e070b';
const B = ends.destination;
const B6 = ends6.destination;

describe('an answer', () => {
  test('an echo reply, of either family', () => {
    const id = { identifier: 0x1234, sequence: 5 };
    expect(decodeIpv4Answer(bytes(`${ICMP_FROM_B} 0000 abcd 1234 0005`))).toEqual({ kind: 'echo', id });
    expect(decodeIpv6Answer(bytes('8100 abcd 1234 0005'), B6)).toEqual({ kind: 'echo', id });
  });

  test('protocol unreachable, about a packet of ours', () => {
    const about = '4500 0068 0003 4000 4004 0000 ac1e070b ac1e070c 4500 0054 0003 4000';
    expect(decodeIpv4Answer(bytes(`${ICMP_FROM_B} 0302 0000 00000000 ${about}`))).toEqual({
      ...{ kind: 'refused', by: B, why: 'protocol unreachable' },
      about: { destination: B, sequence: 3 },
    });
  });

  test('fragmentation needed names what would fit', () => {
    const about = '4500 05dc 0002 4000 4001 0000 ac1e070b ac1e070c 0800 0000 1234 0002';
    const answer = decodeIpv4Answer(bytes(`${ICMP_FROM_B} 0304 0000 00000578 ${about}`));
    expect(answer).toMatchObject({ why: 'packet too big', mtu: 1400, about: { sequence: 2 } });
  });

  test.each<readonly [string, { readonly why: string; readonly mtu?: number }]>([
    ['0200 0000 00000578', { why: 'packet too big', mtu: 1400 }],
    ['0101 0000 00000000', { why: 'prohibited by a filter' }],
    ['0104 0000 00000000', { why: 'port unreachable' }],
    ['0109 0000 00000000', { why: 'ICMP type 1 code 9' }],
    ['0401 0000 00000006', { why: 'protocol unreachable' }],
  ])('of ICMPv6, %s: %j', (header, expected) => {
    const echo = encodeEcho(ends6, { identifier: 1, sequence: 7 }, 84);
    const answer = decodeIpv6Answer(bytes(`${header} ${hex(echo)}`), parseIpAddress('fd30::1'));
    expect(answer).toMatchObject({ ...expected, about: { destination: B6, sequence: 7 } });
    expect(answer).not.toHaveProperty(expected.mtu === undefined ? 'mtu' : 'nothing');
  });

  test('about VXLAN over IPv6 the question is told by the source port', () => {
    const inner = encodeEcho(ends6, { identifier: 1, sequence: 7 }, 84);
    const mac = '66:00:00:00:00:0b';
    const sent = encapsulateVxlan(ends6, { inner, sequence: 7 }, { vni: 1, port: 4789, mac, sourceMac: mac });
    expect(decodeIpv6Answer(bytes(`0104 0000 00000000 ${hex(sent)}`), B6)).toMatchObject({
      about: { destination: B6, sequence: 7 },
    });
  });

  test('a neighbour advertisement, an echo request and time exceeded are none', () => {
    const echo = hex(encodeEcho(ends6, { identifier: 1, sequence: 7 }, 84));
    for (const text of [`8800 0000 60000000 ${echo}`, '8000 0000 1234 0005', `0300 0000 00000000 ${echo}`]) {
      expect(decodeIpv6Answer(bytes(text), B6)).toBeUndefined();
    }
  });
});

test('whatever arrives, it is an answer or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 160 }), fc.nat(159), (octets, cut) => {
      decodeIpv6Answer(octets, B6);
      decodeIpv6Answer(octets.subarray(0, cut), B6);
      octets[0] = 0x45;
      octets[9] = 1;
      decodeIpv4Answer(octets);
      decodeIpv4Answer(octets.subarray(0, cut));
    }),
  );
});

test('every sequence number comes back out of the echo that carries it', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: 48, max: 1500 }), (identifier, sequence, octets) => {
      const id = { identifier, sequence };
      const packet = encodeEcho(ends, id, octets);
      packet[20] = 0;
      expect(decodeIpv4Answer(packet)).toEqual({ kind: 'echo', id });
      const packet6 = encodeEcho(ends6, id, octets);
      packet6[40] = 129;
      expect(decodeIpv6Answer(packet6.subarray(40), B6)).toEqual({ kind: 'echo', id });
    }),
  );
});
