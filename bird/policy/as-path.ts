/** Questions about AS_PATHs, and copies of them with something changed. Pure. RFC 4271 §5.1.2, RFC 5065. */
import type { AsSegment } from '../wire.ts';

type AsPath = readonly AsSegment[];

/** RFC 4271 §4.3: the count of a segment is one octet. */
const MAX_SEGMENT_ASNS = 255;

/** Into the first sequence, or a new one where that is full or is a set. */
export function prependAsn([first, ...rest]: AsPath, asn: number): AsPath {
  if (first === undefined) return [{ type: 'sequence', asns: [asn] }];
  if (first.type !== 'sequence' || first.asns.length >= MAX_SEGMENT_ASNS) {
    return [{ type: 'sequence', asns: [asn] }, first, ...rest];
  }
  return [{ type: 'sequence', asns: [asn, ...first.asns] }, ...rest];
}

/** The first of `asns` becomes the nearest. */
export const prependAsns = (path: AsPath, asns: readonly number[]): AsPath => asns.reduceRight(prependAsn, path);

/** Whether the path begins with these, nearest first; a set is nobody's beginning. */
export function startsWithAsns(path: AsPath, asns: readonly number[]): boolean {
  const flat = path.flatMap(({ type, asns: own }) => (type === 'sequence' ? own : [Number.NaN]));
  return asns.every((asn, i) => flat[i] === asn);
}

/** The AS that the route came from; a set names none. */
export function firstAsnOf([first]: AsPath): number | undefined {
  return first?.type === 'sequence' ? first.asns[0] : undefined;
}

export function countAsn(path: AsPath, asn: number): number {
  let count = 0;
  for (const { asns } of path) for (const one of asns) if (one === asn) count++;
  return count;
}

export function countAsns(path: AsPath): number {
  let count = 0;
  for (const { asns } of path) count += asns.length;
  return count;
}

/** What an external peer may see: confederations are no business of theirs, RFC 5065 §4.1. */
export const withoutConfederations = (path: AsPath): AsPath =>
  path.filter(({ type }) => type === 'set' || type === 'sequence');

/** RFC 6996 §5. */
export const isPrivateAsn = (asn: number): boolean =>
  (asn >= 64_512 && asn <= 65_534) || (asn >= 4_200_000_000 && asn <= 4_294_967_294);

/** Segments that are left empty go too: RFC 7606 §7.2 makes them malformed. */
export const withoutPrivateAsns = (path: AsPath, kept: number): AsPath =>
  path
    .map(({ type, asns }) => ({ type, asns: asns.filter((asn) => asn === kept || !isPrivateAsn(asn)) }))
    .filter(({ asns }) => asns.length > 0);

export const replaceAsn = (path: AsPath, asn: number, by: number): AsPath =>
  path.map(({ type, asns }) => ({ type, asns: asns.map((one) => (one === asn ? by : one)) }));
