import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family, FamilyNlri, Fault, NlriShape } from '../../../../bird/bgp-ts/index.ts';
import { checkNlri, decodeMessage, decodeNlri, encodeNlri, familyName } from '../../../../bird/bgp-ts/index.ts';
import { familyRows, parseFamily } from '../../../../bird/bgp-ts/nlri/families.ts';
import { formatNlri } from '../../../../bird/bgp-ts/nlri/table.ts';
import { bytes, context, hex, updateFrame } from '../../../support/bgp-bytes.ts';

const family = (name: string): Family => parseFamily(name)!;
const shape = (name: string, changes: Partial<NlriShape> = {}): NlriShape => ({
  family: family(name),
  addPath: false,
  ...changes,
});

function decode(text: string, nlriShape: NlriShape): FamilyNlri | Fault {
  const octets = bytes(text);
  return decodeNlri(octets, 0, octets.length, nlriShape);
}

/** What is decoded, as the readable line has it; and encoded again it must be `again`, by default the same octets. */
function line(text: string, nlriShape: NlriShape, again = text): string {
  const group = decode(text, nlriShape);
  if ('code' in group) return `${group.code.join('/')} ${group.text}`;
  expect(hex(encodeNlri(group, nlriShape))).toBe(again.replaceAll(' ', ''));
  return formatNlri(group);
}

describe('labeled prefixes, RFC 8277', () => {
  const ipv4 = shape('IPv4 labeled unicast');

  test.each([
    ['one label', '30 004e21 0a0000', ipv4, '10.0.0.0/24 label 1250'],
    ['a stack of RFC 3107', '48 00064 0 003e9 1 0a0000', ipv4, '10.0.0.0/24 label 100/1001'],
    ['IPv6', '38 000641 20010db8', shape('IPv6 labeled unicast'), '2001:db8::/32 label 100'],
    ['a path identifier', '00000007 20 000641 0a', { ...ipv4, addPath: true }, '10.0.0.0/8 label 100#7'],
    ['no prefix at all', '18 000641', ipv4, '0.0.0.0/0 label 100'],
    ['several', '20 000641 0a 20 000651 0b', ipv4, '10.0.0.0/8 label 100, 11.0.0.0/8 label 101'],
  ])('%s', (...row) => {
    const [, text, nlriShape, expected] = row;
    expect(line(text, nlriShape)).toBe(expected);
  });

  test('a label without the bottom of the stack is one label, RFC 8277 §2.2', () => {
    expect(line('20 000640 0a', ipv4, '20 000641 0a')).toBe('10.0.0.0/8 label 100');
  });

  test('a label without the bottom of the stack never turns a prefix into another label', () => {
    expect(line('30 000640 c0a801', ipv4, '30 000641 c0a801')).toBe('192.168.1.0/24 label 100');
    expect(line('30 800000 c0a801', ipv4, '30 800001 c0a801')).toBe('192.168.1.0/24 label 524288');
    const ipv6Vpn = shape('IPv6 VPN');
    expect(
      line('98 000640 0000fde900000064 20010db800010001', ipv6Vpn, '98 000641 0000fde900000064 20010db800010001'),
    ).toBe('65001:100 2001:db8:1:1::/64 label 100');
  });

  test('several labels where they were negotiated, RFC 8277 §2.3, and then up to the bottom of the stack', () => {
    const several = { ...shape('IPv6 labeled unicast'), multipleLabels: true };
    expect(line('50 000640 000c81 20010db8', several)).toBe('2001:db8::/32 label 100/200');
    expect(line('38 000640 20010c00', several)).toBe('3/10 a label stack has no bottom');
    const group = decode('50 000640 000c81 20010db8', several) as FamilyNlri;
    expect(() => encodeNlri(group, { ...several, multipleLabels: false })).toThrow(
      '2 labels, where the peer reads one',
    );
  });

  test.each([
    ['800000', '10.0.0.0/8', '800000'],
    ['000000', '10.0.0.0/8', '800000'],
    ['000641', '10.0.0.0/8 label 100', '000641'],
    ['000640', '10.0.0.0/8 label 100', '000641'],
  ])('a withdrawal has one field, whatever is in it: %s', (field, expected, again) => {
    expect(line(`20 ${field} 0a`, { ...ipv4, withdrawn: true }, `20 ${again} 0a`)).toBe(expected);
  });

  test('a prefix is not announced without a label', () => {
    const nlri = [{ pathId: 0, words: [0x0a000000], length: 8, labels: [] }];
    const group: FamilyNlri = { kind: 'labeled', family: ipv4.family, nlri };
    expect(() => encodeNlri(group, ipv4)).toThrow('announced without a label');
  });

  test.each([
    ['no room for a label', '17 000641', '3/10 23 bits leave no room for a label'],
    ['a prefix that is too long', '39 000641 0a00000000', '3/10 prefix length 33 is above 32'],
    ['a prefix cut short', '30 000641 0a00', '3/10 3 octets wanted, 2 left'],
    ['a label cut short', '18 0006', '3/10 2 octets wanted, 1 left'],
  ])('%s is refused', (_, text, expected) => expect(line(text, ipv4)).toBe(expected));
});

