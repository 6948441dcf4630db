/** The kinds of values that stand in the configuration of a speaker: each reads its text, and has a place in the JSON schema. */
import * as z from 'zod';
import { parseAsn } from '../model/asn.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { parseIpAddress, parsePrefix } from '../model/ip.ts';
import { nearest } from '../model/nearest.ts';
import { parseAnyCommunity, parseLargeCommunity, parseStandardCommunity } from './communities.ts';

/** An object of known keys; an unknown one is refused, one line of the message for each, with the key that was meant. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => notKnown(key, names)).join('\n') : undefined,
  });
}

const notKnown = (key: string, names: readonly string[]): string => `is not known here${didYouMean(key, names)}`;

/** `; did you mean "holdSeconds"?`, or nothing where no name is near. */
export function didYouMean(word: string, names: readonly string[]): string {
  const folded = names.find((name) => name.toLowerCase() === word.toLowerCase());
  const meant = folded ?? nearest(word, names, Math.max(1, Math.floor(word.length / 4)));
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

export function wholeNumber(min: number, max: number) {
  const error = `is not a whole number between ${min} and ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A text that `read` understands, and what such a text looks like, for the JSON schema. */
const like = <T>(example: string, read: (value: string) => T) =>
  z
    .string()
    .meta({ examples: [example] })
    .transform((value, ctx) => readOr(() => read(value), ctx));

/** What `read` refuses with InvalidValueError becomes a problem of the field. */
function readOr<T>(read: () => T, ctx: z.RefinementCtx): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    ctx.addIssue({ code: 'custom', message: error.reason });
    return z.NEVER;
  }
}

/** Decimal or dotted. Dotted without quotes is a fraction to YAML, and 1.10 the same as 1.1. */
export const asn = z
  .union([z.number(), z.string()])
  .meta({ type: ['integer', 'string'], examples: [64512, '1.10'] })
  .transform((value, ctx) =>
    readOr(() => {
      if (typeof value === 'string' || Number.isInteger(value)) return parseAsn(value);
      throw new InvalidValueError('', value, 'is not an AS number; a dotted one needs quotes');
    }, ctx),
  );

export const ipAddress = like('10.0.0.1', (value) => parseIpAddress(value));

export const prefix = like('203.0.113.0/24', (value) => parsePrefix(value));

/** RFC 6286 §2.1: any number but zero; written as an address. */
export const dottedQuad = like('10.0.0.1', (value) => {
  const octets = /^\d{1,3}(\.\d{1,3}){3}$/.test(value) ? value.split('.').map(Number) : [];
  const word = octets.reduce((sum, octet) => (octet > 255 ? NaN : sum * 256 + octet), 0);
  if (word > 0) return word;
  throw new InvalidValueError('', value, 'is not four numbers with dots such as 10.0.0.1, other than 0.0.0.0');
});

/** An address of the peer; a link-local one with its interface: `fe80::1%eth0`. */
export const peerAddress = like('10.0.0.2', (value) => {
  const [address = '', link, ...rest] = value.split('%');
  if (rest.length > 0 || link === '') throw new InvalidValueError('', value, 'is not an IP address');
  return { address: parseIpAddress(address), ...(link === undefined ? {} : { interface: readInterface(link) }) };
});

export const interfaceName = like('eth0', readInterface);

/** IFNAMSIZ in if.h, less the zero at its end. */
function readInterface(value: string): string {
  if (/^[^\s\p{Cc}/%:]{1,15}$/u.test(value) && octets(value) <= 15) return value;
  throw new InvalidValueError('', value, 'is not the name of an interface');
}

/** TCP_MD5SIG_MAXKEYLEN, tcp(7). */
const MAX_PASSWORD_OCTETS = 80;

/** Throws InvalidValueError, which has not the password. */
export function checkPassword(text: string): string {
  if (text === '') throw new InvalidValueError('password', '***', 'is empty');
  if (octets(text) <= MAX_PASSWORD_OCTETS) return text;
  throw new InvalidValueError(
    'password',
    '***',
    `has more than ${MAX_PASSWORD_OCTETS} octets, which TCP MD5 cannot take`,
  );
}

/** RFC 2385. */
export const password = z.string().transform((value, ctx) => readOr(() => checkPassword(value), ctx));

const octets = (text: string): number => new TextEncoder().encode(text).length;

export const community = like('64512:100', parseStandardCommunity);
export const largeCommunity = like('64512:1:2', parseLargeCommunity);
export const anyCommunity = like('64512:100', parseAnyCommunity);

const NAME = /^[A-Za-z][\w.-]{0,62}$/;

export const isName = (text: string): boolean => NAME.test(text);

/** What filters and templates are called. */
export const name = z.string().regex(NAME, 'is not a name: a letter, then letters, digits, ".", "_" or "-"');

export const family = z.enum(['ipv4', 'ipv6']).transform((value) => (value === 'ipv4' ? 4 : 6));

/** RFC 9003 and the length of a line that people still read. */
export const shortText = z.string().min(1, 'is empty').max(255, 'has more than 255 characters');
