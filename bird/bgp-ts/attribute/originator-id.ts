import { ipv4 } from '../json/address.ts';
import type { RecordedSpec } from './spec.ts';
import { fromExternal, OPTIONAL } from './spec.ts';

/** ORIGINATOR_ID, RFC 4456 §8: the BGP Identifier of the router that brought the route into this AS. */
export const originatorId: RecordedSpec<number> = {
  name: 'ORIGINATOR_ID',
  code: 9,
  flags: OPTIONAL,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.9
  json: ipv4,
  unwanted: fromExternal,
  decode: (value) => value.exactly(4).u32(),
  encode: (out, identifier) => out.u32(identifier),
};
