import { InvalidValueError } from './invalid.ts';

/** Parses a 32-bit AS number, plain (`64512`) or dotted (`1.10`). AS 0 is refused, RFC 7607. Throws InvalidValueError. */
export function parseAsn(value: string | number, field = 'asNumber'): number {
  const match = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(String(value));
  const high = Number(match?.[1] ?? 0);
  const low = Number(match?.[2] ?? NaN);
  const asn = match?.[1] === undefined ? low : high * 65536 + low;
  if (match === null || asn > 0xffff_ffff || asn < 1 || high > 65535 || (match[1] !== undefined && low > 65535)) {
    throw new InvalidValueError(field, value, 'is not an AS number between 1 and 4294967295');
  }
  return asn;
}
