/** BMP messages as JSON and back, and as a line for people. BGP messages inside are hex digits in JSON. */
import type { CodecContext } from '../context.ts';
import type { Json } from '../json/codec.ts';
import { fromJson, tagged } from '../json/codec.ts';
import { printable } from '../json/printable.ts';
import { bgpContext, stationContext } from './bgp-context.ts';
import type { BmpMessage } from './message.ts';
import { bmpRows, specOf } from './table.ts';

const bmpJson = tagged<BmpMessage>('type', Object.fromEntries(bmpRows.map(([type, { json }]) => [type, json])));

/** What `JSON.stringify` writes without loss. */
export const bmpToJson = (message: BmpMessage): Json => bmpJson.to(message);

/** The message, or one clause that names the field and the value: `peer.asn: -1 is not a whole number from …`. */
export type BmpFromJson =
  { readonly kind: 'ok'; readonly message: BmpMessage } | { readonly kind: 'invalid'; readonly text: string };

/** The opposite of `bmpToJson`, for what `JSON.parse` gave. Unknown and missing fields are refused. Never throws. */
export function bmpFromJson(json: unknown): BmpFromJson {
  const result = fromJson(bmpJson, json);
  return result.kind === 'ok' ? { kind: 'ok', message: result.value } : result;
}

/**
 * One line for people: type, peer, content, and BGP messages inside as `formatMessage` writes them. `context` is
 * theirs; by default, as if no Peer Up had come. Not for machines, and free to change. No control characters.
 */
export function formatBmp(message: BmpMessage, context: CodecContext = contextOf(message)): string {
  return printable(`${message.type.toUpperCase()}${specOf(message).line(message, context)}`);
}

const contextOf = (message: BmpMessage): CodecContext =>
  'peer' in message ? bgpContext(message.peer) : stationContext;
