import type { CodecContext } from '../context.ts';
import type { Fault } from '../error.ts';
import { BgpError, faultOf } from '../error.ts';
import { EXTENDED_MAX_OCTETS, HEADER_OCTETS, MAX_OCTETS, headerError } from '../iana.ts';
import { Reader, copyOf } from '../reader.ts';
import { Writer } from '../writer.ts';
import type { MessageCodec } from './codec.ts';
import { frameMessage, readHeader } from './header.ts';
import { keepalive } from './keepalive.ts';
import type { Message, Update } from './message.ts';
import { notification } from './notification.ts';
import { open } from './open.ts';
import { routeRefresh } from './route-refresh.ts';
import { decodeUpdate } from './decode-update.ts';
import { encodeUpdate } from './encode-update.ts';

type Plain = Exclude<Message, Update>;

/** One row per message. An UPDATE has ways of its own: decode-update.ts, encode-update.ts. */
const messageTable: { readonly [T in Plain['type']]: MessageCodec<Extract<Plain, { readonly type: T }>> } = {
  open,
  notification,
  keepalive,
  'route-refresh': routeRefresh,
};

/** A message, or what the NOTIFICATION must say. An UPDATE that is worth less than a session reset is a message. */
export type DecodeResult =
  { readonly kind: 'ok'; readonly message: Message } | { readonly kind: 'fault'; readonly fault: Fault };

/** The readable form of one whole message, as the Framer gives it. Never throws, whatever the bytes. */
export function decodeMessage(frame: Uint8Array, context: CodecContext): DecodeResult {
  try {
    return { kind: 'ok', message: decode(frame, context) };
  } catch (error) {
    return { kind: 'fault', fault: faultOf(error) };
  }
}

/** A whole message. Throws a plain Error where a value does not fit its field, or the message its limit. */
export function encodeMessage(message: Message, context: CodecContext): Uint8Array<ArrayBuffer> {
  if (message.type === 'update') return encodeUpdate(message, context);
  const out = new Writer();
  // The table ties each type to its codec.
  const codec = messageTable[message.type] as MessageCodec<Plain>;
  codec.encode(out, message, context);
  // RFC 8654 §4: OPEN and KEEPALIVE are never extended.
  const mayExtend = context.extendedMessage && message.type !== 'open';
  return frameMessage(message.type, out.finish(), mayExtend ? EXTENDED_MAX_OCTETS : MAX_OCTETS);
}

function decode(frame: Uint8Array, context: CodecContext): Message {
  const header = readHeader(frame, [0, frame.length], context.extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS);
  if (header?.lengthOctets !== frame.length) {
    const text = `${frame.length} octets are not one whole message`;
    throw new BgpError(text, headerError.badMessageLength, copyOf(frame, 16, 18));
  }
  if (header.type === 'update') return decodeUpdate(frame, context);
  const body = new Reader(frame, [HEADER_OCTETS, frame.length], [errorCodeOf(header.type), 0]);
  return messageTable[header.type].decode(body, context);
}

/** An OPEN whose fields run past its end is 2/0; the others have no such fields. */
const errorCodeOf = (type: Plain['type']): number => (type === 'open' ? 2 : 1);
