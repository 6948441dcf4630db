import type { CodecContext } from '../../bird/bgp-ts/index.ts';

/** `bytes('4001 01 00')`: hex for people, spaces and line breaks where they help. */
export const bytes = (...hex: readonly string[]): Uint8Array =>
  Uint8Array.from(hex.join('').replaceAll(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export const hex = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

export const context = (changes: Partial<CodecContext> = {}): CodecContext => ({
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: true,
  ...changes,
});

/** Marker, length and type around a body; no check of anything. */
export function frame(type: number, body: Uint8Array): Uint8Array {
  const length = 19 + body.length;
  return Uint8Array.from([...Array<number>(16).fill(0xff), length >>> 8, length & 0xff, type, ...body]);
}

/** An UPDATE of three fields given in hex, their lengths put in. */
export function updateFrame(fields: { withdrawn?: string; attributes?: string; nlri?: string }): Uint8Array {
  const [withdrawn, attributes, nlri] = [fields.withdrawn, fields.attributes, fields.nlri].map((field) =>
    bytes(field ?? ''),
  );
  const sized = (field: Uint8Array): number[] => [field.length >>> 8, field.length & 0xff, ...field];
  return frame(2, Uint8Array.from([...sized(withdrawn!), ...sized(attributes!), ...nlri!]));
}

/** ORIGIN igp, AS_PATH 65001, NEXT_HOP 192.0.2.1: what an UPDATE with IPv4 prefixes needs. */
export const mandatory = '40010100 4002060201 0000fde9 400304c0000201';
