import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNextHop, parseNextHop } from '../../../../bird/bgp-ts/index.ts';
import {
  formatAddress,
  formatHex,
  formatIpv6,
  formatPrefix,
  parseAddress,
  parseHex,
  parseIpv4,
  parseIpv6,
  parsePrefix,
} from '../../../../bird/bgp-ts/json/address.ts';
import { formatRouteDistinguisher, parseRouteDistinguisher } from '../../../../bird/bgp-ts/json/administered.ts';
import { community, extendedCommunity, largeCommunity } from '../../../../bird/bgp-ts/attribute/community-text.ts';
import { bytes } from '../../../support/bgp-bytes.ts';

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
/** Mostly zeros and ones, so that runs of zero groups and masks at the edge occur. */
const word = fc.oneof(fc.constantFrom(0, 1, 0x10000, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));

describe('addresses', () => {
  test.each([
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['1::', [0x10000, 0, 0, 0]],
    ['2001:db8::1:0:0:1', [0x20010db8, 0, 0x00010000, 1]],
    ['2001:db8:0:1:1:1:1:1', [0x20010db8, 1, 0x00010001, 0x00010001]],
    ['1:0:0:2::3', [0x10000, 2, 0, 3]],
  ])('%s, RFC 5952', (text, words) => {
    expect(formatIpv6(words)).toBe(text);
    expect(parseIpv6(text)).toEqual(words);
  });

  test('other ways to write an IPv6 address are read too', () => {
    expect(parseIpv6('2001:0DB8:0:0:0:0:0:1')).toEqual([0x20010db8, 0, 0, 1]);
    expect(parseIpv6('::ffff:192.0.2.1')).toEqual([0, 0, 0xffff, 0xc0000201]);
    expect(parseIpv6('1:2:3:4:5:6:7::')).toEqual([0x10002, 0x30004, 0x50006, 0x70000]);
  });

  test.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
  ])('%j is no IPv6 address', (text) => expect(parseIpv6(text)).toBeUndefined());

  test.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.-4', '1.2.3.4 ', '1..3.4'])(
    '%j is no IPv4 address',
    (text) => expect(parseIpv4(text)).toBeUndefined(),
  );

  test('any address is the same after formatting and parsing', () => {
    fc.assert(
      fc.property(fc.oneof(octets(4), octets(16)), (each) => {
        expect(parseAddress(formatAddress(each))).toEqual(each);
      }),
    );
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words) => {
        expect(parseIpv6(formatIpv6(words))).toEqual(words);
      }),
    );
  });

  test('a prefix has no host bits and no more bits than its family', () => {
    expect(parsePrefix('10.0.0.0/8', 32)).toEqual({ words: [0x0a000000], length: 8 });
    expect(parsePrefix('0.0.0.0/0', 32)).toEqual({ words: [0], length: 0 });
    expect(parsePrefix('2001:db8::/33', 128)).toEqual({ words: [0x20010db8, 0, 0, 0], length: 33 });
    const wrong = [
      '10.0.0.1/8',
      '10.0.0.0/33',
      '10.0.0.0',
      '10.0.0.0/8/8',
      '10.0.0.0/08',
      '10.0.0.0/-1',
      '2001:db8::/32',
    ];
    for (const text of wrong) expect(parsePrefix(text, 32)).toBeUndefined();
    expect(parsePrefix('2001:db8::1/64', 128)).toBeUndefined();
    expect(formatPrefix([0x20010db8, 0, 0, 0], 32)).toBe('2001:db8::/32');
  });

  test('bytes are pairs of hex digits', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (each) => {
        expect(parseHex(formatHex(each))).toEqual(each);
      }),
    );
    for (const text of ['0', '0x00', 'zz', '00 ']) expect(parseHex(text)).toBeUndefined();
  });
});

describe('what an administrator gives out', () => {
  test.each([
    ['65000:100', '0000 fde8 00000064'],
    ['192.0.2.1:100', '0001 c0000201 0064'],
    ['70000:100', '0002 00011170 0064'],
    ['65000L:100', '0002 0000fde8 0064'],
    ['0x0003000000000001', '0003 0000 00000001'],
  ])('route distinguisher %s', (text, hex) => {
    expect(formatRouteDistinguisher(bytes(hex))).toBe(text);
    expect(parseRouteDistinguisher(text)).toEqual(bytes(hex));
  });

  test.each([
    '65536',
    '1:4294967296',
    '70000:65536',
    '192.0.2.1:65536',
    '192.0.2.1L:1',
    '1:',
    ':1',
    'a:1',
    '4294967296:1',
    '0x00',
  ])('%s is no route distinguisher', (text) => expect(parseRouteDistinguisher(text)).toBeUndefined());

  test('any route distinguisher and any extended community is the same after formatting and parsing', () => {
    const typed = fc.tuple(fc.constantFrom(0, 1, 2, 3, 0x40), fc.constantFrom(0, 1, 2, 3), octets(6));
    fc.assert(
      fc.property(typed, ([type, subtype, rest]) => {
        const each = Uint8Array.of(type, subtype, ...rest);
        expect(parseRouteDistinguisher(formatRouteDistinguisher(each))).toEqual(each);
        expect(extendedCommunity.from(extendedCommunity.to(each), '')).toEqual(each);
      }),
      { numRuns: 1000 },
    );
    expect(extendedCommunity.to(bytes('0002fde800000064'))).toBe('target:65000:100');
    expect(extendedCommunity.to(bytes('0103c00002010064'))).toBe('origin:192.0.2.1:100');
    expect(extendedCommunity.to(bytes('8006000000000000'))).toBe('0x8006000000000000');
  });

  test('communities and large communities', () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(community.from(community.to(a), '')).toBe(a);
        expect(largeCommunity.from(largeCommunity.to([a, b, c]), '')).toEqual([a, b, c]);
      }),
    );
    expect(community.to(0xfde90064)).toBe('65001:100');
    for (const text of ['1', '65536:1', '1:65536', '1:2:3', 'no-export', '-1:1'])
      expect(() => community.from(text, 'communities[0]')).toThrow(`communities[0]: "${text}" is not a community`);
    expect(() => largeCommunity.from('1:2', '')).toThrow('is not a large community');
  });
});

describe('next hops', () => {
  test.each([
    ['192.0.2.1', 'c0000201'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:db8::1 fe80::1', '20010db8000000000000000000000001 fe800000000000000000000000000001'],
    ['0:0 192.0.2.1', '0000000000000000 c0000201'],
    ['0:0 2001:db8::1', '0000000000000000 20010db8000000000000000000000001'],
    ['0x', ''],
    ['0x0102', '0102'],
  ])('%s', (text, hex) => {
    expect(formatNextHop(bytes(hex))).toBe(text);
    expect(parseNextHop(text)).toEqual(bytes(hex));
  });

  test('any octets are the same after formatting and parsing', () => {
    const lengths = fc.constantFrom(0, 1, 4, 5, 12, 16, 24, 32, 48, 60).chain(octets);
    fc.assert(
      fc.property(lengths, (each) => {
        expect(parseNextHop(formatNextHop(each))).toEqual(each);
      }),
    );
  });

  test.each(['', '192.0.2.1 192.0.2.2', '0:0', 'fe80::1 0:0', '0xc0000201', 'nowhere'])('%j is none', (text) =>
    expect(parseNextHop(text)).toBeUndefined(),
  );
});
