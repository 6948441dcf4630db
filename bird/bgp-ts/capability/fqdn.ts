import type { Reader } from '../reader.ts';
import type { CapabilitySpec, Named } from './spec.ts';

const encoder = new TextEncoder();

/** draft-walton-bgp-hostname-capability: host name and domain name, each behind its length. For people only. */
export const fqdn: CapabilitySpec<Named<'fqdn'>> = {
  code: 73,
  onMalformed: 'keep',
  decode: (value) => ({ name: 'fqdn', hostname: text(value), domain: text(value) }),
  encode: (out, { hostname, domain }) => {
    for (const part of [hostname, domain]) out.prefixed(1, (content) => content.bytes(encoder.encode(part)));
  },
};

const text = (value: Reader): string => new TextDecoder().decode(value.take(value.u8()));
