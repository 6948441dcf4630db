import { BgpError } from '../error.ts';
import { HEADER_OCTETS, headerError } from '../iana.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import type { MessageCodec } from './codec.ts';
import type { Notification } from './message.ts';

const MAX_SHUTDOWN_OCTETS = 255;

/** RFC 4271 §4.5: error code, subcode, and data up to the end of the message. */
export const notification: MessageCodec<Notification> = {
  decode: (body) => {
    if (body.left < 2) {
      const octets = HEADER_OCTETS + body.left;
      const text = `notification length ${octets} is out of bounds`;
      throw new BgpError(text, headerError.badMessageLength, Uint8Array.of(0, octets));
    }
    return { type: 'notification', code: body.u8(), subcode: body.u8(), data: body.rest() };
  },
  encode: (out, { code, subcode, data }) => {
    out.u8(code);
    out.u8(subcode);
    out.bytes(data);
  },
};

/** The data of a Cease / Administrative Shutdown or Reset: a text of up to 255 octets, cut between characters. RFC 9003 §2. */
export function encodeShutdownText(text: string): Uint8Array {
  let octets = encodeUtf8(text);
  if (octets.length > MAX_SHUTDOWN_OCTETS) {
    let end = MAX_SHUTDOWN_OCTETS;
    while ((octets[end]! & 0xc0) === 0x80) end--;
    octets = octets.slice(0, end);
  }
  return Uint8Array.of(octets.length, ...octets);
}

/**
 * The text in a Cease / Administrative Shutdown or Reset; undefined where there is none, its length lies, or it is no
 * UTF-8, which must not be interpreted. RFC 9003 §2.
 */
export function shutdownText({ code, subcode, data }: Notification): string | undefined {
  const octets = data[0];
  if (code !== 6 || (subcode !== 2 && subcode !== 4) || octets === undefined) return undefined;
  if (octets === 0 || octets > data.length - 1) return undefined;
  return decodeUtf8(data.subarray(1, 1 + octets));
}
