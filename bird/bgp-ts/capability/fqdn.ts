import { constant, record, text } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { CapabilitySpec, Named } from './spec.ts';

const encoder = new TextEncoder();

/** draft-walton-bgp-hostname-capability: host name and domain name, each behind its length. For people only. */
export const fqdn: CapabilitySpec<Named<'fqdn'>> = {
  code: 73,
  onMalformed: 'keep',
  json: record<Named<'fqdn'>>({ name: constant('fqdn'), hostname: text, domain: text }),
  line: ({ hostname, domain }) => `host ${[hostname, domain].filter((part) => part !== '').join('.')}`,
  decode: (value) => ({ name: 'fqdn', hostname: textOf(value), domain: textOf(value) }),
  encode: (out, { hostname, domain }) => {
    for (const part of [hostname, domain]) out.prefixed(1, (content) => content.bytes(encoder.encode(part)));
  },
};

const textOf = (value: Reader): string => new TextDecoder().decode(value.take(value.u8()));
