import type { CodecContext } from '../context.ts';
import { BgpError } from '../error.ts';
import { formatHex } from '../json/address.ts';
import { formatMessage } from '../message/format.ts';
import { EXTENDED_MAX_OCTETS } from '../iana.ts';
import { readHeader } from '../message/header.ts';
import type { Message } from '../message/message.ts';
import { decodeMessage } from '../message/table.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { malformed } from './malformed.ts';

/**
 * The next BGP message in `body`, as long as its own header says, as raw octets. Throws BgpError where marker, length
 * or type is not that of one whole `type`; what is inside is not judged.
 */
export function takeBgpMessage(body: Reader, type: Message['type']): Uint8Array {
  const header = readHeader(body.bytes, [body.at, body.at + body.left], EXTENDED_MAX_OCTETS);
  if (header === undefined) throw malformed(`${body.left} octets are no BGP header`);
  if (header.type !== type) throw malformed(`BGP ${header.type} in the place of ${type}`);
  if (header.lengthOctets > body.left) {
    throw malformed(`${type} of ${header.lengthOctets} octets, but ${body.left} follow`);
  }
  return body.take(header.lengthOctets);
}

/** Throws a plain Error where `bgp` is not one whole message of this type. */
export function writeBgpMessage(out: Writer, bgp: Uint8Array, type: Message['type']): void {
  if (headerOf(bgp)?.type !== type || headerOf(bgp)?.lengthOctets !== bgp.length) {
    throw new Error(`${bgp.length} octets are not one whole ${type}`);
  }
  out.bytes(bgp);
}

function headerOf(bgp: Uint8Array): ReturnType<typeof readHeader> {
  try {
    return readHeader(bgp, [0, bgp.length], EXTENDED_MAX_OCTETS);
  } catch (error) {
    if (error instanceof BgpError) return undefined;
    throw error;
  }
}

/** The message as its own readable line; one that does not decode is its fault and its octets. */
export function formatBgp(bgp: Uint8Array, context: CodecContext): string {
  const result = decodeMessage(bgp, context);
  return result.kind === 'ok' ? formatMessage(result.message) : `(${result.fault.text}) ${formatHex(bgp)}`;
}