describe('VPN prefixes, RFC 4364, RFC 4659', () => {
  const ipv4 = shape('IPv4 VPN');

  test.each([
    ['type 0', '70 004e21 0000 0064 00000064 0a0000', ipv4, '100:100 10.0.0.0/24 label 1250'],
    ['type 1', '70 004e21 0001 c0000201 0064 0a0000', ipv4, '192.0.2.1:100 10.0.0.0/24 label 1250'],
    ['type 2', '70 004e21 0002 00011170 0064 0a0000', ipv4, '70000:100 10.0.0.0/24 label 1250'],
    ['type 2 with a small AS', '70 004e21 0002 00000064 0064 0a0000', ipv4, '100L:100 10.0.0.0/24 label 1250'],
    ['a type nobody knows', '70 004e21 0009 000000640064 0a0000', ipv4, '0x0009000000640064 10.0.0.0/24 label 1250'],
    ['IPv6', '78 000641 0000 0064 00000064 20010db8', shape('IPv6 VPN'), '100:100 2001:db8::/32 label 100'],
  ])('a route distinguisher of %s', (...row) => {
    const [, text, nlriShape, expected] = row;
    expect(line(text, nlriShape)).toBe(expected);
  });

  test('withdrawn without a label', () => {
    const withdrawn = { ...ipv4, withdrawn: true };
    expect(line('70 800000 0000 0064 00000064 0a0000', withdrawn)).toBe('100:100 10.0.0.0/24');
  });

  test.each([
    ['no room for a route distinguisher', '57 000641 0000006400000064', '3/10 87 bits leave no room for a label'],
    ['a prefix that is too long', `79 000641 0000006400000064 0a00000000`, '3/10 prefix length 33 is above 32'],
    ['a route distinguisher cut short', '58 000641 00000064', '3/10 8 octets wanted, 4 left'],
  ])('%s is refused', (_, text, expected) => expect(line(text, ipv4)).toBe(expected));
});

