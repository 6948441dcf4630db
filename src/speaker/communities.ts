/** BGP communities as an engineer writes them. Pure. */
import type { CommunityValue } from '../../bird/index.ts';
import { InvalidValueError } from '../model/invalid.ts';

/** RFC 1997, 3765, 7611, 7999, 8326, 9494. */
const WELL_KNOWN = new Map<string, number>([
  ['GRACEFUL_SHUTDOWN', 0xffff_0000],
  ['ACCEPT_OWN', 0xffff_0001],
  ['LLGR_STALE', 0xffff_0006],
  ['NO_LLGR', 0xffff_0007],
  ['BLACKHOLE', 0xffff_029a],
  ['NO_EXPORT', 0xffff_ff01],
  ['NO_ADVERTISE', 0xffff_ff02],
  ['NO_EXPORT_SUBCONFED', 0xffff_ff03],
  ['NO_PEER', 0xffff_ff04],
]);

export const WELL_KNOWN_NAMES: readonly string[] = [...WELL_KNOWN.keys()];

/** `64512:100`, or a well-known name in any case, with `_` or `-`. Throws InvalidValueError. */
export function parseCommunity(text: string): number {
  const known = WELL_KNOWN.get(text.toUpperCase().replaceAll('-', '_'));
  if (known !== undefined) return known;
  const parts = numbers(text, 0xffff);
  if (parts?.length === 2) return parts[0]! * 0x1_0000 + parts[1]!;
  const isLarge = numbers(text, 0xffff_ffff)?.length === 3;
  const reason = isLarge
    ? 'is a large community; here belongs a standard one such as 64512:100'
    : `is neither a community such as 64512:100, two numbers up to 65535, nor one of ${WELL_KNOWN_NAMES.join(', ')}`;
  throw new InvalidValueError('community', text, reason);
}

/** `64512:1:2`. Throws InvalidValueError. */
export function parseLargeCommunity(text: string): readonly [number, number, number] {
  const [global, first, second, ...rest] = numbers(text, 0xffff_ffff) ?? [];
  if (global !== undefined && first !== undefined && second !== undefined && rest.length === 0) {
    return [global, first, second];
  }
  throw new InvalidValueError(
    'community',
    text,
    'is not a large community such as 64512:1:2, three numbers up to 4294967295',
  );
}

/** Either of the two. Throws InvalidValueError. */
export const parseAnyCommunity = (text: string): CommunityValue =>
  text.split(':').length === 3 ? parseLargeCommunity(text) : parseCommunity(text);

/** Decimal numbers with colons between; undefined where one of them is none, or too large. */
function numbers(text: string, max: number): readonly number[] | undefined {
  if (!/^\d{1,10}(:\d{1,10})*$/.test(text)) return undefined;
  const parts = text.split(':').map(Number);
  return parts.every((part) => part <= max) ? parts : undefined;
}
