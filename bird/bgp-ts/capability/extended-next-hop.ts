import { constant, list, record, u16 } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { ExtendedNextHop } from './capability.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 8950 §4: AFI and SAFI of the NLRI, both in two octets, and the AFI of the next hop. */
export const extendedNextHop: CapabilitySpec<Named<'extended-next-hop'>> = {
  code: 5,
  onMalformed: 'refuse',
  json: record<Named<'extended-next-hop'>>({
    name: constant('extended-next-hop'),
    entries: list(record<ExtendedNextHop>({ family, nextHopAfi: u16 })),
  }),
  line: ({ entries }) =>
    `extended-next-hop ${entries.map((entry) => `${familyName(entry.family)} by AFI ${entry.nextHopAfi}`).join(', ')}`,
  decode: (value) => {
    value.multipleOf(6);
    const entries: ExtendedNextHop[] = [];
    while (value.left > 0) entries.push({ family: { afi: value.u16(), safi: value.u16() }, nextHopAfi: value.u16() });
    return { name: 'extended-next-hop', entries };
  },
  encode: (out, { entries }) => {
    for (const { family, nextHopAfi } of entries) {
      out.u16(family.afi);
      out.u16(family.safi);
      out.u16(nextHopAfi);
    }
  },
};
