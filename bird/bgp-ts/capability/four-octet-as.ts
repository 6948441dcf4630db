import { constant, record, u32 } from '../json/codec.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 6793 §3: the sender's true AS number. */
export const fourOctetAs: CapabilitySpec<Named<'four-octet-as'>> = {
  code: 65,
  onMalformed: 'refuse',
  json: record<Named<'four-octet-as'>>({ name: constant('four-octet-as'), asn: u32 }),
  line: ({ asn }) => `AS ${asn}`,
  decode: (value) => ({ name: 'four-octet-as', asn: value.exactly(4).u32() }),
  encode: (out, { asn }) => out.u32(asn),
};
