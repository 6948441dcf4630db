import { bytes, frame } from '../support/bgp-bytes.ts';
import type { SeedText } from './corpus.ts';

const message = (type: number, body: string): SeedText => ({ octets: frame(type, bytes(body)) });
const text = (value: string): string => Buffer.from(value).toString('hex');

/** KEEPALIVE, NOTIFICATION and ROUTE-REFRESH. */
export const plainSeeds: readonly SeedText[] = [
  message(4, ''),
  message(3, '0602'), // Cease / Administrative Shutdown
  message(3, `0602 0b ${text('maintenance')}`), // RFC 9003
  message(3, `0604 06 ${text('wärme')}`),
  message(3, `0609 0602 04 ${text('hard')}`), // RFC 8538: a hard reset holds another one
  message(3, '0601 0001 01 000f4240'), // maximum prefixes: AFI, SAFI, limit
  message(3, '0102 0012'),
  message(3, '0103 09'),
  message(3, '0201 0004'),
  message(3, '0207 01 04 0002 00 01'),
  message(3, '0303 01'),
  message(3, '0309 800e03 000101'),
  message(3, '0400'),
  message(3, '0503'),
  message(3, '0701 ffff'),
  { octets: frame(3, bytes('0606', 'ab'.repeat(4200))), session: { extendedMessage: true } },
  message(5, '0001 00 01'),
  message(5, '0002 01 01'),
  message(5, '0001 02 80'),
  message(5, '4004 07 47'),
];
