import { constant, list, record, u8 } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { MultipleLabels } from './capability.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 8277 §2.1: per family four octets, the last of them how many labels of one prefix the sender can take. */
export const multipleLabels: CapabilitySpec<Named<'multiple-labels'>> = {
  code: 8,
  onMalformed: 'keep',
  json: record<Named<'multiple-labels'>>({
    name: constant('multiple-labels'),
    entries: list(record<MultipleLabels>({ family, count: u8 })),
  }),
  line: ({ entries }) =>
    `multiple-labels ${entries.map((entry) => `${familyName(entry.family)} ${entry.count}`).join(', ')}`.trimEnd(),
  decode: (value) => {
    value.multipleOf(4);
    const entries: MultipleLabels[] = [];
    while (value.left > 0) entries.push({ family: value.family(), count: value.u8() });
    return { name: 'multiple-labels', entries };
  },
  encode: (out, { entries }) => {
    for (const { family: each, count } of entries) {
      out.family(each);
      out.u8(count);
    }
  },
};
