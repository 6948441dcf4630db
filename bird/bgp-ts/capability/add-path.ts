import { constant, list, oneOf, record } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { AddPathEntry } from './capability.ts';
import type { CapabilitySpec, Named } from './spec.ts';

const modes: readonly (AddPathEntry['mode'] | undefined)[] = [undefined, 'receive', 'send', 'both'];

/** RFC 7911 §4: per family four octets, the last of them what the sender can do. An entry of another mode is ignored, see the README. */
export const addPath: CapabilitySpec<Named<'add-path'>> = {
  code: 69,
  onMalformed: 'refuse',
  json: record<Named<'add-path'>>({
    name: constant('add-path'),
    entries: list(record<AddPathEntry>({ family, mode: oneOf(['receive', 'send', 'both']) })),
  }),
  line: ({ entries }) => `add-path ${entries.map((entry) => `${familyName(entry.family)} ${entry.mode}`).join(', ')}`,
  decode: (value) => {
    value.multipleOf(4);
    const entries: AddPathEntry[] = [];
    while (value.left > 0) {
      const family = value.family();
      const mode = modes[value.u8()];
      if (mode !== undefined) entries.push({ family, mode });
    }
    return { name: 'add-path', entries };
  },
  encode: (out, { entries }) => {
    for (const { family, mode } of entries) {
      out.family(family);
      out.u8(modes.indexOf(mode));
    }
  },
};
