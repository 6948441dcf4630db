import type { JsonCodec } from '../json/codec.ts';
import { constant, record } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { Capability } from './capability.ts';

/** One row of the capability table: the codec of one capability's value, RFC 5492 §4. */
export interface CapabilitySpec<T extends Capability> {
  readonly code: number;
  /** `refuse`: the OPEN is answered with 2/0. `keep`: it is kept as an unknown one, and the session goes on. */
  readonly onMalformed: 'refuse' | 'keep';
  /** All of `value`; what is left over is malformed. Throws BgpError. */
  decode(value: Reader): T;
  encode(out: Writer, capability: T): void;
  readonly json: JsonCodec<T>;
  /** For the readable line; default: its name. */
  line?(capability: T): string;
}

/** The capabilities that are there or not: a code and no value. */
export function flagCapability<N extends Capability['name']>(
  code: number,
  capability: Named<N> & { readonly name: N },
): CapabilitySpec<Named<N>> {
  const json = record<{ readonly name: string }>({ name: constant(capability.name) }) as unknown as JsonCodec<Named<N>>;
  return { code, onMalformed: 'keep', decode: () => capability, encode: () => undefined, json };
}

export type Named<N extends Capability['name']> = Extract<Capability, { readonly name: N }>;
