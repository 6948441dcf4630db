import { constant, record } from '../json/codec.ts';
import type { Termination, TerminationTlv } from './message.ts';
import type { BmpSpec } from './spec.ts';
import { codeTlv, textTlv, tlvList } from './tlv.ts';

const reasons = [
  'administratively closed',
  'unspecified',
  'out of resources',
  'redundant connection',
  'permanently administratively closed',
];

const tlvs = tlvList<TerminationTlv>({
  string: textTlv(0, 'string'),
  reason: codeTlv(1, 'reason', reasons),
});

/** RFC 7854 §4.5. That the reason must be there is not checked. */
export const termination: BmpSpec<Termination> = {
  number: 5,
  decode: (body) => ({ type: 'termination', tlvs: tlvs.decode(body) }),
  encode: (out, message) => tlvs.encode(out, message.tlvs),
  json: record<Termination>({ type: constant('termination'), tlvs: tlvs.json }),
  line: (message, context) => tlvs.line(message.tlvs, context),
};
