import { hex } from '../json/address.ts';
import type { RecordedSpec } from './spec.ts';
import { OPTIONAL, TRANSITIVE } from './spec.ts';

/**
 * Optional transitive attributes that are kept as bytes. What is inside is for whoever uses them; to judge it here would
 * withdraw routes for what only a tunnel endpoint far away must understand.
 */
const opaque = (name: string, code: number): RecordedSpec<Uint8Array> => ({
  name,
  code,
  flags: OPTIONAL | TRANSITIVE,
  onMalformed: 'attribute-discard',
  opaque: true,
  mayBeEmpty: true,
  json: hex(),
  decode: (value) => value.rest(),
  encode: (out, bytes) => out.bytes(bytes),
});

/** PMSI_TUNNEL, RFC 6514 §5. */
export const pmsiTunnel = opaque('PMSI_TUNNEL', 22);

/** TUNNEL_ENCAPSULATION, RFC 9012 §2. */
export const tunnelEncapsulation = opaque('TUNNEL_ENCAPSULATION', 23);
