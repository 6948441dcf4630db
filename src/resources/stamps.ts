import { randomUUID } from 'node:crypto';
import { systemClock } from '../runtime/clock.ts';

/** What a new resource is marked with. A parameter, so that tests know what to expect. */
export interface Stamps {
  /** Milliseconds since 1970. */
  wallTime(): number;
  uid(): string;
}

export const systemStamps: Stamps = { wallTime: () => systemClock.wallTime(), uid: () => randomUUID() };
