import { describe, expect, test } from 'vitest';
import type { AsSegment, FamilyNlri, FlowComponent, PathAttributes, Update } from '../../../../bird/bgp-ts/index.ts';
import {
  encodeAttributes,
  encodeEndOfRib,
  encodeMpReach,
  encodeMpUnreach,
  encodeNlri,
  encodeUpdate,
  encodeUpdateFrame,
  IPV4_UNICAST,
  IPV6_UNICAST,
  parseFamily,
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
      unknown: [{ code: 12, flags: 0xc0, value: bytes('') }],
      origin: 'igp',
    };
    expect(hex(encodeAttributes(attributes as never, context()))).toBe(
      plain('40010100 400304c0000201 80040400000005 c00c00 c0200c 000000010000000200000003'),
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
    const session = context({ extendedNextHop: new Set(['1/1']) });
    const octets = encodeUpdate(update({ announced: [ipv4] }), session);
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

describe('what would come back as another or as malformed is refused', () => {
  const labeled = parseFamily('IPv4 labeled unicast')!;
  const flow = parseFamily('IPv4 FlowSpec')!;
  const ipv4Nlri = (changes: object): FamilyNlri => ({
    kind: 'prefix',
    family: IPV4_UNICAST,
    nlri: [{ pathId: 0, words: [0x0a000000], length: 8, ...changes }],
  });
  const rule = (component: object): FamilyNlri => ({
    kind: 'flow',
    family: flow,
    nlri: [{ pathId: 0, components: [component as FlowComponent] }],
  });
  const match = { and: false, operator: 1, octets: 1, value: 80n };

  test.each([
    ['four words for IPv4', ipv4Nlri({ words: [1, 2, 3, 4] }), '4 words and length 8 are no prefix of 32 bits'],
    ['a length above the family', ipv4Nlri({ length: 33 }), 'are no prefix of 32 bits'],
    ['host bits', ipv4Nlri({ words: [0x0a000001] }), 'has bits behind it'],
    ['a word that is none', ipv4Nlri({ words: [2 ** 32 + 5], length: 32 }), 'has bits behind it'],
    ['a path identifier without ADD-PATH', ipv4Nlri({ pathId: 7 }), 'path identifier 7 in a session without ADD-PATH'],
    [
      'a label of 21 bits',
      { kind: 'labeled', family: labeled, nlri: [{ pathId: 0, words: [0], length: 0, labels: [0x100000] }] },
      'label 1048576 is not from 0 to 1048575',
    ],
    ['a match of three octets', rule({ type: 4, matches: [{ ...match, octets: 3 }] }), 'match 0 cannot be written'],
    ['a value that is too large', rule({ type: 4, matches: [{ ...match, value: 256n }] }), 'match 0 cannot be written'],
    ['a negative value', rule({ type: 4, matches: [{ ...match, value: -1n }] }), 'match 0 cannot be written'],
    [
      'an operator that is none',
      rule({ type: 4, matches: [{ ...match, operator: 0x18 }] }),
      'match 0 cannot be written',
    ],
    ['no match', rule({ type: 4, matches: [] }), 'port has nothing to match'],
    ['an offset in IPv4', rule({ type: 1, words: [0x0a000000], length: 8, offset: 4 }), 'offset 4 of /8 is no pattern'],
    ['matches for a prefix', rule({ type: 1, matches: [match] }), 'destination is a prefix'],
    ['an unknown component', rule({ type: 77, matches: [match] }), 'component type 77 is unknown'],
  ] as readonly (readonly [string, FamilyNlri, string])[])('%s', (_, group, text) => {
    expect(() => encodeNlri(group, { addPath: false })).toThrow(text);
  });

  test('a route distinguisher of another length', () => {
    const short = bytes('010203');
    const family = parseFamily('IPv4 FlowSpec VPN')!;
    const nlri = [{ pathId: 0, routeDistinguisher: short, components: [{ type: 3, matches: [match] }] }];
    const group = { kind: 'flow', family, nlri } as FamilyNlri;
    expect(() => encodeNlri(group, { addPath: false })).toThrow('a route distinguisher has 3 octets, not 8');
    const route = [{ pathId: 0, words: [0], length: 0, labels: [100], routeDistinguisher: short }];
    const vpn: FamilyNlri = { kind: 'vpn', family: parseFamily('IPv4 VPN')!, nlri: route };
    expect(() => encodeNlri(vpn, { addPath: false })).toThrow('a route distinguisher has 3 octets, not 8');
  });

  test('components out of order, and a rule without any', () => {
    const port = { type: 4, matches: [match] };
    const two = { kind: 'flow', family: flow, nlri: [{ pathId: 0, components: [port, port] }] } as const;
    expect(() => encodeNlri(two, { addPath: false })).toThrow('not in rising order');
    const none = { kind: 'flow', family: flow, nlri: [{ pathId: 0, components: [] }] } as const;
    expect(() => encodeNlri(none, { addPath: false })).toThrow('has no component');
  });

  test.each([
    ['an extended community of 7 octets', { extendedCommunities: [bytes('00020001000000')] }, 'has 7 octets, not 8'],
    ['AS 0 in the path', { asPath: [{ type: 'sequence', asns: [1, 0] }] }, 'has AS 0 in it'],
    ['a segment without an AS', { asPath: [{ type: 'set', asns: [] }] }, 'segment is empty'],
    ['AS 0 in AGGREGATOR', { aggregator: { asn: 0, address: 1 } }, 'AS 0 aggregated'],
    ['an AIGP metric of 4 octets', { aigp: [{ type: 1, value: bytes('00000001') }] }, 'has 8 octets'],
    ['NEXT_HOP 0.0.0.0', { nextHop: bytes('00000000') }, "0.0.0.0 is not a host's address"],
    ['flags that are the encoder’s', { unknown: [{ code: 99, flags: 0xd0, value: bytes('0102') }] }, 'has flags 208'],
    ['an unknown one that is known', { unknown: [{ code: 4, flags: 0x80, value: bytes('') }] }, 'MULTI_EXIT_DISC'],
    ['an unknown one that is not optional', { unknown: [{ code: 99, flags: 0x40, value: bytes('') }] }, 'not optional'],
    ['a partial bit of what is not there', { communities: [1], partial: [8, 16] }, 'names what is not there'],
    ['a partial bit that means nothing', { med: 1, partial: [4] }, 'names what is not there'],
  ] as readonly (readonly [string, PathAttributes, string])[])('%s', (_, attributes, text) => {
    expect(() => encodeAttributes(attributes, context())).toThrow(text);
  });

  test('a large community goes out once, RFC 8092 §3', () => {
    const largeCommunities = [
      [1, 2, 3],
      [1, 2, 3],
    ] as const;
    expect(hex(encodeAttributes({ largeCommunities }, context()))).toBe(plain('c0200c 000000010000000200000003'));
  });

  test('a list of nothing is not written, but for the empty AS_PATH', () => {
    const nothing = { asPath: [], communities: [], clusterList: [], largeCommunities: [], aigp: [], unknown: [] };
    expect(hex(encodeAttributes(nothing, context()))).toBe('400200');
  });

  test('a next hop that is none of the family, and End-of-RIB with prefixes', () => {
    const update: Update = {
      type: 'update',
      attributes: { nextHop },
      announced: [{ kind: 'prefix', family: IPV6_UNICAST, nlri: [] }],
      withdrawn: [],
      faults: [],
    };
    expect(() => encodeUpdate(update, context())).toThrow('a next hop of 4 octets is none of IPv6 unicast');
    expect(() => encodeUpdate({ ...update, endOfRib: IPV6_UNICAST }, context())).toThrow('End-of-RIB has no prefixes');
    expect(() => encodeUpdate({ ...update, announced: [], ipv4NextHop: nextHop }, context())).toThrow('ipv4NextHop');
  });
});
