import type { CapabilitySpec, Named } from './spec.ts';

/** draft-abraitis-bgp-version-capability: a text behind its length. For people only. */
export const softwareVersion: CapabilitySpec<Named<'software-version'>> = {
  code: 75,
  onMalformed: 'keep',
  decode: (value) => ({ name: 'software-version', version: new TextDecoder().decode(value.take(value.u8())) }),
  encode: (out, { version }) => out.prefixed(1, (content) => content.bytes(new TextEncoder().encode(version))),
};
