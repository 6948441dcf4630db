import { InvalidValueError } from './invalid.ts';

/** RFC 1997 as one number with the AS in its high half, RFC 8092 as three numbers. */
export type Community = number | readonly [number, number, number];

/** Parses `65000:100` or `65000:1:2`. Throws InvalidValueError. */
export function parseCommunity(text: string, field = 'community'): Community {
  const parts = /^\d{1,10}(:\d{1,10}){1,2}$/.test(text) ? text.split(':').map(Number) : [];
  const [first = 0, second = 0, third] = parts;
  const limit = third === undefined ? 0xffff : 0xffff_ffff;
  if (parts.length === 0 || parts.some((part) => part > limit)) {
    throw new InvalidValueError(
      field,
      text,
      'is not a community: aa:nn with parts up to 65535, or aa:nn:mm with parts up to 4294967295',
    );
  }
  return third === undefined ? first * 65_536 + second : [first, second, third];
}
