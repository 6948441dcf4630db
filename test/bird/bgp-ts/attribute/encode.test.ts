import { describe, expect, test } from 'vitest';
import type { AsSegment, FamilyNlri, Update } from '../../../../bird/bgp-ts/index.ts';
import {
  encodeAttributes,
  encodeEndOfRib,
  encodeMpReach,
  encodeMpUnreach,
  encodeUpdate,
  encodeUpdateFrame,
  IPV4_UNICAST,
  IPV6_UNICAST,
  passOn,
} from '../../../../bird/bgp-ts/index.ts';
import { bytes, context, hex, updateFrame } from '../../../support/bgp-bytes.ts';

const nextHop = bytes('c0000201');
const ipv6NextHop = bytes('20010db8000000000000000000000001');
const plain = (text: string): string => text.replaceAll(' ', '');

describe('encodeAttributes', () => {
  test('writes in order of code, whatever the order of the fields and of the unknown ones', () => {
    const attributes = {
      largeCommunities: [[1, 2, 3]],
      med: 5,
      nextHop,
      unknown: [{ code: 5, flags: 0xc0, value: bytes('') }],
      origin: 'igp',
    };
    expect(hex(encodeAttributes(attributes as never, context()))).toBe(
      plain('40010100 400304c0000201 80040400000005 c00500 c0200c 000000010000000200000003'),
    );
  });

  test('unknown attributes and partial bits go out as the record has them', () => {
    const unknown = [
      { code: 200, flags: 0xc0, value: bytes('ab') },
      { code: 201, flags: 0x80, value: bytes('cd') },
    ];
    expect(hex(encodeAttributes({ unknown }, context()))).toBe('c0c801ab80c901cd');
    expect(hex(encodeAttributes({ communities: [7], partial: [8] }, context()))).toBe('e0080400000007');
  });

  test('what is passed on: the transitive ones that nobody here understands, with the partial bit', () => {
    const unknown = [
      { code: 200, flags: 0xc0, value: bytes('ab') },
      { code: 201, flags: 0x80, value: bytes('cd') },
    ];
    const received = { origin: 'igp', unknown, pmsiTunnel: bytes('01'), communities: [7], partial: [8] } as const;
    expect(hex(encodeAttributes(passOn(received), context()))).toBe(
      plain('40010100 e00804 00000007 e01601 01 e0c801 ab'),
    );
    expect(passOn(passOn(received))).toEqual(passOn(received));
    const known = { origin: 'igp', med: 5 } as const;
    expect(passOn(known)).toBe(known);
  });

  test('an extended length only above 255 octets', () => {
    const communities = (count: number): string =>
      hex(encodeAttributes({ communities: Array<number>(count).fill(7) }, context())).slice(0, 8);
    expect(communities(63)).toBe('c008fc00');
    expect(communities(64)).toBe('d0080100');
  });

  test('a sequence of 300 AS numbers is two segments', () => {
    const path: AsSegment = { type: 'sequence', asns: Array<number>(300).fill(1) };
    const block = encodeAttributes({ asPath: [path] }, context());
    expect(hex(block.subarray(0, 6))).toBe('500204b402ff');
    expect(hex(block.subarray(6 + 255 * 4, 8 + 255 * 4))).toBe('022d');
  });

  test('NEXT_HOP is left out for MP_REACH, and refuses an IPv6 address otherwise', () => {
    expect(hex(encodeAttributes({ nextHop: ipv6NextHop }, { ...context(), nextHopIn: 'mp-reach' }))).toBe('');
    expect(() => encodeAttributes({ nextHop: ipv6NextHop }, context())).toThrow('NEXT_HOP holds 4 octets, not 16');
  });
});

describe('building blocks of an UPDATE', () => {
  test('MP_REACH and MP_UNREACH are attributes with their headers', () => {
    expect(hex(encodeMpReach(IPV6_UNICAST, ipv6NextHop, bytes('2020010db8')))).toBe(
      plain('800e1a 0002 01 10 20010db8000000000000000000000001 00 2020010db8'),
    );
    expect(hex(encodeMpUnreach(IPV6_UNICAST, bytes('2020010db8')))).toBe(plain('800f08 0002 01 2020010db8'));
    expect(hex(encodeMpReach(IPV6_UNICAST, ipv6NextHop, new Uint8Array(300)).subarray(0, 4))).toBe('900e0141');
  });

  test('a frame holds its three fields, each behind its length', () => {
    const fields = { withdrawn: bytes('080a'), attributes: bytes('40010100'), nlri: bytes('080b') };
    expect(hex(encodeUpdateFrame(fields))).toBe(
      hex(updateFrame({ withdrawn: '080a', attributes: '40010100', nlri: '080b' })),
    );
  });

  test('a frame that is too long is refused with its size', () => {
    expect(() => encodeUpdateFrame({ nlri: new Uint8Array(4074) })).toThrow(
      'update message of 4097 octets is longer than 4096',
    );
    expect(encodeUpdateFrame({ nlri: new Uint8Array(4074) }, 65535)).toHaveLength(4097);
  });

  test('End-of-RIB as most speakers write it, and with the length of two octets that some write', () => {
    expect(hex(encodeEndOfRib(IPV4_UNICAST).subarray(19))).toBe('00000000');
    expect(hex(encodeEndOfRib(IPV6_UNICAST).subarray(19))).toBe('00000006800f03000201');
    const form = { order: [15], extended: [15] };
    expect(hex(encodeEndOfRib(IPV6_UNICAST, form).subarray(19))).toBe('00000007900f0003000201');
    expect(hex(encodeEndOfRib(IPV4_UNICAST, { ...form, extended: [] }).subarray(19))).toBe('00000006800f03000101');
  });
});

describe('encodeUpdate', () => {
  const update = (changes: Partial<Update>): Update => ({
    type: 'update',
    attributes: { origin: 'igp', asPath: [], nextHop: ipv6NextHop },
    announced: [],
    withdrawn: [],
    faults: [],
    ...changes,
  });
  const ipv4: FamilyNlri = {
    kind: 'prefix',
    family: IPV4_UNICAST,
    nlri: [{ pathId: 0, words: [0x0a000000], length: 8 }],
  };
  const ipv6: FamilyNlri = {
    kind: 'prefix',
    family: IPV6_UNICAST,
    nlri: [{ pathId: 0, words: [0x20010db8, 0, 0, 0], length: 32 }],
  };

  test('IPv4 prefixes with an IPv6 next hop go into MP_REACH, RFC 8950', () => {
    const octets = encodeUpdate(update({ announced: [ipv4] }), context());
    expect(hex(octets.subarray(23, 30))).toBe('800e1700010110');
    expect(hex(octets).endsWith('080a4001010040020 0'.replace(' ', ''))).toBe(true);
  });

  test('two families that both need MP_REACH do not fit, nor do prefixes without a next hop', () => {
    expect(() => encodeUpdate(update({ announced: [ipv4, ipv6] }), context())).toThrow(
      'one UPDATE cannot hold announced IPv4 unicast and IPv6 unicast',
    );
    expect(() => encodeUpdate(update({ attributes: {}, announced: [ipv6] }), context())).toThrow(
      'IPv6 unicast prefixes need a next hop',
    );
  });
});
