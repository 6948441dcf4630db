/**
 * What no peer should send, each with the reaction that the RFCs ask for; rows and numbers are those of the project's list
 * of malformed input. `departs` says why where we react in another way than the list has it.
 */
import { bytes, frame, updateFrame } from './bgp-bytes.ts';

/** Where in the life of a session it is sent. */
export type Moment = 'in place of the OPEN' | 'after the OPENs' | 'in the session';

export type Reaction =
  /** Code and subcode; `data` in hex where the RFC fixes it. The session ends, and its routes are withdrawn. */
  | { readonly do: 'NOTIFICATION'; readonly code: string; readonly data?: string }
  /** The session ends without a NOTIFICATION. */
  | { readonly do: 'hang up' }
  /** The session comes up. */
  | { readonly do: 'establish' }
  /** The session stays; the route that stood is withdrawn. */
  | { readonly do: 'withdraw' }
  /** The session stays, and so does the route as it was. */
  | { readonly do: 'ignore' }
  /** The session stays; the route has the new attributes. These of unknown codes go on, `code/flags value`, and no others. */
  | { readonly do: 'accept'; readonly forwards?: readonly string[]; readonly lacks?: readonly string[] };

export interface HostileInput {
  readonly number: number;
  readonly name: string;
  readonly when: Moment;
  readonly octets: Uint8Array;
  readonly reaction: Reaction;
  readonly departs?: string;
}

/** The prefix of the good UPDATE in front and of every bad one: 198.51.100.0/24. */
export const PREFIX = '198.51.100.0/24';
const NLRI = '18 c63364';

/** ORIGIN egp, where the good UPDATE has igp: so one can see that an UPDATE was taken. */
const ORIGIN = '400101 01';
const AS_PATH = '400206 0201 0000fde9';
const NEXT_HOP = '400304 c0000201';
const GOOD = [ORIGIN, AS_PATH, NEXT_HOP].join('');

/** The good UPDATE but for what is added to its attributes. */
const withAttribute = (attribute: string): Uint8Array => updateFrame({ attributes: GOOD + attribute, nlri: NLRI });
const withAttributes = (...attributes: readonly string[]): Uint8Array =>
  updateFrame({ attributes: attributes.join(''), nlri: NLRI });

const header = (length: number, type: number): Uint8Array =>
  Uint8Array.from([...Array<number>(16).fill(0xff), length >>> 8, length & 0xff, type]);
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** 256 ASes, 255 and 1, the first ours to see. */
const LONG_PATH = `5002 0404 02ff ${'0000fde9'.repeat(255)} 0201 0000fdea`;

const mpReach = (afi: string, nextHop: string, nlri: string): string => {
  const value = afi + (nextHop.length / 2).toString(16).padStart(2, '0') + nextHop + '00' + nlri;
  return `800e ${(value.length / 2).toString(16).padStart(2, '0')} ${value}`;
};
const IPV6_NEXT_HOP = '20010db8000000000000000000000009';
const MP_REACH = mpReach('000201', IPV6_NEXT_HOP, '3020010db80066');

