import { randomUUID } from 'node:crypto';

/** What a new resource is marked with. A parameter, so that tests know what to expect. */
export interface Stamps {
  /** Milliseconds since 1970. */
  wallTime(): number;
  uid(): string;
}

export const systemStamps: Stamps = { wallTime: () => Date.now(), uid: () => randomUUID() };
