import { boolean, constant, integer, list, record } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { LongLivedFamily } from './capability.ts';
import type { CapabilitySpec, Named } from './spec.ts';

const FORWARDING = 0x80;

/** RFC 9494 §3: per family seven octets, the last three of them the stale time. */
export const longLivedGracefulRestart: CapabilitySpec<Named<'long-lived-graceful-restart'>> = {
  code: 71,
  onMalformed: 'refuse',
  json: record<Named<'long-lived-graceful-restart'>>({
    name: constant('long-lived-graceful-restart'),
    families: list(
      record<LongLivedFamily>({ family, forwardingPreserved: boolean, staleSeconds: integer(0, 0xffffff) }),
    ),
  }),
  line: ({ families }) =>
    `long-lived-graceful-restart ${families.map((each) => `${familyName(each.family)} ${each.staleSeconds}s${each.forwardingPreserved ? ' preserved' : ''}`).join(' ')}`,
  decode: (value) => {
    value.multipleOf(7);
    const families: LongLivedFamily[] = [];
    while (value.left > 0) {
      const family = value.family();
      const forwardingPreserved = (value.u8() & FORWARDING) !== 0;
      families.push({ family, forwardingPreserved, staleSeconds: (value.u8() << 16) | value.u16() });
    }
    return { name: 'long-lived-graceful-restart', families };
  },
  encode: (out, { families }) => {
    for (const { family, forwardingPreserved, staleSeconds } of families) {
      out.family(family);
      out.u8(forwardingPreserved ? FORWARDING : 0);
      out.u8(staleSeconds >>> 16);
      out.u16(staleSeconds & 0xffff);
    }
  },
};
