import { describe, expect, test } from 'vitest';
import type { AttributesResult, CodecContext } from '../../../../bird/bgp-ts/index.ts';
import { aigpMetric, decodeAttributes } from '../../../../bird/bgp-ts/index.ts';
import { checkMandatory, effectiveRemedy } from '../../../../bird/bgp-ts/attribute/mandatory.ts';
import { attributeTable } from '../../../../bird/bgp-ts/attribute/table.ts';
import { bytes, context, hex } from '../../../support/bgp-bytes.ts';

const external = context();
const internal = context({ external: false });
const twoOctet = context({ fourOctetAs: false });

function decode(block: string, session: CodecContext = internal): AttributesResult {
  const octets = bytes(block);
  return decodeAttributes(octets, 0, octets.length, session);
}

type Case = [what: string, block: string, session: CodecContext, remedy: string | undefined, code?: readonly number[]];

/** RFC 7606 §7 and its kin, one line per way to be malformed. */
const malformed: readonly Case[] = [
  ['ORIGIN of 2 octets', '40010200 00', external, 'treat-as-withdraw', [3, 5]],
  ['ORIGIN of 0 octets', '400100', external, 'treat-as-withdraw', [3, 5]],
  ['ORIGIN 3', '40010103', external, 'treat-as-withdraw', [3, 6]],
  ['ORIGIN marked optional', 'c0010100', external, 'treat-as-withdraw', [3, 4]],
  ['ORIGIN marked non-transitive', '00010100', external, 'treat-as-withdraw', [3, 4]],
  ['AS_PATH with segment type 5', '400206 0501 0000fde9', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with segment type 0', '400206 0001 0000fde9', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with an empty segment', '400202 0200', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH whose segment overruns', '400206 0202 0000fde9', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with an octet left over', '400207 0201 0000fde9 02', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with AS 0', '400206 0201 00000000', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with a confederation sequence', '400206 0301 0000fde9', external, 'treat-as-withdraw', [3, 11]],
  ['AS_PATH with a confederation set', '400206 0401 0000fde9', external, 'treat-as-withdraw', [3, 11]],
  ['NEXT_HOP of 3 octets', '400303 c00002', external, 'treat-as-withdraw', [3, 5]],
  ['NEXT_HOP 0.0.0.0', '400304 00000000', external, 'treat-as-withdraw', [3, 8]],
  ['NEXT_HOP 224.0.0.1', '400304 e0000001', external, 'treat-as-withdraw', [3, 8]],
  ['NEXT_HOP 239.255.255.255', '400304 efffffff', external, 'treat-as-withdraw', [3, 8]],
  ['MED of 3 octets', '800403 000000', external, 'treat-as-withdraw', [3, 5]],
  ['LOCAL_PREF of 3 octets, internal', '400503 000000', internal, 'treat-as-withdraw', [3, 5]],
  ['LOCAL_PREF, external', '400504 00000064', external, 'attribute-discard'],
  ['LOCAL_PREF of 3 octets, external', '400503 000000', external, 'attribute-discard'],
  ['ATOMIC_AGGREGATE of 1 octet', '400601 00', external, 'attribute-discard', [3, 5]],
  ['AGGREGATOR of 6 octets', 'c00706 fde9 c0000201', external, 'attribute-discard', [3, 5]],
  ['AGGREGATOR of 8 octets from a two-octet peer', 'c00708 0000fde9 c0000201', twoOctet, 'attribute-discard', [3, 5]],
  ['AGGREGATOR with AS 0', 'c00708 00000000 c0000201', external, 'attribute-discard', [3, 9]],
  ['COMMUNITIES of 0 octets', 'c00800', external, 'treat-as-withdraw', [3, 5]],
  ['COMMUNITIES of 3 octets', 'c00803 fde900', external, 'treat-as-withdraw', [3, 5]],
  ['ORIGINATOR_ID of 3 octets, internal', '800903 000000', internal, 'treat-as-withdraw', [3, 5]],
  ['ORIGINATOR_ID, external', '800904 c0000201', external, 'attribute-discard'],
  ['CLUSTER_LIST of 3 octets, internal', '800a03 000000', internal, 'treat-as-withdraw', [3, 5]],
  ['CLUSTER_LIST of 0 octets, internal', '800a00', internal, 'treat-as-withdraw', [3, 5]],
  ['CLUSTER_LIST, external', '800a03 000001', external, 'attribute-discard'],
  ['MP_REACH_NLRI of 4 octets', '800e04 00020100', external, 'session-reset', [3, 9]],
  [
    'MP_REACH_NLRI with a next hop of 9 octets',
    '800e0e 0002 01 09 000000000000000000 00',
    external,
    'session-reset',
    [3, 9],
  ],
  ['MP_REACH_NLRI whose next hop overruns', '800e05 0002 01 10 00', external, 'session-reset', [3, 9]],
  [
    'MP_REACH_NLRI for IPv4 with an IPv6 next hop',
    `800e15 0001 01 10 ${'20'.repeat(16)} 00`,
    external,
    'session-reset',
    [3, 9],
  ],
  ['MP_REACH_NLRI marked transitive', `c00e15 0002 01 10 ${'20'.repeat(16)} 00`, external, 'session-reset', [3, 9]],
  ['MP_UNREACH_NLRI marked well-known', '400f03 000201', external, 'session-reset', [3, 9]],
  ['MP_UNREACH_NLRI of 2 octets', '800f02 0002', external, 'session-reset', [3, 9]],
  ['EXTENDED COMMUNITIES of 7 octets', 'c01007 00000000000000', external, 'treat-as-withdraw', [3, 5]],
  ['EXTENDED COMMUNITIES of 0 octets', 'c01000', external, 'treat-as-withdraw', [3, 5]],
  ['AS4_PATH from a four-octet peer', 'c01106 0201 0000fde9', external, 'attribute-discard'],
  ['AS4_PATH malformed, from a two-octet peer', 'c01106 0202 0000fde9', twoOctet, 'attribute-discard', [3, 11]],
  ['AS4_AGGREGATOR from a four-octet peer', 'c01208 0000fde9 c0000201', external, 'attribute-discard'],
  ['AS4_AGGREGATOR of 6 octets', 'c01206 fde9 c0000201', twoOctet, 'attribute-discard', [3, 5]],
  ['PMSI_TUNNEL marked non-transitive', '801605 0000000000', external, 'treat-as-withdraw', [3, 4]],
  ['TUNNEL_ENCAPSULATION marked non-transitive', '801704 000f0000', external, 'treat-as-withdraw', [3, 4]],
  ['IPv6 EXTENDED COMMUNITIES of 19 octets', `c01913 ${'00'.repeat(19)}`, external, 'treat-as-withdraw', [3, 5]],
  ['IPv6 EXTENDED COMMUNITIES of 0 octets', 'c01900', external, 'treat-as-withdraw', [3, 5]],
  ['AIGP marked transitive', 'c01a0b 01000b 0000000000000064', external, 'attribute-discard', [3, 4]],
  ['AIGP whose TLV overruns', '801a0b 01000c 0000000000000064', external, 'attribute-discard', [3, 9]],
  ['AIGP whose TLV is shorter than its own header', '801a03 020002', external, 'attribute-discard', [3, 9]],
  ['AIGP whose unknown TLV overruns', '801a04 020005 00', external, 'attribute-discard', [3, 5]],
  ['AIGP of 2^64 - 1', '801a0b 01000b ffffffffffffffff', external, 'attribute-discard', [3, 9]],
  ['AIGP of 0 octets', '801a00', external, 'attribute-discard', [3, 5]],
  ['ONLY_TO_CUSTOMER of 3 octets', 'c02303 00fde9', external, 'treat-as-withdraw', [3, 5]],
  ['LARGE_COMMUNITY of 11 octets', `c0200b ${'00'.repeat(11)}`, external, 'treat-as-withdraw', [3, 5]],
  ['LARGE_COMMUNITY of 0 octets', 'c02000', external, 'treat-as-withdraw', [3, 5]],
  ['an unknown well-known attribute', '40c80101', external, 'treat-as-withdraw', [3, 2]],
  ['a second ORIGIN', '40010100 40010101', external, 'attribute-discard', [3, 1]],
  ['a second unknown attribute', 'c0c80101 c0c80102', external, 'attribute-discard', [3, 1]],
  ['a second MP_UNREACH_NLRI', '800f03000201 800f03000201', external, 'session-reset', [3, 1]],
  ['two octets left over', '40010100 4002', external, 'treat-as-withdraw', [3, 1]],
  ['three octets left over, extended', '40010100 500200', external, 'treat-as-withdraw', [3, 1]],
  ['an attribute that overruns', '40010100 400206 0201', external, 'treat-as-withdraw', [3, 1]],
];

