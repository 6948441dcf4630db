import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import type { NextHopBytes } from './path-attributes.ts';
import type { AttributeSpec } from './spec.ts';
import { TRANSITIVE } from './spec.ts';

/** NEXT_HOP, RFC 4271 §5.1.3: where packets for the IPv4 prefixes of this UPDATE go. */
export const nextHop: AttributeSpec<NextHopBytes> = {
  name: 'NEXT_HOP',
  code: 3,
  flags: TRANSITIVE,
  onMalformed: 'treat-as-withdraw', // RFC 7606 §7.3
  decode: (value) => {
    const address = value.exactly(4).rest();
    const first = address[0]!;
    // Syntactically correct is "a valid IP host address", RFC 4271 §6.3: not this host, loopback, multicast, reserved.
    if (address.every((octet) => octet === 0) || first === 127 || first >= 224) {
      throw new BgpError(`${address.join('.')} is not a host's address`, updateError.invalidNextHop);
    }
    return address;
  },
  encode: (out, address) => {
    if (address.length !== 4) throw new Error(`NEXT_HOP holds 4 octets, not ${address.length}: use MP_REACH`);
    out.bytes(address);
  },
};
