import { BgpError } from '../error.ts';
import { routeRefreshError } from '../iana.ts';
import type { MessageCodec } from './codec.ts';
import type { RouteRefresh } from './message.ts';
import { copyOf } from '../reader.ts';

/** RFC 7313 §3.2. */
const subtypes: readonly RouteRefresh['subtype'][] = ['request', 'begin', 'end'];

/** RFC 2918 §3: AFI, an octet that RFC 7313 made the subtype, SAFI. */
export const routeRefresh: MessageCodec<RouteRefresh> = {
  decode: (body) => {
    if (body.left !== 4) {
      // RFC 7313 §5: the data is the whole message.
      throw new BgpError(
        `ROUTE-REFRESH body length ${body.left} is not 4`,
        routeRefreshError.invalidLength,
        copyOf(body.bytes),
      );
    }
    const afi = body.u16();
    const subtype = subtypes[body.u8()] ?? 'unknown';
    return { type: 'route-refresh', family: { afi, safi: body.u8() }, subtype };
  },
  encode: (out, { family, subtype }) => {
    if (subtype === 'unknown') throw new Error('a ROUTE-REFRESH of unknown subtype cannot be written');
    out.u16(family.afi);
    out.u8(subtypes.indexOf(subtype));
    out.u8(family.safi);
  },
};
