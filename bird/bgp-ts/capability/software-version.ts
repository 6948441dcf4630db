import { constant, record, text } from '../json/codec.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** draft-abraitis-bgp-version-capability: a text behind its length. For people only. */
export const softwareVersion: CapabilitySpec<Named<'software-version'>> = {
  code: 75,
  onMalformed: 'keep',
  json: record<Named<'software-version'>>({ name: constant('software-version'), version: text }),
  line: ({ version }) => `software ${version}`,
  decode: (value) => ({ name: 'software-version', version: new TextDecoder().decode(value.take(value.u8())) }),
  encode: (out, { version }) => out.prefixed(1, (content) => content.bytes(new TextEncoder().encode(version))),
};
