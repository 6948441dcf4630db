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
}

/** The capabilities that are there or not: a code and no value. */
export function flagCapability<T extends Capability>(code: number, capability: T): CapabilitySpec<T> {
  return { code, onMalformed: 'keep', decode: () => capability, encode: () => undefined };
}

export type Named<N extends Capability['name']> = Extract<Capability, { readonly name: N }>;
