import { constant, record, u8 } from '../json/codec.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/** RFC 9234 §4.1, by number. */
const roleNames = ['provider', 'route server', 'route server client', 'customer', 'peer'];

/** RFC 9234 §4.1: provider 0, route server 1, its client 2, customer 3, peer 4. */
export const role: CapabilitySpec<Named<'role'>> = {
  code: 9,
  onMalformed: 'refuse',
  json: record<Named<'role'>>({ name: constant('role'), role: u8 }),
  line: (capability) => `role ${roleNames[capability.role] ?? String(capability.role)}`,
  decode: (value) => ({ name: 'role', role: value.exactly(1).u8() }),
  encode: (out, capability) => out.u8(capability.role),
};