describe('FlowSpec rules, RFC 8955, RFC 8956', () => {
  const ipv4 = shape('IPv4 FlowSpec');
  const ipv6 = shape('IPv6 FlowSpec');

  test.each([
    // The three examples of RFC 8955 §4.3.
    ['0b 01 18 c00002 03 81 06 04 81 19', ipv4, 'destination 192.0.2.0/24 protocol =6 port =25'],
    [
      '12 01 18 c00002 02 18 cb0071 04 03 89 45 8b 91 1f90',
      ipv4,
      'destination 192.0.2.0/24 source 203.0.113.0/24 port >=137&<=139,=8080',
    ],
    ['09 01 20 c0000201 0c 80 05', ipv4, 'destination 192.0.2.1/32 fragment any 5'],
    ['05 09 82 02 0b 80', ipv4, 'tcp-flags not-any 2 malformed 0b80'],
    ['06 09 83 12 0b 81 0a', ipv4, 'tcp-flags not-all 18 dscp =10'],
    ['0a 0a b7 0000000100000000', ipv4, 'packet-length true 4294967296'],
    ['08 0d a1 000007dd 0b 81', ipv6, 'flow-label =2013 malformed 0b81'],
    ['06 0d a1 000007dd', ipv6, 'flow-label =2013'],
    // RFC 8956 §3.1: only the bits from 64 to 104 count, and only they are there.
    ['08 01 68 40 123456789a', ipv6, 'destination ::1234:5678:9a00:0/104 offset 64'],
    ['03 01 00 00', ipv6, 'destination ::/0'],
  ])('%s', (text, nlriShape, expected) => expect(line(text, nlriShape)).toBe(expected));

  test('a rule of 240 octets and more has a length of two, RFC 8955 §4.1', () => {
    const matches = (count: number): string => `04 ${'01 50 '.repeat(count - 1)} 81 50`;
    expect(line(`ef ${matches(119)}`, ipv4)).toMatch(/^port =80(,=80){118}$/);
    expect(line(`f0f1 ${matches(120)}`, ipv4)).toMatch(/^port =80(,=80){119}$/);
  });

  test('the first match has nothing to be joined with, and reserved bits do not count', () => {
    expect(line('05 04 49 50 c9 50', ipv4, '05 04 01 50 c1 50')).toBe('port =80&=80');
  });

  test('a route distinguisher in SAFI 134, and in no other', () => {
    const vpn = shape('IPv4 FlowSpec VPN');
    expect(line('0d 0000 0064 00000064 01 18 0a0000', vpn)).toBe('100:100 destination 10.0.0.0/24');
    expect(line('07 00000064000000', vpn)).toBe('3/10 a rule of 7 octets has no room for a route distinguisher');
    const group = decode('05 01 18 0a0000', ipv4) as FamilyNlri;
    expect(() => encodeNlri({ ...group, family: vpn.family }, vpn)).toThrow(
      'a FlowSpec rule has a route distinguisher',
    );
  });

  test.each([
    ['an unknown type', '03 0e 8101', 'malformed 0e8101'],
    ['types out of order', '09 03 81 06 01 18 0a0000', 'protocol =6 malformed 01180a0000'],
    ['a type twice', '06 03 81 06 03 81 11', 'protocol =6 malformed 038111'],
    ['no end of the list', '03 03 01 06', 'malformed 030106'],
    ['a value cut short', '04 04 91 1f', 'malformed 04911f'],
    ['a prefix that is too long', '07 01 21 0a00000000', 'malformed 01210a00000000'],
    ['a flow label in IPv4', '06 0d a1 000007dd', 'malformed 0da1000007dd'],
    ['no component at all', '00', 'malformed '],
  ])('%s: the rule is kept as it is, and the UPDATE treated as withdrawn', (_, text, expected) => {
    const length = Number.parseInt(text.slice(0, 2), 16);
    const octets = `${length.toString(16).padStart(2, '0')}${text.slice(2)}`.replaceAll(' ', '');
    const exact = (Number.parseInt(octets.slice(0, 2), 16) + 1) * 2 === octets.length;
    const rule = exact ? octets : `${((octets.length - 2) / 2).toString(16).padStart(2, '0')}${octets.slice(2)}`;
    expect(line(rule, ipv4)).toBe(expected);
    const value = `0001 85 00 00 ${rule}`;
    const size = (value.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0');
    const update = updateFrame({ attributes: `800e${size} ${value} 40010100 400200` });
    expect(decodeMessage(update, context())).toMatchObject({
      kind: 'ok',
      message: { remedy: 'treat-as-withdraw', faults: [{ code: [3, 9], attribute: 14 }] },
    });
  });

  test('an IPv6 pattern whose offset is not below its length is malformed', () => {
    expect(line('03 01 40 40', ipv6)).toBe('malformed 014040');
    expect(line('04 01 40 41 00', ipv6)).toBe('malformed 01404100');
  });

  test('a rule that runs past the end is refused', () => {
    expect(line('06 01 18 0a0000', ipv4)).toBe('3/10 6 octets wanted, 5 left');
    expect(line('f1', ipv4)).toBe('3/10 1 octets wanted, 0 left');
  });
});

const anyFamily = fc.oneof(
  fc.constantFrom(...familyRows.map((row) => row.family)),
  fc.record({ afi: fc.nat(3), safi: fc.nat(255) }),
);

/** Lists that have a chance: a length octet that fits what follows, at times. */
const someNlri = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc.uint8Array({ minLength: 3, maxLength: 20 }).map((rest) => Uint8Array.of(rest.length * 8, ...rest)),
      fc.uint8Array({ minLength: 1, maxLength: 20 }).map((rest) => Uint8Array.of(rest.length, ...rest)),
      fc.constantFrom(
        bytes('2000064 1 0a'),
        bytes('70004e210000006400000064 0a0000'),
        bytes('0b0118c00002038106048119'),
      ),
    ),
    { maxLength: 5 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('whatever the family and the octets', () => {
  const input = { octets: someNlri, family: anyFamily, addPath: fc.boolean(), withdrawn: fc.boolean() };

  test('checkNlri and decodeNlri agree, and what is decoded is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(fc.record(input), ({ octets, ...nlriShape }) => {
        const group = decodeNlri(octets, 0, octets.length, nlriShape);
        const fault = checkNlri(octets, 0, octets.length, nlriShape);
        if ('code' in group) {
          expect(fault?.code).toEqual(group.code);
          return;
        }
        expect(fault).toBeUndefined();
        const again = encodeNlri(group, nlriShape);
        expect(decodeNlri(again, 0, again.length, nlriShape)).toEqual(group);
        expect(formatNlri(group)).toMatch(/^[ -~]*$/);
      }),
      { numRuns: 3000 },
    );
  });
});

test('every family has a name that leads back to it', () => {
  for (const row of familyRows) expect(parseFamily(familyName(row.family))).toEqual(row.family);
  expect(familyName({ afi: 9, safi: 9 })).toBe('9/9');
  expect(parseFamily('9/9')).toEqual({ afi: 9, safi: 9 });
  expect(['', 'IPv5 unicast', '1', '1/', '65536/1', '1/65536', '-1/1'].map(parseFamily)).toEqual(
    Array(7).fill(undefined),
  );
});
