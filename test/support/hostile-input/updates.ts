import { updateFrame } from '../bgp-bytes.ts';

/** PREFIX as octets. */
export const NLRI = '18 c63364';

/** ORIGIN egp, where the good UPDATE has igp: so one can see that an UPDATE was taken. */
export const ORIGIN = '400101 01';
export const AS_PATH = '400206 0201 0000fde9';
export const NEXT_HOP = '400304 c0000201';
export const GOOD = [ORIGIN, AS_PATH, NEXT_HOP].join('');

/** The good UPDATE but for what is added to its attributes. */
export const withAttribute = (attribute: string): Uint8Array =>
  updateFrame({ attributes: GOOD + attribute, nlri: NLRI });
export const withAttributes = (...attributes: readonly string[]): Uint8Array =>
  updateFrame({ attributes: attributes.join(''), nlri: NLRI });

/** The header of a message, and nothing behind it. */
export const header = (length: number, type: number): Uint8Array =>
  Uint8Array.from([...Array<number>(16).fill(0xff), length >>> 8, length & 0xff, type]);
