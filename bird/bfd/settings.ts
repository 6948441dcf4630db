import { InvalidValueError } from '../../src/model/invalid.ts';
import { isIpv6LinkLocal } from '../../src/model/ip.ts';
import type { BfdSessionSettings } from './contract.ts';
import { sessionKey } from './name.ts';

/** Below this no JavaScript is on time. */
const SHORTEST_MS = 10;
const LONGEST_MS = 60_000;
const MAX_MULTIPLIER = 255;

/** By name; of two with one name the one that detects faster. Throws InvalidValueError. */
export function sessionsByKey(sessions: readonly BfdSessionSettings[]): ReadonlyMap<string, BfdSessionSettings> {
  const byKey = new Map<string, BfdSessionSettings>();
  for (const settings of sessions) {
    check(settings);
    const key = sessionKey(settings);
    const present = byKey.get(key);
    if (present === undefined || slowness(settings) < slowness(present)) byKey.set(key, settings);
  }
  return byKey;
}

const slowness = ({ receiveMs, multiplier }: BfdSessionSettings): number => receiveMs * multiplier;

function check(settings: BfdSessionSettings): void {
  const field = (name: string): string => `bfd.${name} of peer ${sessionKey(settings)}`;
  for (const name of ['transmitMs', 'receiveMs'] as const) {
    const value = settings[name];
    if (!(value >= SHORTEST_MS && value <= LONGEST_MS)) {
      throw new InvalidValueError(field(name), value, `is not between ${SHORTEST_MS} and ${LONGEST_MS}`);
    }
  }
  const { multiplier } = settings;
  if (!Number.isInteger(multiplier) || multiplier < 1 || multiplier > MAX_MULTIPLIER) {
    throw new InvalidValueError(field('multiplier'), multiplier, `is no whole number between 1 and ${MAX_MULTIPLIER}`);
  }
  if (isIpv6LinkLocal(settings.address) && settings.interface === undefined) {
    throw new InvalidValueError(field('interface'), '', 'is needed for a link-local address');
  }
  if (settings.localAddress !== undefined && settings.localAddress.family !== settings.address.family) {
    throw new InvalidValueError(field('localAddress'), settings.localAddress.family, "is not of the peer's family");
  }
}
