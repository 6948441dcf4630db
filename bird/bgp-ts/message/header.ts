import { BgpError } from '../error.ts';
import { EXTENDED_MAX_OCTETS, HEADER_OCTETS, headerError, MAX_OCTETS, messageTypes } from '../iana.ts';
import { copyOf, readU16 } from '../reader.ts';
import type { Message } from './message.ts';

const MARKER_OCTETS = 16;
const LENGTH_AT = 16;
const TYPE_AT = 18;

interface TypeBounds {
  readonly name: Message['type'];
  readonly min: number;
  readonly max: number;
}

/** The lengths a message of each type may have, RFC 4271 §4 and §6.1, RFC 8654 §4. */
const bounds: readonly (TypeBounds | undefined)[] = [
  undefined,
  { name: 'open', min: 29, max: MAX_OCTETS },
  { name: 'update', min: 23, max: EXTENDED_MAX_OCTETS },
  // Shorter than 21 is refused by the message's own codec: whoever reads it must know its type, to not answer. §6.4
  { name: 'notification', min: HEADER_OCTETS, max: EXTENDED_MAX_OCTETS },
  { name: 'keepalive', min: HEADER_OCTETS, max: HEADER_OCTETS },
  // Longer than 23 is refused by the message's own codec, which knows RFC 7313's error for it.
  { name: 'route-refresh', min: 23, max: EXTENDED_MAX_OCTETS },
];

export interface Header {
  readonly type: Message['type'];
  readonly lengthOctets: number;
}

/**
 * The header at `start`, or undefined while it has not all arrived. What has arrived is checked at once, so that
 * a lying length is answered before its body is waited for. Throws BgpError, RFC 4271 §6.1.
 */
export function readHeader(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  maxOctets: number,
): Header | undefined {
  checkMarker(bytes, start, Math.min(end, start + MARKER_OCTETS));
  if (end - start < TYPE_AT) return undefined;
  const lengthOctets = readU16(bytes, start + LENGTH_AT);
  if (lengthOctets < HEADER_OCTETS || lengthOctets > maxOctets) throw badLength(bytes, start, 'message');
  if (end - start < HEADER_OCTETS) return undefined;
  const type = bytes[start + TYPE_AT]!;
  const bound = bounds[type];
  if (bound === undefined) {
    throw new BgpError(`message type ${type} is unknown`, headerError.badMessageType, Uint8Array.of(type));
  }
  if (lengthOctets < bound.min || lengthOctets > bound.max) throw badLength(bytes, start, bound.name);
  return { type: bound.name, lengthOctets };
}

/** A whole message: header, then `body`. Throws a plain Error where it is longer than `maxOctets`: our own fault. */
export function frameMessage(type: Message['type'], body: Uint8Array, maxOctets: number): Uint8Array<ArrayBuffer> {
  const frame = emptyFrame(type, HEADER_OCTETS + body.length, maxOctets);
  frame.set(body, HEADER_OCTETS);
  return frame;
}

/** A message of `lengthOctets` with its header, and zeros for a body. Throws as `frameMessage` does. */
export function emptyFrame(type: Message['type'], lengthOctets: number, maxOctets: number): Uint8Array<ArrayBuffer> {
  if (lengthOctets > maxOctets) {
    throw new Error(`${type} message of ${lengthOctets} octets is longer than ${maxOctets}`);
  }
  const frame = new Uint8Array(lengthOctets);
  frame.fill(0xff, 0, MARKER_OCTETS);
  frame[LENGTH_AT] = lengthOctets >>> 8;
  frame[LENGTH_AT + 1] = lengthOctets;
  frame[TYPE_AT] = messageTypes[type];
  return frame;
}

function checkMarker(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0xff) {
      throw new BgpError(`marker octet ${at - start} is ${bytes[at]!}, not 255`, headerError.connectionNotSynchronized);
    }
  }
}

function badLength(bytes: Uint8Array, start: number, what: string): BgpError {
  const field = copyOf(bytes, start + LENGTH_AT, start + TYPE_AT);
  return new BgpError(`${what} length ${readU16(field, 0)} is out of bounds`, headerError.badMessageLength, field);
}
