import { updateFrame } from '../bgp-bytes.ts';
import type { Row } from './row.ts';
import { AS_PATH, NEXT_HOP, ORIGIN, withAttribute, withAttributes } from './updates.ts';

/** 256 ASes, 255 and 1, the first ours to see. */
const LONG_PATH = `5002 0404 02ff ${'0000fde9'.repeat(255)} 0201 0000fdea`;

const mpReach = (afi: string, nextHop: string, nlri: string): string => {
  const value = afi + (nextHop.length / 2).toString(16).padStart(2, '0') + nextHop + '00' + nlri;
  return `800e ${(value.length / 2).toString(16).padStart(2, '0')} ${value}`;
};
const IPV6_NEXT_HOP = '20010db8000000000000000000000009';
const MP_REACH = mpReach('000201', IPV6_NEXT_HOP, '3020010db80066');

/** Attributes that are missing, twice there, unknown, or wrong within. */
export const hostileAttributes: readonly Row[] = [
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
