import type { CodecContext } from '../context.ts';
import type { JsonCodec } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { BmpMessage } from './message.ts';

/** One row of the message table: everything behind the common header of one message type. */
export interface BmpSpec<T extends BmpMessage> {
  /** The message type, RFC 7854 §4.1. */
  readonly number: number;
  /** All of `body`; what is left over is malformed. Throws BgpError. */
  decode(body: Reader): T;
  /** Throws a plain Error where a value does not fit its field. */
  encode(out: Writer, message: T): void;
  readonly json: JsonCodec<T>;
  /** For the readable line, behind the type's name. `context` is for BGP messages inside. */
  line(message: T, context: CodecContext): string;
}
