import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** Writes bytes. Throws a plain Error where there are not `octets` of them. */
export function writeExactly(out: Writer, octets: number, [what, value]: readonly [string, Uint8Array]): void {
  if (value.length !== octets) throw new Error(`${what} has ${value.length} octets, not ${octets}`);
  out.bytes(value);
}

export const readU64 = (value: Reader): bigint => (BigInt(value.u32()) << 32n) | BigInt(value.u32());

/** Throws a plain Error where `value` is no unsigned number of 64 bits. */
export function writeU64(out: Writer, [what, value]: readonly [string, bigint]): void {
  if (BigInt.asUintN(64, value) !== value) throw new Error(`${what} ${value.toString()} does not fit 8 octets`);
  out.u32(Number(value >> 32n));
  out.u32(Number(value & 0xffff_ffffn));
}
