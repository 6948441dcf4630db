/** BGP communities as an engineer writes them: also by their well-known names. Pure. */
import { wellKnownCommunities } from '../../bird/index.ts';
import { readCommunity } from '../model/community.ts';
import type { Community, LargeCommunity } from '../model/community.ts';
import { InvalidValueError } from '../model/invalid.ts';

const VALUES: ReadonlyMap<string, number> = new Map(
  Object.entries(wellKnownCommunities).map(([name, { value }]) => [name, value]),
);

export const WELL_KNOWN_NAMES: readonly string[] = [...VALUES.keys()];

/** `64512:100`, or a well-known name in any case, with `_` or `-`. Throws InvalidValueError. */
export function parseStandardCommunity(text: string): number {
  const found = VALUES.get(text.toUpperCase().replaceAll('-', '_')) ?? readCommunity(text);
  if (typeof found === 'number') return found;
  const reason =
    found === undefined
      ? `is neither a community such as 64512:100, two numbers up to 65535, nor one of ${WELL_KNOWN_NAMES.join(', ')}`
      : 'is a large community; here belongs a standard one such as 64512:100';
  throw new InvalidValueError('community', text, reason);
}

/** `64512:1:2`. Throws InvalidValueError. */
export function parseLargeCommunity(text: string): LargeCommunity {
  const found = readCommunity(text);
  if (typeof found === 'object') return found;
  throw new InvalidValueError(
    'community',
    text,
    'is not a large community such as 64512:1:2, three numbers up to 4294967295',
  );
}

/** Either of the two. Throws InvalidValueError. */
export const parseAnyCommunity = (text: string): Community =>
  text.split(':').length === 3 ? parseLargeCommunity(text) : parseStandardCommunity(text);
