import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { formatPrefix } from '../json/address.ts';
import { formatRouteDistinguisher, routeDistinguisher } from '../json/administered.ts';
import { list, optional, record, u32 } from '../json/codec.ts';
import { decodeLabels, encodeLabels, formatLabels, labelFields, labelNumber } from './labeled.ts';
import type { VpnNlri } from './nlri.ts';
import type { InJson } from './prefix.ts';
import { decodeBits, encodeBits, prefixText, withPathId } from './prefix.ts';
import type { NlriSpec } from './spec.ts';

const RD_OCTETS = 8;

/** Labels, a route distinguisher and a prefix, all counted in the length. RFC 4364 §4.3.4, RFC 4659 §3.2. */
export const vpn: NlriSpec<VpnNlri> = {
  decode: (value, pathId, shape) => {
    const reserved = RD_OCTETS * 8;
    const { labels, bitsLeft } = decodeLabels(value, value.u8(), shape, reserved);
    if (bitsLeft < reserved) {
      throw new BgpError(`${bitsLeft} bits leave no room for a route distinguisher`, updateError.invalidNetworkField);
    }
    const distinguisher = value.take(RD_OCTETS);
    const bits = decodeBits(value, bitsLeft - reserved, shape.bits);
    return { pathId, ...bits, labels, routeDistinguisher: distinguisher };
  },
  encode: (out, entry, shape) => {
    const fields = labelFields(entry, shape, RD_OCTETS * 8);
    out.u8((fields.length * 3 + RD_OCTETS) * 8 + entry.length, 'the length of labels, route distinguisher and prefix');
    encodeLabels(out, fields);
    out.exactly(entry.routeDistinguisher, RD_OCTETS, 'a route distinguisher');
    encodeBits(out, entry, shape.bits);
  },
  json: (bits) =>
    withPathId(
      record<InJson<VpnNlri>>({
        pathId: optional(u32),
        routeDistinguisher,
        labels: list(labelNumber),
        prefix: prefixText(bits),
      }),
    ),
  format: (entry) =>
    `${formatRouteDistinguisher(entry.routeDistinguisher)} ${formatPrefix(entry.words, entry.length)}${formatLabels(entry.labels)}`,
};
