import { nextHopText } from './next-hop-text.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import type { NextHopBytes } from './path-attributes.ts';
import type { RecordedSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

/** NEXT_HOP, RFC 4271 §5.1.3: where packets for the IPv4 prefixes of this UPDATE go. */
export const nextHop: RecordedSpec<NextHopBytes> = {
  name: 'NEXT_HOP',
  code: 3,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.3
  json: nextHopText,
  decode: (value, { ownRoutes }) => {
    const address = value.exactly(4).rest();
    if (!isHost(address, ownRoutes)) {
      throw new BgpError(`${address.join('.')} is not a host's address`, updateError.invalidNextHop);
    }
    return address;
  },
  encode: (out, address, { ownRoutes }) => {
    if (address.length !== 4) throw new Error(`NEXT_HOP holds 4 octets, not ${address.length}: use MP_REACH`);
    if (!isHost(address, ownRoutes)) throw new Error(`NEXT_HOP ${address.join('.')} is not a host's address`);
    out.bytes(address);
  },
};

/** RFC 4271 §6.3: "a valid IP host address". Whether loopback or reserved ones are wanted is for policy to say. */
const isHost = (address: NextHopBytes, ownRoutes: boolean | undefined): boolean =>
  (address[0]! & 0xf0) !== 0xe0 && (ownRoutes === true || address.some((octet) => octet !== 0));
