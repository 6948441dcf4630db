import { constant, record, text } from '../json/codec.ts';
import { encodeUtf8 } from '../utf8.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** draft-walton-bgp-hostname-capability: host name and domain name, each behind its length. For people only. */
export const fqdn: CapabilitySpec<Named<'fqdn'>> = {
  code: 73,
  onMalformed: 'keep',
  json: record<Named<'fqdn'>>({ name: constant('fqdn'), hostname: text, domain: text }),
  line: ({ hostname, domain }) => `host ${[hostname, domain].filter((part) => part !== '').join('.')}`,
  decode: (value) => ({ name: 'fqdn', hostname: value.prefixedText(), domain: value.prefixedText() }),
  encode: (out, { hostname, domain }) => {
    for (const part of [hostname, domain]) out.prefixed(1, (content) => content.bytes(encodeUtf8(part)));
  },
};
