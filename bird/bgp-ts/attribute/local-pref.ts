import { u32 } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { fromExternal, TRANSITIVE } from './spec.ts';

/** LOCAL_PREF, RFC 4271 §5.1.5: the preference within the AS, higher preferred. */
export const localPref: RecordedSpec<number> = {
  name: 'LOCAL_PREF',
  code: 5,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.5
  json: u32,
  unwanted: fromExternal,
  decode: (value) => value.exactly(4).u32(),
  encode: (out, preference) => out.u32(preference),
};
