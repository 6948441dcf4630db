/** Where in the life of a session it is sent. */
export type Moment = 'in place of the OPEN' | 'after the OPENs' | 'in the session';

export type Reaction =
  /** Code and subcode; `data` in hex where the RFC fixes it. The session ends, and its routes are withdrawn. */
  | { readonly do: 'NOTIFICATION'; readonly code: string; readonly data?: string }
  /** The session ends without a NOTIFICATION. */
  | { readonly do: 'hang up' }
  /** The session comes up. */
  | { readonly do: 'establish' }
  /** The session stays; the route that stood is withdrawn. */
  | { readonly do: 'withdraw' }
  /** The session stays, and so does the route as it was. */
  | { readonly do: 'ignore' }
  /** The session stays; the route has the new attributes. These of unknown codes go on, `code/flags value`, and no others. */
  | { readonly do: 'accept'; readonly forwards?: readonly string[]; readonly lacks?: readonly string[] };

export interface HostileInput {
  readonly number: number;
  readonly name: string;
  readonly when: Moment;
  readonly octets: Uint8Array;
  readonly reaction: Reaction;
  readonly departs?: string;
}

/** The prefix of the good UPDATE in front and of every bad one. */
export const PREFIX = '198.51.100.0/24';

/** A row without its moment, which a whole list has in common. */
export type Row = Omit<HostileInput, 'when'>;
