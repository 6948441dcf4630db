import type { JsonCodec } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { NlriShape } from './nlri.ts';

/** What one entry's codec must know of its family. */
export interface EntryShape extends NlriShape {
  readonly bits: number;
}

/** One row of the table of kinds: one entry of the list, behind its path identifier. */
export interface NlriSpec<T> {
  /** Throws BgpError 3/10 where the entry is malformed: what follows cannot be found then. RFC 7606 §5.3. */
  decode(value: Reader, pathId: number, shape: EntryShape): T;
  /** Throws a plain Error where a value does not fit. */
  encode(out: Writer, entry: T, shape: EntryShape): void;
  /** For addresses of `bits`. */
  json(bits: number): JsonCodec<T>;
  /** For the readable line, without the path identifier. */
  format(entry: T): string;
}
