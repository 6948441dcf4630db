import { BgpError } from '../error.ts';
import { routeRefreshError } from '../iana.ts';
import type { MessageCodec } from './codec.ts';
import type { RouteRefresh } from './message.ts';
import { copyOf } from '../reader.ts';

/** RFC 7313 §3.2. */
const subtypes = ['request', 'begin', 'end'] as const;

/** RFC 2918 §3: AFI, an octet that RFC 7313 made the subtype, SAFI. */
export const routeRefresh: MessageCodec<RouteRefresh> = {
  decode: (body) => {
    const known = body.left > 2 && body.bytes[body.at + 2]! < subtypes.length;
    if (body.left < 4 || (known && body.left > 4)) {
      // RFC 7313 §5: the data is the whole message. What has a subtype nobody knows is ignored, whatever its length.
      throw new BgpError(
        `ROUTE-REFRESH body length ${body.left} is not 4`,
        routeRefreshError.invalidLength,
        copyOf(body.bytes),
      );
    }
    const afi = body.u16();
    const octet = body.u8();
    const safi = body.u8();
    body.rest();
    return { type: 'route-refresh', family: { afi, safi }, subtype: subtypes[octet] ?? octet };
  },
  encode: (out, { family, subtype }) => {
    out.u16(family.afi);
    out.u8(typeof subtype === 'number' ? subtype : subtypes.indexOf(subtype));
    out.u8(family.safi);
  },
};