const wellFormed: readonly Case[] = [
  ['ORIGIN', '40010102', external, undefined],
  ['NEXT_HOP 127.0.0.1: for policy to refuse', '400304 7f000001', external, undefined],
  ['NEXT_HOP 255.255.255.255: for policy to refuse', '400304 ffffffff', external, undefined],
  ['ORIGIN with the extended length', '50010001 00', external, undefined],
  ['ORIGIN with partial and the low flag bits set', '6f010100', external, undefined],
  ['an empty AS_PATH', '400200', external, undefined],
  ['a confederation sequence from inside', '400206 0301 0000fde9', internal, undefined],
  ['256 AS numbers in two segments', `5002 0404 02ff ${'0000fde9'.repeat(255)} 0201 0000fde9`, external, undefined],
  ['ATOMIC_AGGREGATE', '400600', external, undefined],
  ['an unknown optional non-transitive attribute', '80c80101', external, undefined],
  ['PMSI_TUNNEL, whatever is in it', 'c01601 ff', external, undefined],
  ['TUNNEL_ENCAPSULATION of 0 octets', 'c01700', external, undefined],
  ['AIGP with a TLV that nobody knows', '801a10 01000b 0000000000000064 020005 abcd', external, undefined],
  ['ONLY_TO_CUSTOMER 0, which RFC 9234 does not forbid', 'c02304 00000000', external, undefined],
  ['attribute 28 of 0 octets', 'c01c00', external, undefined],
  ['MP_REACH_NLRI of a family nobody knows', '800e05 6363 63 00 00', external, undefined],
];

