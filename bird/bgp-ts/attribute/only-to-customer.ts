import { u32 } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';

/** Only to Customer (OTC), RFC 9234 §5: the AS that sent the route down or across. What that forbids is the speaker's to say. */
export const onlyToCustomer: RecordedSpec<number> = {
  name: 'ONLY_TO_CUSTOMER',
  code: 35,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 9234 §5
  json: u32,
  decode: (value) => value.exactly(4).u32(),
  encode: (out, asn) => out.u32(asn),
};
