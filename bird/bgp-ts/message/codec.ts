import type { CodecContext } from '../context.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** One message's body; framing and header are not its business. `decode` throws BgpError. */
export interface MessageCodec<T> {
  decode(body: Reader, context: CodecContext): T;
  encode(out: Writer, message: T, context: CodecContext): void;
}