describe('decodeAttributes', () => {
  test.each(malformed)('%s', (...row) => {
    const [, block, session, remedy, code] = row;
    const result = decode(block, session);
    expect(result.remedy).toBe(remedy);
    expect(result.faults).toHaveLength(1);
    if (code !== undefined) expect(result.faults[0]!.code).toEqual(code);
  });

  test.each(wellFormed)('%s is in order', (_, block, session) => {
    expect(decode(block, session)).toMatchObject({ faults: [] });
    expect(decode(block, session).remedy).toBeUndefined();
  });

  test('every row of the table has a malformed case above', () => {
    const tried = new Set(malformed.map(([, block]) => bytes(block)[1]));
    expect(Object.values(attributeTable).filter(({ code }) => !tried.has(code))).toEqual([]);
  });

  test('the data of a length fault is the attribute with its header, RFC 4271 §6.3', () => {
    expect(hex(decode('40010100 800403 000000').faults[0]!.data)).toBe('800403000000');
  });

  test('of several faults the strongest remedy rules, and what was good stays', () => {
    const result = decode('40010100 400503000000 c00706fde9c0000201', external);
    expect(result).toMatchObject({ remedy: 'attribute-discard', attributes: { origin: 'igp' } });
    expect(decode('400503000000 40010103', external).remedy).toBe('treat-as-withdraw');
    expect(decode('40010103 800f020002 400601ff', external).remedy).toBe('session-reset');
  });

  test('the first of two counts', () => {
    expect(decode('40010100 40010102').attributes.origin).toBe('igp');
  });

  test('large communities that are received twice count once', () => {
    const one = '000000010000000200000003';
    expect(decode(`c02018 ${one} ${one}`).attributes.largeCommunities).toEqual([[1, 2, 3]]);
  });

  test('unknown attributes are kept as they are, non-transitive ones and the partial bit too', () => {
    expect(decode('c0c802abcd d0c900010f 80ca0101 e0cb00').attributes.unknown).toEqual([
      { code: 200, flags: 0xc0, value: bytes('abcd') },
      { code: 201, flags: 0xc0, value: bytes('0f') },
      { code: 202, flags: 0x80, value: bytes('01') },
      { code: 203, flags: 0xe0, value: bytes('') },
    ]);
  });

  test('the partial bit of known optional transitive attributes is kept, and of others it means nothing', () => {
    const { attributes } = decode('60010100 a00404 00000001 e00804 fde90064');
    expect(attributes).toEqual({ origin: 'igp', med: 1, communities: [0xfde90064], partial: [8] });
  });

  test('AIGP, OTC, PMSI_TUNNEL, TUNNEL_ENCAPSULATION and IPv6 extended communities', () => {
    const { attributes } = decode(
      '801a10 01000b 0000000100000064 020005 abcd c02304 0000fde9 c01605 0102030405 c01704 000f0000',
      internal,
    );
    expect(attributes).toEqual({
      aigp: [
        { type: 1, value: bytes('0000000100000064') },
        { type: 2, value: bytes('abcd') },
      ],
      onlyToCustomer: 65001,
      pmsiTunnel: bytes('0102030405'),
      tunnelEncapsulation: bytes('000f0000'),
    });
    expect(aigpMetric(attributes)).toBe((1n << 32n) + 100n);
    const community = '000220010db800000000000000000000000100 64'.replaceAll(' ', '');
    expect(decode(`c01914 ${community}`).attributes.ipv6ExtendedCommunities).toEqual([bytes(community)]);
  });

  test('a malformed MP_REACH costs its family alone where the context says so, and a second one the session', () => {
    const session = context({ mpFaults: 'afi-safi-disable' });
    const bad = '800e05 0002 01 10 00';
    expect(decode(bad, session)).toMatchObject({
      remedy: 'afi-safi-disable',
      faults: [{ code: [3, 9], attribute: 14 }],
    });
    expect(decode('c00f03 000201', session).remedy).toBe('afi-safi-disable');
    expect(decode('800f02 0002', session).remedy).toBe('session-reset');
    expect(decode(`${bad} ${bad}`, session).remedy).toBe('session-reset');
  });

  test('the next hop is from MP_REACH where there is one, and NEXT_HOP stays beside it', () => {
    const mpReach = '800e15 0002 01 10 20010db8000000000000000000000001 00';
    const result = decode(`400304c0000201 ${mpReach}`);
    expect(hex(result.attributes.nextHop!)).toBe('20010db8000000000000000000000001');
    expect(hex(result.ipv4NextHop!)).toBe('c0000201');
  });

  test('IPv4 prefixes may have an IPv6 next hop where that was negotiated', () => {
    const block = `800e15 0001 01 10 ${'20'.repeat(16)} 00`;
    expect(decode(block, context({ extendedNextHop: new Set(['1/1']) })).remedy).toBeUndefined();
  });

  test('values are copies: the buffer of the message may be used again, also where it is a Buffer', () => {
    const octets = Buffer.from(bytes('400304c0000201 c0c80101 c01008 0002000100000001'));
    const { attributes } = decodeAttributes(octets, 0, octets.length, internal);
    octets.fill(0);
    expect(hex(attributes.nextHop!)).toBe('c0000201');
    expect(hex(attributes.unknown![0]!.value)).toBe('01');
    expect(hex(attributes.extendedCommunities![0]!)).toBe('0002000100000001');
  });
});

