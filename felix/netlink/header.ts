/**
 * The frame of every netlink message, and the two control messages that answer requests.
 *
 *     +---------------------------------------------------------------+
 *     |                     length (with header)                      |
 *     +-------------------------------+-------------------------------+
 *     |             type              |             flags             |
 *     +-------------------------------+-------------------------------+
 *     |                        sequence number                        |
 *     +---------------------------------------------------------------+
 *     |                  port of the sender, 0: kernel                |
 *     +---------------------------------------------------------------+
 */
import { LITTLE_ENDIAN, aligned, decodeAttributes, readText, viewOf } from './attribute.ts';
import { ERROR_ATTRIBUTE, FLAG } from './constants.ts';

export const HEADER_OCTETS = 16;

/** What to ask of the kernel; the socket adds length and sequence number. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** In a notification: the port of the socket whose request it tells of, 0 where the kernel acted by itself or does not tell. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** The kernel's verdict on a request: errno (0: done) and, where it has one, its own sentence. */
export interface Verdict {
  readonly errno: number;
  readonly explanation?: string;
}

/** Octets that the request takes in a batch. */
export const requestOctets = ({ body }: Request): number => HEADER_OCTETS + aligned(body.length);

/** Requests one after the other, numbered from `firstSequence`. */
export function encodeRequests(requests: readonly Request[], firstSequence: number): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(requests.reduce((sum, request) => sum + requestOctets(request), 0));
  const view = viewOf(octets);
  let at = 0;
  for (const [i, request] of requests.entries()) {
    view.setUint32(at, HEADER_OCTETS + request.body.length, LITTLE_ENDIAN);
    view.setUint16(at + 4, request.type, LITTLE_ENDIAN);
    view.setUint16(at + 6, request.flags | FLAG.request, LITTLE_ENDIAN);
    view.setUint32(at + 8, firstSequence + i, LITTLE_ENDIAN);
    octets.set(request.body, at + HEADER_OCTETS);
    at += requestOctets(request);
  }
  return octets;
}

/** The messages of one datagram; bodies are views into it. Throws where a length leads outside. */
export function decodeMessages(octets: Uint8Array): readonly Message[] {
  const messages: Message[] = [];
  const view = viewOf(octets);
  for (let at = 0; at + HEADER_OCTETS <= octets.length;) {
    const length = view.getUint32(at, LITTLE_ENDIAN);
    if (length < HEADER_OCTETS || at + length > octets.length) {
      throw new Error(`netlink message at octet ${at} says ${length} octets, ${octets.length - at} are left`);
    }
    messages.push({
      type: view.getUint16(at + 4, LITTLE_ENDIAN),
      flags: view.getUint16(at + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(at + 8, LITTLE_ENDIAN),
      port: view.getUint32(at + 12, LITTLE_ENDIAN),
      body: octets.subarray(at + HEADER_OCTETS, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** NLMSG_ERROR, which also carries success: negated errno, the request's header (and, unless capped, its body), attributes. */
export function decodeVerdict({ flags, body }: Message): Verdict {
  const view = viewOf(body);
  const errno = Math.abs(view.getInt32(0, LITTLE_ENDIAN));
  if ((flags & FLAG.ackAttributes) === 0) return { errno };
  const repeated = (flags & FLAG.capped) === 0 ? view.getUint32(4, LITTLE_ENDIAN) : HEADER_OCTETS;
  const explanation = decodeAttributes(body.subarray(4 + aligned(repeated))).get(ERROR_ATTRIBUTE.message);
  return explanation === undefined ? { errno } : { errno, explanation: readText(explanation) };
}

/** NLMSG_DONE ends a dump and carries its outcome. */
export function decodeDone({ body }: Message): Verdict {
  return { errno: body.length < 4 ? 0 : Math.abs(viewOf(body).getInt32(0, LITTLE_ENDIAN)) };
}
