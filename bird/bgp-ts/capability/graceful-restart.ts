import { boolean, constant, integer, list, record } from '../json/codec.ts';
import { family, familyName } from '../nlri/families.ts';
import type { GracefulRestart } from './capability.ts';
import type { CapabilitySpec, Named } from './spec.ts';

const RESTARTING = 0x8000;
const NOTIFICATION = 0x4000;
const SECONDS = 0x0fff;
const FORWARDING = 0x80;

/** RFC 4724 §3: flags and restart time in two octets, then four per family; the N bit is RFC 8538's. */
export const gracefulRestart: CapabilitySpec<Named<'graceful-restart'>> = {
  code: 64,
  onMalformed: 'refuse',
  json: record<Named<'graceful-restart'>>({
    name: constant('graceful-restart'),
    restarting: boolean,
    notification: boolean,
    restartSeconds: integer(0, SECONDS),
    families: list(record<GracefulRestart['families'][number]>({ family, forwardingPreserved: boolean })),
  }),
  line: ({ restarting, notification, restartSeconds, families }) =>
    [
      `graceful-restart ${restartSeconds}s`,
      ...(restarting ? ['restarting'] : []),
      ...(notification ? ['notification'] : []),
      ...families.map((each) => `${familyName(each.family)}${each.forwardingPreserved ? ' preserved' : ''}`),
    ].join(' '),
  decode: (value) => {
    const word = value.u16();
    value.multipleOf(4);
    const families: GracefulRestart['families'][number][] = [];
    while (value.left > 0) {
      const family = value.family();
      families.push({ family, forwardingPreserved: (value.u8() & FORWARDING) !== 0 });
    }
    return {
      name: 'graceful-restart',
      restarting: (word & RESTARTING) !== 0,
      notification: (word & NOTIFICATION) !== 0,
      restartSeconds: word & SECONDS,
      families,
    };
  },
  encode: (out, { restarting, notification, restartSeconds, families }) => {
    if (restartSeconds > SECONDS) throw new Error(`restart time ${restartSeconds} is above ${SECONDS} seconds`);
    out.u16((restarting ? RESTARTING : 0) | (notification ? NOTIFICATION : 0) | restartSeconds);
    for (const { family, forwardingPreserved } of families) {
      out.family(family);
      out.u8(forwardingPreserved ? FORWARDING : 0);
    }
  },
};
