import type { Aggregator } from './aggregator.ts';
import { checkAggregator } from './aggregator.ts';
import type { AttributeSpec } from './spec.ts';
import { fromFourOctet, OPTIONAL, TRANSITIVE } from './spec.ts';

/** AS4_AGGREGATOR, RFC 6793 §3: AGGREGATOR with the true AS number. */
export const as4Aggregator: AttributeSpec<Aggregator> = {
  name: 'AS4_AGGREGATOR',
  code: 18,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'attribute-discard', // RFC 6793 §6
  unwanted: fromFourOctet,
  decode: (value) => {
    value.exactly(8);
    return checkAggregator({ asn: value.u32(), address: value.u32() });
  },
  encode: (out, { asn, address }) => {
    out.u32(asn);
    out.u32(address);
  },
};
