import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { hex } from '../json/address.ts';
import { list, record, u8 } from '../json/codec.ts';
import { readU32 } from '../reader.ts';
import type { AigpTlv, PathAttributes } from './path-attributes.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL } from './spec.ts';

const METRIC = 1;
const METRIC_OCTETS = 8;
/** Type and length, which the length counts. */
const HEADER_OCTETS = 3;
const UNREACHABLE = 0xffff_ffff_ffff_ffffn;

/** AIGP, RFC 7311 §3: the metric gathered from IGP to IGP; other TLVs are kept. Whether a session may have it is the speaker's to say. */
export const aigp: RecordedSpec<readonly AigpTlv[]> = {
  name: 'AIGP',
  code: 26,
  flags: OPTIONAL,
  onMalformed: 'attribute-discard', // RFC 7311 §3.2
  onFlags: 'attribute-discard', // RFC 7311 §3.2
  json: list(record<AigpTlv>({ type: u8, value: hex() })),
  line: (tlvs) => String(metricOf(tlvs) ?? 'none'),
  decode: (value) => {
    const tlvs: AigpTlv[] = [];
    while (value.left > 0) {
      const type = value.u8();
      const octets = value.u16() - HEADER_OCTETS;
      if (octets < 0 || (type === METRIC && octets !== METRIC_OCTETS)) {
        throw new BgpError(`TLV ${type} of ${octets + HEADER_OCTETS} octets`, updateError.optionalAttribute);
      }
      tlvs.push({ type, value: value.take(octets) });
    }
    if (metricOf(tlvs) === UNREACHABLE) throw new BgpError('the metric is 2^64 - 1', updateError.optionalAttribute);
    return tlvs;
  },
  encode: (out, tlvs) => {
    if (metricOf(tlvs) === UNREACHABLE) throw new Error('an AIGP metric of 2^64 - 1 is malformed');
    for (const { type, value } of tlvs) {
      if (type === METRIC && value.length !== METRIC_OCTETS) throw new Error('an AIGP metric has 8 octets');
      out.u8(type);
      out.u16(value.length + HEADER_OCTETS);
      out.bytes(value);
    }
  },
};

/** The accumulated metric: that of the first TLV of type 1; undefined where there is none. RFC 7311 §3. */
export const aigpMetric = ({ aigp: tlvs }: PathAttributes): bigint | undefined => metricOf(tlvs ?? []);

function metricOf(tlvs: readonly AigpTlv[]): bigint | undefined {
  const first = tlvs.find(({ type, value }) => type === METRIC && value.length === METRIC_OCTETS);
  return first === undefined ? undefined : (BigInt(readU32(first.value, 0)) << 32n) | BigInt(readU32(first.value, 4));
}
