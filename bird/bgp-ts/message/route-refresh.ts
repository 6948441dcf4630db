import { BgpError } from '../error.ts';
import { routeRefreshError } from '../iana.ts';
import type { MessageCodec } from './codec.ts';
import type { RouteRefresh } from './message.ts';
import { copyOf, readU16 } from '../reader.ts';

/** RFC 7313 §3.2. */
const subtypes = ['request', 'begin', 'end'] as const;

/**
 * RFC 2918 §3: AFI, an octet that RFC 7313 made the subtype, SAFI; behind them outbound route filters (RFC 5291), which
 * are kept as bytes, or whatever belongs to a subtype that has no name.
 */
export const routeRefresh: MessageCodec<RouteRefresh> = {
  decode: (body) => {
    const octets = body.left;
    const wrongLength = (): BgpError =>
      // RFC 7313 §5: the data is the whole message. What has a subtype nobody knows is ignored, whatever its length.
      new BgpError(`ROUTE-REFRESH body length ${octets} is not 4`, routeRefreshError.invalidLength, copyOf(body.bytes));
    if (octets < FIXED_OCTETS) throw wrongLength();
    const afi = body.u16();
    const octet = body.u8();
    const safi = body.u8();
    const data = body.rest();
    const subtype = subtypes[octet] ?? octet;
    if (data.length > 0 && !mayHaveData(subtype, data)) throw wrongLength();
    return { type: 'route-refresh', family: { afi, safi }, subtype, ...(data.length > 0 && { data }) };
  },
  encode: (out, { family, subtype, data = new Uint8Array() }) => {
    if (typeof subtype === 'number' && subtype < subtypes.length) throw new Error(`subtype ${subtype} has a name`);
    if (data.length > 0 && !mayHaveData(subtype, data)) throw new Error(`a ROUTE-REFRESH ${subtype} has no such data`);
    out.u16(family.afi);
    out.u8(typeof subtype === 'number' ? subtype : subtypes.indexOf(subtype));
    out.u8(family.safi);
    out.bytes(data);
  },
};

const FIXED_OCTETS = 4;

const mayHaveData = (subtype: RouteRefresh['subtype'], data: Uint8Array): boolean =>
  typeof subtype === 'number' || (subtype === 'request' && isFilterList(data));

/** When-to-refresh, then filters: type, length in two octets, value; they fill the message exactly. RFC 5291 §5. */
function isFilterList(data: Uint8Array): boolean {
  let at = 1;
  while (at + 3 <= data.length) at += 3 + readU16(data, at + 1);
  return at > 1 && at === data.length;
}
