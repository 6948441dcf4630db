import { InvalidValueError } from './invalid.ts';

/** RFC 8092: an AS number, and two numbers that it gives a meaning to. */
export type LargeCommunity = readonly [number, number, number];

/** RFC 1997 as one number with the AS in its high half, or RFC 8092. */
export type Community = number | LargeCommunity;

/** `65000:100` or `65000:1:2`; undefined where it is neither. */
export function readCommunity(text: string): Community | undefined {
  if (!/^\d{1,10}(:\d{1,10}){1,2}$/.test(text)) return undefined;
  const [first = 0, second = 0, third] = text.split(':').map(Number);
  if (Math.max(first, second, third ?? 0) > (third === undefined ? 0xffff : 0xffff_ffff)) return undefined;
  return third === undefined ? first * 0x1_0000 + second : [first, second, third];
}

/** Throws InvalidValueError. */
export function parseCommunity(text: string, field = 'community'): Community {
  const found = readCommunity(text);
  if (found !== undefined) return found;
  throw new InvalidValueError(
    field,
    text,
    'is not a community: aa:nn with parts up to 65535, or aa:nn:mm with parts up to 4294967295',
  );
}
