/** What the receiver of a malformed UPDATE must do, mildest first. RFC 7606 §2. */
export type Remedy = 'attribute-discard' | 'treat-as-withdraw' | 'afi-safi-disable' | 'session-reset';

export const remedies: readonly Remedy[] = [
  'attribute-discard',
  'treat-as-withdraw',
  'afi-safi-disable',
  'session-reset',
];

/** Of several faults in one UPDATE the strongest remedy rules. */
export function strongerRemedy(a: Remedy | undefined, b: Remedy | undefined): Remedy | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return remedies.indexOf(a) > remedies.indexOf(b) ? a : b;
}

/** What a NOTIFICATION says, RFC 4271 §4.5. The pairs have names in iana.ts. */
export type ErrorCode = readonly [code: number, subcode: number];

/** A protocol fault as data: what is wrong, and what the NOTIFICATION would carry. */
export interface Fault {
  /** One clause for people, naming the field and the value: `hold time 2 is below 3`. */
  readonly text: string;
  readonly code: ErrorCode;
  readonly data: Uint8Array;
}

/** A fault in an UPDATE, what RFC 7606 makes of it, and the attribute's code (absent where a list itself is broken). */
export interface AttributeFault extends Fault {
  readonly remedy: Remedy;
  readonly attribute?: number;
}

/** The peer broke the protocol so that the session must end. Thrown inside bgp-ts; only `Framer.next` lets it out. */
export class BgpError extends Error implements Fault {
  override readonly name = 'BgpError';
  readonly text: string;
  readonly code: ErrorCode;
  readonly data: Uint8Array;

  constructor(text: string, code: ErrorCode, data: Uint8Array = new Uint8Array()) {
    super(text);
    this.text = text;
    this.code = code;
    this.data = data;
  }
}

/** What was thrown, as data without a stack. Throws `error` again where it is no BgpError but a bug. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof BgpError)) throw error;
  const { text, code, data } = error;
  return { text, code, data };
}