const inSession: readonly Omit<HostileInput, 'when'>[] = [
  {
    number: 1,
    name: 'hdr-bad-marker',
    octets: joined(bytes('ffffff00', 'ff'.repeat(12)), bytes('001304')),
    reaction: { do: 'NOTIFICATION', code: '1/1', data: '' },
  },
  {
    number: 2,
    name: 'hdr-len-18',
    octets: header(18, 4),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: '0012' },
  },
  {
    number: 3,
    name: 'hdr-len-4097',
    octets: header(4097, 2),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: '1001' },
  },
  {
    number: 4,
    name: 'hdr-len-65535',
    octets: header(65535, 2),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: 'ffff' },
  },
  {
    number: 5,
    name: 'hdr-unknown-type-0',
    octets: header(19, 0),
    reaction: { do: 'NOTIFICATION', code: '1/3', data: '00' },
  },
  {
    number: 6,
    name: 'hdr-unknown-type-6',
    octets: header(19, 6),
    reaction: { do: 'NOTIFICATION', code: '1/3', data: '06' },
  },
  {
    number: 7,
    name: 'keepalive-len-20',
    octets: frame(4, bytes('00')),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: '0014' },
  },
  {
    number: 8,
    name: 'update-len-22',
    octets: frame(2, bytes('000000')),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: '0016' },
  },
  { number: 9, name: 'notification-len-20', octets: frame(3, bytes('06')), reaction: { do: 'hang up' } },
  {
    number: 10,
    name: 'open-in-established',
    octets: frame(1, bytes('04 fde9 005a 0a420003 00')),
    reaction: { do: 'NOTIFICATION', code: '5/3' },
  },
  {
    number: 11,
    name: 'route-refresh-short',
    octets: frame(5, bytes('000100')),
    reaction: { do: 'NOTIFICATION', code: '1/2', data: '0016' },
    departs:
      '7/1 is for subtypes 1 and 2 of enhanced refresh (RFC 7313 §5); else RFC 4271 §6.1 holds, as in BIRD and FRR',
  },
  {
    number: 12,
    name: 'upd-withdrawn-len-overrun',
    octets: frame(2, bytes('0040 18c63364 0000')),
    reaction: { do: 'NOTIFICATION', code: '3/1' },
  },
  {
    number: 13,
    name: 'upd-attr-len-overrun',
    octets: frame(2, bytes('0000 0060', GOOD, NLRI)),
    reaction: { do: 'NOTIFICATION', code: '3/1' },
  },
  { number: 14, name: 'upd-attr-trailing-2-octets', octets: withAttribute('c008'), reaction: { do: 'withdraw' } },
  { number: 15, name: 'upd-attr-extlen-trailing-3', octets: withAttribute('d00800'), reaction: { do: 'withdraw' } },
  {
    number: 16,
    name: 'upd-last-attr-overruns',
    octets: withAttribute('c00808 fde90001'),
    reaction: { do: 'withdraw' },
  },
  {
    number: 17,
    name: 'upd-nlri-plen-33',
    octets: updateFrame({ attributes: GOOD, nlri: '21 c633640000' }),
    reaction: { do: 'NOTIFICATION', code: '3/10' },
  },
  {
    number: 18,
    name: 'upd-nlri-truncated',
    octets: updateFrame({ attributes: GOOD, nlri: '18 c633' }),
    reaction: { do: 'NOTIFICATION', code: '3/10' },
  },
  { number: 19, name: 'upd-dup-origin', octets: withAttribute('40010102'), reaction: { do: 'accept' } },
  {
    number: 20,
    name: 'upd-dup-mp-reach',
    octets: updateFrame({ attributes: MP_REACH + MP_REACH + ORIGIN + AS_PATH }),
    reaction: { do: 'NOTIFICATION', code: '3/1' },
  },
  { number: 21, name: 'upd-missing-origin', octets: withAttributes(AS_PATH, NEXT_HOP), reaction: { do: 'withdraw' } },
  { number: 22, name: 'upd-missing-nexthop', octets: withAttributes(ORIGIN, AS_PATH), reaction: { do: 'withdraw' } },
  { number: 23, name: 'upd-empty-attrs-nlri', octets: withAttributes(), reaction: { do: 'withdraw' } },
  {
    number: 24,
    name: 'upd-unknown-wellknown',
    octets: withAttribute('40c8020102'),
    reaction: { do: 'withdraw' },
    departs: 'one attribute from afar must not cost a session (bird/bgp-ts/README.md): not 3/2, but as BIRD',
  },
  {
    number: 25,
    name: 'upd-unknown-opt-trans',
    octets: withAttribute('c0c903 a1b2c3'),
    reaction: { do: 'accept', forwards: ['201/e0 a1b2c3'] },
  },
  { number: 26, name: 'upd-unknown-opt-nontrans', octets: withAttribute('80c903 a1b2c3'), reaction: { do: 'accept' } },
  {
    number: 27,
    name: 'flag-origin-optional',
    octets: withAttributes('c0010101', AS_PATH, NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 28,
    name: 'flag-reserved-low-bits',
    octets: withAttributes('4f010101', AS_PATH, NEXT_HOP),
    reaction: { do: 'accept' },
  },
  {
    number: 29,
    name: 'origin-value-3',
    octets: withAttributes('40010103', AS_PATH, NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 30,
    name: 'aspath-seg-len-0',
    octets: withAttributes(ORIGIN, '400208 0200 0201 0000fde9', NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 31,
    name: 'aspath-seg-overrun',
    octets: withAttributes(ORIGIN, '400206 0202 0000fde9', NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 32,
    name: 'aspath-as0',
    octets: withAttributes(ORIGIN, '40020a 0202 0000fde9 00000000', NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 33,
    name: 'aspath-own-as-loop',
    octets: withAttributes(ORIGIN, '40020a 0202 0000fde9 0000fc00', NEXT_HOP),
    reaction: { do: 'withdraw' },
  },
  {
    number: 34,
    name: 'aspath-256-asns-two-segs',
    octets: withAttributes(ORIGIN, LONG_PATH, NEXT_HOP),
    reaction: { do: 'accept' },
  },
  {
    number: 35,
    name: 'nexthop-0',
    octets: withAttributes(ORIGIN, AS_PATH, '400304 00000000'),
    reaction: { do: 'withdraw' },
  },
  {
    number: 36,
    name: 'nexthop-is-us',
    octets: withAttributes(ORIGIN, AS_PATH, '400304 0a420001'),
    reaction: { do: 'withdraw' },
  },
  { number: 37, name: 'med-len-3', octets: withAttribute('800403 000001'), reaction: { do: 'withdraw' } },
  {
    number: 38,
    name: 'aggregator-len-6-as4',
    octets: withAttribute('c00706 fde9 c0000201'),
    reaction: { do: 'accept', lacks: ['aggregator'] },
  },
  { number: 39, name: 'communities-len-0', octets: withAttribute('c00800'), reaction: { do: 'withdraw' } },
  { number: 40, name: 'originator-len-3-ebgp', octets: withAttribute('800903 0a0b0c'), reaction: { do: 'accept' } },
  {
    number: 41,
    name: 'as4path-malformed',
    octets: withAttribute('c01105 0202 0000fd'),
    reaction: { do: 'accept' },
  },
  {
    number: 42,
    name: 'attr28-entropy-label-len0',
    octets: withAttribute('c01c00'),
    reaction: { do: 'accept', forwards: ['28/e0 '] },
  },
  {
    number: 43,
    name: 'attr40-prefix-sid-garbage',
    octets: withAttribute('c02805 0100ff00ff'),
    reaction: { do: 'accept', forwards: ['40/e0 0100ff00ff'] },
    departs:
      'PREFIX_SID is not understood here, so it passes as any unknown attribute, as in BIRD (RFC 8669 §6 binds who does)',
  },
  { number: 44, name: 'attr35-otc-len-3', octets: withAttribute('c02303 00fde9'), reaction: { do: 'withdraw' } },
  {
    number: 45,
    name: 'mpreach-nhlen-9',
    octets: updateFrame({ attributes: mpReach('000201', '20010db80000000000', '3020010db80066') + ORIGIN + AS_PATH }),
    reaction: { do: 'NOTIFICATION', code: '3/9' },
  },
  {
    number: 46,
    name: 'mpreach-nlri-plen-129',
    octets: updateFrame({ attributes: mpReach('000201', IPV6_NEXT_HOP, `81${'20'.repeat(17)}`) + ORIGIN + AS_PATH }),
    reaction: { do: 'NOTIFICATION', code: '3/9' },
  },
  {
    number: 47,
    name: 'mpreach-unnegotiated-afi',
    octets: updateFrame({ attributes: mpReach('001946', 'c0000201', '0001') + ORIGIN + AS_PATH }),
    reaction: { do: 'ignore' },
  },
  {
    number: 48,
    name: 'mpreach-unknown-afi',
    octets: updateFrame({ attributes: mpReach('7fff01', 'c0000201', '18c63364') + ORIGIN + AS_PATH }),
    reaction: { do: 'ignore' },
  },
  {
    number: 49,
    name: 'mpunreach-len-2',
    octets: updateFrame({ attributes: '800f02 0002' }),
    reaction: { do: 'NOTIFICATION', code: '3/9' },
  },
];

/** Version 4, AS 65001, hold time 90, identifier 10.66.0.9, then the parameters with their length. */
const open = ({ version = '04', asn = 'fde9', hold = '005a', id = '0a420009', parameters = '' }): Uint8Array => {
  const octets = parameters.replaceAll(' ', '');
  return frame(1, bytes(version, asn, hold, id, (octets.length / 2).toString(16).padStart(2, '0'), octets));
};
const IPV4 = '0206 0104 00010001';
const AS4 = '0206 4104 0000fde9';
const USUAL = IPV4 + AS4;

const inPlaceOfOpen: readonly Omit<HostileInput, 'when'>[] = [
  {
    number: 50,
    name: 'open-version-3',
    octets: open({ version: '03', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/1', data: '0004' },
  },
  {
    number: 51,
    name: 'open-wrong-as',
    octets: open({ asn: 'fdf1', parameters: `${IPV4} 0206 4104 0000fdf1` }),
    reaction: { do: 'NOTIFICATION', code: '2/2', data: '0000fdf1' },
  },
  {
    number: 52,
    name: 'open-as0',
    octets: open({ asn: '0000', parameters: `${IPV4} 0206 4104 00000000` }),
    reaction: { do: 'NOTIFICATION', code: '2/2', data: '00000000' },
  },
  {
    number: 53,
    name: 'open-as2-as4-mismatch',
    octets: open({ asn: 'fdf1', parameters: USUAL }),
    reaction: { do: 'establish' },
  },
  {
    number: 54,
    name: 'open-rid-0',
    octets: open({ id: '00000000', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/3' },
  },
  {
    number: 55,
    name: 'open-hold-1',
    octets: open({ hold: '0001', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/6', data: '0001' },
  },
  {
    number: 56,
    name: 'open-optlen-short',
    octets: frame(1, bytes('04 fde9 005a 0a420009 08', USUAL)),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 57,
    name: 'open-param-type-99',
    octets: open({ parameters: `${USUAL} 63020102` }),
    reaction: { do: 'NOTIFICATION', code: '2/4', data: '63020102' },
  },
  {
    number: 58,
    name: 'open-cap-truncated',
    octets: open({ parameters: `${AS4} 0204 01040001` }),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 59,
    name: 'open-cap-as4-len-2',
    octets: open({ parameters: `${IPV4} 0204 4102 fde9` }),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 60,
    name: 'open-no-common-family',
    octets: open({ parameters: `0206 0104 00190046 ${AS4}` }),
    reaction: { do: 'NOTIFICATION', code: '2/7', data: '010400010001010400020001' },
  },
  {
    number: 61,
    name: 'open-ext-params-rfc9072',
    octets: frame(1, bytes('04 fde9 005a 0a420009 ff ff 0012 020006 010400010001 020006 41040000fde9')),
    reaction: { do: 'establish' },
  },
  {
    number: 62,
    name: 'fsm-keepalive-in-opensent',
    octets: header(19, 4),
    reaction: { do: 'NOTIFICATION', code: '5/1' },
  },
  {
    number: 63,
    name: 'fsm-notification-in-opensent',
    octets: frame(3, bytes('0602')),
    reaction: { do: 'hang up' },
  },
  {
    number: 66,
    name: 'fsm-garbage-instead-of-open',
    octets: new TextEncoder().encode('GET / HTTP/1.1\r\nHost: 10.66.0.1\r\n\r\n'),
    reaction: { do: 'NOTIFICATION', code: '1/1' },
  },
];

const afterOpens: readonly Omit<HostileInput, 'when'>[] = [
  {
    number: 64,
    name: 'fsm-update-in-openconfirm',
    octets: withAttribute(''),
    reaction: { do: 'NOTIFICATION', code: '5/2' },
  },
];

/** All but 65, which is silence. */
export const hostileInput: readonly HostileInput[] = [
  ...inSession.map((row) => ({ ...row, when: 'in the session' as const })),
  ...inPlaceOfOpen.map((row) => ({ ...row, when: 'in place of the OPEN' as const })),
  ...afterOpens.map((row) => ({ ...row, when: 'after the OPENs' as const })),
].sort((a, b) => a.number - b.number);