describe('checkMandatory', () => {
  const check = (block: string, hasIpv4Nlri: boolean, hasMpNlri: boolean): unknown => {
    const { attributes, ipv4NextHop } = decode(block);
    return checkMandatory(attributes, { hasIpv4Nlri, hasMpNlri, ipv4NextHop });
  };

  test('all three are there', () => {
    expect(check('40010100 400200 400304c0000201', true, false)).toBeUndefined();
  });

  test.each([
    ['ORIGIN', '400200 400304c0000201', '01'],
    ['AS_PATH', '40010100 400304c0000201', '02'],
    ['NEXT_HOP', '40010100 400200', '03'],
  ])('%s is missing', (name, block, data) => {
    expect(check(block, true, false)).toMatchObject({ text: `${name} is missing`, code: [3, 3], data: bytes(data) });
  });

  test('with MP_REACH alone no NEXT_HOP is asked for, with both kinds it is', () => {
    const reach = `800e15 0002 01 10 ${'20'.repeat(16)} 00`;
    expect(check(`40010100 400200 ${reach}`, false, true)).toBeUndefined();
    expect(check(`40010100 400200 ${reach}`, true, true)).toMatchObject({ code: [3, 3], data: bytes('03') });
    expect(check(`40010100 400200 400304c0000201 ${reach}`, true, true)).toBeUndefined();
  });

  test('an UPDATE that only withdraws needs none', () => {
    expect(check('', false, false)).toBeUndefined();
  });
});

test('without a reachable prefix treat-as-withdraw resets the session, RFC 7606 §5.2', () => {
  const none = { hasIpv4Nlri: false, hasMpNlri: false, ipv4NextHop: undefined };
  expect(effectiveRemedy('treat-as-withdraw', none)).toBe('session-reset');
  expect(effectiveRemedy('attribute-discard', none)).toBe('attribute-discard');
  expect(effectiveRemedy(undefined, none)).toBeUndefined();
  expect(effectiveRemedy('treat-as-withdraw', { ...none, hasMpNlri: true })).toBe('treat-as-withdraw');
});
