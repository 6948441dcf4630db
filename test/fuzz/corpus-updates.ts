import { bytes, mandatory, updateFrame } from '../support/bgp-bytes.ts';
import type { SeedText } from './corpus.ts';

const byte = (value: number): string => value.toString(16).padStart(2, '0');

/** One attribute; the extended length where the flags say so. */
function attribute(flags: number, code: number, value: string): string {
  const length = bytes(value).length;
  return `${byte(flags)}${byte(code)}${(flags & 0x10) === 0 ? '' : byte(length >>> 8)}${byte(length & 0xff)}${value}`;
}

const path = `${attribute(0x40, 1, '00')}${attribute(0x40, 2, '0201 0000fde9')}`;
const v6 = (last: string): string => `20010db8${'0'.repeat(20)}${last}`;
const linkLocal = `fe80${'0'.repeat(24)}0001`;
const rd = '0000fde900000064';
const reach = (family: string, nextHop: string, nlri: string): string =>
  attribute(0x90, 14, `${family}${byte(bytes(nextHop).length)}${nextHop}00${nlri}`);
const unreach = (family: string, nlri: string): string => attribute(0x90, 15, `${family}${nlri}`);

type Session = NonNullable<SeedText['session']>;
const update = (attributes: string, nlri = '', session: Session = {}): SeedText => ({
  octets: updateFrame({ attributes, nlri }),
  session,
});

const ordinary: readonly SeedText[] = [
  update(mandatory, '180a0001'),
  update(mandatory, '00 080a 100a01 180a0102 200a010203 190a01ff80'),
  { octets: updateFrame({ withdrawn: '180a0001 100a02' }) },
  { octets: updateFrame({ withdrawn: '180a0001', attributes: mandatory, nlri: '180a0002' }) },
  { octets: updateFrame({}) },
  update(mandatory, '00000007 180a0001 00000000 080a', { addPath: new Set(['1/1']) }),
  update(mandatory, '18c63364'.repeat(150)),
  update(mandatory, '18c63364'.repeat(1100), { extendedMessage: true }),
];

const everything = [
  attribute(0x80, 4, '00000064'),
  attribute(0x40, 5, '00000064'),
  attribute(0x40, 6, ''),
  attribute(0xc0, 7, '0000fde9 c0000201'),
  attribute(0xc0, 8, 'fde90064 ffffff01 ffffff02'),
  attribute(0x80, 9, 'c0000209'),
  attribute(0x80, 10, 'c000020a c000020b'),
  attribute(0xc0, 16, '0002fde900000064 4006000000000000 0102c00002010064'),
  attribute(0xc0, 22, '00 06 000640 c0000201'),
  attribute(0xc0, 23, '0008 0014 0103000000 060600000001 000401020304'),
  attribute(0xc0, 25, `0002${v6('0001')}0064`),
  attribute(0x80, 26, '01000b 0000000000000064'),
  attribute(0xc0, 32, '0000fde90000000100000002 0000fde90000000300000004'),
  attribute(0xc0, 35, '0000fde9'),
  attribute(0xc0, 40, '010007 00000000000064'),
  attribute(0xe0, 99, 'deadbeef'),
  attribute(0xd0, 200, 'ab'.repeat(300)),
  attribute(0x80, 201, '0102'),
];

const attributes: readonly SeedText[] = [
  update(mandatory + everything.join(''), '180a0001'),
  ...everything.map((each) => update(mandatory + each, '180a0001')),
  update(mandatory.replace('400101', '600101').replace('4002', '5002 00'), '180a0001'),
  update(
    `${attribute(0x40, 1, '02')}${attribute(0x40, 2, '0203 0000fde9 00010000 fffffffe 0102 00000001 00000002')}${attribute(0x40, 3, 'c0000201')}`,
    '180a0001',
  ),
  update(
    `${attribute(0x40, 1, '01')}${attribute(0x40, 2, '0302 0000fc00 0000fc01 0401 0000fc02 0201 0000fde9')}${attribute(0x40, 3, 'c0000201')}`,
    '180a0001',
  ),
  update(`${attribute(0x40, 1, '00')}${attribute(0x40, 2, '')}${attribute(0x40, 3, 'c0000201')}`, '180a0001'),
  update(
    `${attribute(0x40, 1, '00')}${attribute(0x50, 2, `02ff${'0000fde9'.repeat(255)}0214${'0000fdea'.repeat(20)}`)}${attribute(0x40, 3, 'c0000201')}`,
    '180a0001',
  ),
];

