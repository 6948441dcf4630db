import { constant, record, text } from '../json/codec.ts';
import { encodeUtf8 } from '../utf8.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** draft-abraitis-bgp-version-capability: a text behind its length. For people only. */
export const softwareVersion: CapabilitySpec<Named<'software-version'>> = {
  code: 75,
  onMalformed: 'keep',
  json: record<Named<'software-version'>>({ name: constant('software-version'), version: text }),
  line: ({ version }) => `software ${version}`,
  decode: (value) => ({ name: 'software-version', version: value.prefixedText() }),
  encode: (out, { version }) => out.prefixed(1, (content) => content.bytes(encodeUtf8(version))),
};
