import { BgpError } from '../error.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { KnownRecord } from './record.ts';

/** What stands behind the common header and the microseconds. */
export type Body<R extends KnownRecord> = Omit<R, 'timestampSeconds' | 'microseconds'>;

/** One subtype's body; header and microseconds are not its business. */
export interface RecordCodec<R extends KnownRecord> {
  /** Undefined where this is a family that nobody here reads: the record is then kept as bytes. Throws BgpError. */
  decode(body: Reader): Body<R> | undefined;
  /** Throws a plain Error where a value does not fit. */
  encode(out: Writer, record: R): void;
  /** Whether this is the subtype to write `record` in. */
  writes(record: R): boolean;
}

/** MRT has no NOTIFICATION; of a BgpError only its text counts here. */
export const malformed = (text: string): BgpError => new BgpError(text, [0, 0]);
