import { BgpError } from '../error.ts';

/** What is wrong, in one clause for people: `peer-up: 4 octets wanted, 2 left`. */
export interface BmpMalformed {
  readonly kind: 'malformed';
  readonly text: string;
}

/** BMP answers nothing, so the code that a NOTIFICATION would have stays empty: only the text is used. */
export const NO_CODE = [0, 0] as const;

export const malformed = (text: string): BgpError => new BgpError(text, NO_CODE);

/** What `work` gives, or the fault it threw as a value. */
export function asResult<T>(work: () => T): T | BmpMalformed {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return { kind: 'malformed', text: error.text };
  }
}
