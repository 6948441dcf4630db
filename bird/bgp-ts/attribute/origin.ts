import { oneOf } from '../json/codec.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import type { Origin } from './path-attributes.ts';
import type { RecordedSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

const origins: readonly Origin[] = ['igp', 'egp', 'incomplete'];

/** ORIGIN, RFC 4271 §5.1.1: how the first speaker came to know the route. */
export const origin: RecordedSpec<Origin> = {
  name: 'ORIGIN',
  code: 1,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.1
  json: oneOf(origins),
  decode: (value) => {
    const number = value.exactly(1).u8();
    const known = origins[number];
    if (known === undefined) throw new BgpError(`value ${number} is above 2`, updateError.invalidOrigin);
    return known;
  },
  encode: (out, value) => out.u8(origins.indexOf(value)),
};
