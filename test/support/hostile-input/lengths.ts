import { bytes, frame, updateFrame } from '../bgp-bytes.ts';
import type { Row } from './row.ts';
import { GOOD, header, NLRI, withAttribute } from './updates.ts';

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** Headers, and lengths that do not fit: of messages, of the fields of an UPDATE, of prefixes. */
export const hostileLengths: readonly Row[] = [
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
];
