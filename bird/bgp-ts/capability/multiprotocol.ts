import { constant, record } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 4760 §8: AFI, a reserved octet, SAFI. */
export const multiprotocol: CapabilitySpec<Named<'multiprotocol'>> = {
  code: 1,
  onMalformed: 'refuse',
  json: record<Named<'multiprotocol'>>({ name: constant('multiprotocol'), family }),
  line: (capability) => familyName(capability.family),
  decode: (value) => {
    const afi = value.exactly(4).u16();
    value.u8();
    return { name: 'multiprotocol', family: { afi, safi: value.u8() } };
  },
  encode: (out, { family }) => {
    out.u16(family.afi);
    out.u8(0);
    out.u8(family.safi);
  },
};
