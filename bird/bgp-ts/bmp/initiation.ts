import { constant, record } from '../json/codec.ts';
import type { Initiation, InitiationTlv } from './message.ts';
import type { BmpSpec } from './spec.ts';
import { textTlv, tlvList } from './tlv.ts';

const tlvs = tlvList<InitiationTlv>({
  string: textTlv(0, 'string'),
  'sys-descr': textTlv(1, 'sys-descr'),
  'sys-name': textTlv(2, 'sys-name'),
});

/** RFC 7854 §4.3. That sysDescr and sysName must be there is not checked. */
export const initiation: BmpSpec<Initiation> = {
  number: 4,
  decode: (body) => ({ type: 'initiation', tlvs: tlvs.decode(body) }),
  encode: (out, message) => tlvs.encode(out, message.tlvs),
  json: record<Initiation>({ type: constant('initiation'), tlvs: tlvs.json }),
  line: (message, context) => tlvs.line(message.tlvs, context),
};
