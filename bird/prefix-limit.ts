/** How many prefixes a peer may announce, and what is to be done where it announces more. Pure. RFC 4486 §3. */
import type { PrefixLimit } from './settings.ts';
import type { IpFamily } from '../src/model/ip.ts';

/** In order: each is said once in a session, when the count first comes so far. */
export const LIMIT_STAGES = ['within', 'warning', 'exceeded'] as const;
export type LimitStage = (typeof LIMIT_STAGES)[number];

/** Every path that the peer announced counts, whatever import made of it; with ADD-PATH each of a prefix. */
export function limitStage({ maximum, warnPercent }: PrefixLimit, count: number): LimitStage {
  if (count > maximum) return 'exceeded';
  return count * 100 >= maximum * warnPercent ? 'warning' : 'within';
}

export const isLater = (stage: LimitStage, than: LimitStage): boolean =>
  LIMIT_STAGES.indexOf(stage) > LIMIT_STAGES.indexOf(than);

/** Whether a path may be used: one that counts already while there is room for all of them, another while there is more. */
export function fitsLimit({ maximum, action }: PrefixLimit, counted: number, isCounted: boolean): boolean {
  return action !== 'drop' || (isCounted ? counted <= maximum : counted < maximum);
}

/** `more than 1000 IPv4 prefixes, the rest is not used`. */
export function limitText(family: IpFamily, { maximum, warnPercent, action }: PrefixLimit, stage: LimitStage): string {
  if (stage !== 'exceeded')
    return `${warnPercent} percent of the ${maximum} IPv${family} prefixes that the peer may announce`;
  const consequence = { warn: '', drop: ', the rest is not used', shutdown: ', the session ends' }[action];
  return `more than the ${maximum} IPv${family} prefixes that the peer may announce${consequence}`;
}

/** The data of Cease 6/1: AFI, SAFI unicast, and the limit. RFC 4486 §4. */
export const limitOctets = (family: IpFamily, { maximum }: PrefixLimit): Uint8Array =>
  Uint8Array.of(0, family === 4 ? 1 : 2, 1, maximum >>> 24, maximum >>> 16, maximum >>> 8, maximum);
