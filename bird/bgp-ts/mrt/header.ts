import { readU16, readU32 } from '../reader.ts';

/** Timestamp, type, subtype, length. RFC 6396 §2. */
export const MRT_HEADER_OCTETS = 12;
const LENGTH_AT = 8;

/** Types whose body begins with microseconds, and the plain type of each: BGP4MP, ISIS, OSPFv3. RFC 6396 §3, §4. */
const extendedTypes: ReadonlyMap<number, number> = new Map([
  [17, 16],
  [33, 32],
  [49, 48],
]);

/** Undefined for a type without microseconds. */
export const plainType = (type: number): number | undefined => extendedTypes.get(type);

/** Undefined for a type that has no _ET. */
export const extendedType = (plain: number): number | undefined =>
  [...extendedTypes].find(([, each]) => each === plain)?.[0];

export interface MrtHeader {
  readonly timestampSeconds: number;
  readonly type: number;
  readonly subtype: number;
  /** Without the header, with the microseconds. */
  readonly bodyOctets: number;
}

/** The header at `at`; the caller has seen that it is all there. */
export const readMrtHeader = (bytes: Uint8Array, at = 0): MrtHeader => ({
  timestampSeconds: readU32(bytes, at),
  type: readU16(bytes, at + 4),
  subtype: readU16(bytes, at + 6),
  bodyOctets: readU32(bytes, at + LENGTH_AT),
});
