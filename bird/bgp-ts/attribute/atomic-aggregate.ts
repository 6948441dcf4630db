import { flag } from '../json/codec.ts';
import type { RecordedSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

/** ATOMIC_AGGREGATE, RFC 4271 §5.1.6: it is there or it is not. */
export const atomicAggregate: RecordedSpec<true> = {
  name: 'ATOMIC_AGGREGATE',
  code: 6,
  flags: TRANSITIVE,
  onMalformed: 'attribute-discard', // RFC 7606 §7.6
  json: flag,
  line: () => '',
  mayBeEmpty: true,
  decode: (value) => {
    value.exactly(0);
    return true;
  },
  encode: () => undefined,
};
