import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 6793 §3: the sender's true AS number. */
export const fourOctetAs: CapabilitySpec<Named<'four-octet-as'>> = {
  code: 65,
  onMalformed: 'refuse',
  decode: (value) => ({ name: 'four-octet-as', asn: value.exactly(4).u32() }),
  encode: (out, { asn }) => out.u32(asn),
};
