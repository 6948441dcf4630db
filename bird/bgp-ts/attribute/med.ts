import { u32 } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL } from './spec.ts';

/** MULTI_EXIT_DISC, RFC 4271 §5.1.4: a 32-bit metric between neighboring ASes, lower preferred. */
export const med: RecordedSpec<number> = {
  name: 'MULTI_EXIT_DISC',
  code: 4,
  flags: OPTIONAL,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.4
  json: u32,
  decode: (value) => value.exactly(4).u32(),
  encode: (out, metric) => out.u32(metric),
};
