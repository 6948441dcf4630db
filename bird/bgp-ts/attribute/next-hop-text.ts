import { formatAddress, formatHex, parseAddress, parseHex } from '../json/address.ts';
import { formatRouteDistinguisher, parseRouteDistinguisher } from '../json/administered.ts';
import type { JsonCodec } from '../json/codec.ts';
import { written } from '../json/codec.ts';
import type { NextHopBytes } from './path-attributes.ts';

/** What stands in a next hop of so many octets: addresses, in VPN families each behind a route distinguisher. */
const layouts: Readonly<Record<number, readonly number[]>> = {
  4: [4],
  12: [8, 4],
  16: [16],
  24: [8, 16],
  32: [16, 16],
  48: [8, 16, 8, 16],
};
const RD_OCTETS = 8;
/** `0x` and the digits of 255 octets. */
const MAX_TEXT = 2 + 2 * 255;

/** `192.0.2.1`, `2001:db8::1 fe80::1`, `0:0 192.0.2.1`; any other length is `0x` and hex digits. */
export function formatNextHop(nextHop: NextHopBytes): string {
  const parts = layouts[nextHop.length];
  if (parts === undefined) return `0x${formatHex(nextHop)}`;
  let at = 0;
  return parts
    .map((octets) => {
      const part = nextHop.slice(at, (at += octets));
      return octets === RD_OCTETS ? formatRouteDistinguisher(part) : formatAddress(part);
    })
    .join(' ');
}

/** The opposite; undefined where the text is none of these. */
export function parseNextHop(text: string): NextHopBytes | undefined {
  if (text.length > MAX_TEXT) return undefined;
  if (text.startsWith('0x') && !text.includes(' ')) {
    const bytes = parseHex(text.slice(2));
    return bytes !== undefined && layouts[bytes.length] === undefined ? bytes : undefined;
  }
  const parts = text.split(' ').map((word) => parseRouteDistinguisher(word) ?? parseAddress(word));
  const lengths = parts.map((part) => part?.length).join();
  const fits = Object.values(layouts).some((layout) => layout.join() === lengths);
  return fits ? Uint8Array.from(parts.flatMap((part) => [...(part ?? [])])) : undefined;
}

export const nextHopText: JsonCodec<NextHopBytes> = written('a next hop', formatNextHop, parseNextHop);
