import { ipv4 } from '../json/address.ts';
import { record, u32 } from '../json/codec.ts';
import { BgpError } from '../error.ts';
import { AS_TRANS, updateError } from '../iana.ts';
import type { PathAttributes } from './path-attributes.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';

export type Aggregator = NonNullable<PathAttributes['aggregator']>;

/** AGGREGATOR, RFC 4271 §5.1.7: who aggregated, as AS number and BGP identifier. */
export const aggregator: RecordedSpec<Aggregator> = {
  name: 'AGGREGATOR',
  code: 7,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'attribute-discard', // RFC 7606 §7.7
  json: record<Aggregator>({ asn: u32, address: ipv4 }),
  decode: (value, { fourOctetAs }) => {
    value.exactly(fourOctetAs ? 8 : 6);
    return checkAggregator({ asn: fourOctetAs ? value.u32() : value.u16(), address: value.u32() });
  },
  encode: (out, { asn, address }, { fourOctetAs }) => {
    if (asn === 0) throw new Error('AS 0 aggregated');
    if (fourOctetAs) out.u32(asn);
    else out.u16(asn > 0xffff ? AS_TRANS : asn);
    out.u32(address);
  },
};

/** RFC 7607 §2: AS 0 makes it malformed. */
export function checkAggregator(value: Aggregator): Aggregator {
  if (value.asn === 0) throw new BgpError('AS 0 aggregated', updateError.optionalAttribute);
  return value;
}