const twoOctets: readonly SeedText[] = [
  [attribute(0x40, 2, '0203 fde9 5ba0 5ba0'), attribute(0xc0, 17, '0202 00010000 00010001')],
  [attribute(0x40, 2, '0202 fde9 5ba0 0102 0001 5ba0'), attribute(0xc0, 17, '0201 00010000 0102 00000001 00020000')],
  [attribute(0x40, 2, '0301 fc00 0202 5ba0 5ba0'), attribute(0xc0, 17, '0201 00010000')],
  [attribute(0x40, 2, '0201 5ba0'), attribute(0xc0, 17, '0202 00010000 00010001')],
  [
    attribute(0x40, 2, '0201 5ba0'),
    attribute(0xc0, 7, '5ba0 c0000201'),
    attribute(0xc0, 17, '0201 00010000'),
    attribute(0xc0, 18, '00010000 c0000201'),
  ],
  [attribute(0x40, 2, '0201 fde9'), attribute(0xc0, 7, 'fde9 c0000201'), attribute(0xc0, 18, '00010000 c0000201')],
].map((own) => {
  const all = [attribute(0x40, 1, '00'), own[0]!, attribute(0x40, 3, 'c0000201'), ...own.slice(1)];
  return update(all.join(''), '180a0001', { fourOctetAs: false });
});

const label = '000641';
const families: readonly (readonly [family: string, nextHop: string, nlri: string])[] = [
  ['000201', v6('0001'), '4020010db800010002 00 80' + v6('0005')],
  ['000201', v6('0001') + linkLocal, '3020010db80001'],
  ['000202', v6('0001'), '3020010db80001'],
  ['000101', 'c0000201', '180a0001 100a02'],
  ['000102', 'c0000201', '180a0001'],
  ['000104', 'c0000201', `30${label}0a0001 38${label}0a000102`],
  ['000204', v6('0001'), `48${label}20010db80001`],
  ['000180', `0000000000000000c0000201`, `70${label}${rd}0a0001 78${label}0001c000020100650a000102`],
  ['000280', `0000000000000000${v6('0001')}`, `88${label}${rd}20010db80001`],
  ['000280', `0000000000000000${v6('0001')}0000000000000000${linkLocal}`, `88${label}${rd}20010db80001`],
  ['000185', '', '0b 01180a0001 038106 0591 0050'.replaceAll(' ', '')],
  ['000185', '', '06 01180a000102 07 0208 0a 81ff'.slice(0, 15)],
  ['000285', '', '0c 01400020010db800000000'],
  ['000186', '', `0d${rd}01180a0001`],
  ['001946', 'c0000201', '0511 0000000000000000 0000 20 c0000201'],
  ['400447', 'c0000201', '0002 0008 0102030405060708'],
  ['000185', 'c0000201', 'f00a 01180a0001 038106 ff'],
];

const multiprotocol: readonly SeedText[] = [
  ...families.map(([family, nextHop, nlri]) => update(path + reach(family, nextHop, nlri))),
  ...families.map(([family, , nlri]) => update(unreach(family, nlri))),
  update(unreach('000201', '')),
  update(unreach('000180', '')),
  update(unreach('000104', '28800000 0a00'.replaceAll(' ', ''))),
  update(unreach('000180', `68 800000 ${rd} 0a00`.replaceAll(' ', ''))),
  update(reach('000201', v6('0001'), '3020010db80001') + unreach('000201', '3020010db80002') + path),
  { octets: updateFrame({ attributes: reach('000201', v6('0001'), '3020010db80001') + mandatory, nlri: '180a0001' }) },
  update(path + reach('000101', v6('0001'), '180a0001'), '', { extendedNextHop: new Set(['1/1']) }),
  update(path + reach('000101', v6('0001') + linkLocal, '180a0001'), '', { extendedNextHop: new Set(['1/1']) }),
  update(path + reach('000104', v6('0001'), `30${label}0a0001`), '', { extendedNextHop: new Set(['1/4']) }),
  update(path + reach('000201', v6('0001'), '000000013020010db80001 00000002 00'), '', { addPath: new Set(['2/1']) }),
  update(unreach('000201', '000000013020010db80001'), '', { addPath: new Set(['2/1']) }),
  update(path + reach('000180', `0000000000000000c0000201`, `00000009 70${label}${rd}0a0001`), '', {
    addPath: new Set(['1/128']),
  }),
];

/** UPDATEs: plain ones, every attribute, two-octet AS numbers, every family announced and withdrawn. */
export const updateSeeds: readonly SeedText[] = [...ordinary, ...attributes, ...twoOctets, ...multiprotocol];
