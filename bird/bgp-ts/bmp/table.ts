import { hex, formatHex } from '../json/address.ts';
import { constant, record, u8 } from '../json/codec.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { BMP_HEADER_OCTETS, readBmpLength, VERSION } from './header.ts';
import { initiation } from './initiation.ts';
import type { BmpMalformed } from './malformed.ts';
import { asResult, NO_CODE } from './malformed.ts';
import type { BmpMessage, UnknownMessage } from './message.ts';
import { peerDown } from './peer-down.ts';
import { peerUp } from './peer-up.ts';
import { routeMirroring } from './route-mirroring.ts';
import { routeMonitoring } from './route-monitoring.ts';
import type { BmpSpec } from './spec.ts';
import { statisticsReport } from './statistics-report.ts';
import { termination } from './termination.ts';

type Known = Exclude<BmpMessage, UnknownMessage>;

/** One row per message type; a message without a codec does not compile. */
const table: { readonly [T in Known['type']]: BmpSpec<Extract<Known, { readonly type: T }>> } = {
  'route-monitoring': routeMonitoring,
  'statistics-report': statisticsReport,
  'peer-down': peerDown,
  'peer-up': peerUp,
  initiation,
  termination,
  'route-mirroring': routeMirroring,
};

/** The row of types that have none. */
const unknown: Omit<BmpSpec<UnknownMessage>, 'number' | 'decode'> = {
  encode: (out, { body }) => out.bytes(body),
  json: record<UnknownMessage>({ type: constant('unknown'), number: u8, body: hex() }),
  line: ({ number, body }) => ` type ${number} ${formatHex(body)}`.trimEnd(),
};

/** The table ties each type to its row. */
export const bmpRows = Object.entries({ ...table, unknown }) as unknown as readonly (readonly [
  BmpMessage['type'],
  BmpSpec<BmpMessage>,
])[];

const byType: ReadonlyMap<string, BmpSpec<BmpMessage>> = new Map(bmpRows);
const byNumber = new Map(bmpRows.map((row) => [row[1].number, row]));

export const specOf = ({ type }: BmpMessage): BmpSpec<BmpMessage> => byType.get(type)!;

/** Of `malformed` this message alone is lost: the framing holds, the next one may be read. */
export type BmpResult = { readonly kind: 'ok'; readonly message: BmpMessage } | BmpMalformed;

/** One whole BMP message, as BmpFramer gives it. What is kept of it is copied. Never throws, whatever the bytes. */
export function decodeBmp(bytes: Uint8Array): BmpResult {
  const length = asResult(() => readBmpLength(bytes, [0, bytes.length], Number.MAX_SAFE_INTEGER));
  if (typeof length === 'object') return length;
  if (length !== bytes.length) return { kind: 'malformed', text: `${bytes.length} octets are not one whole message` };
  const number = bytes[BMP_HEADER_OCTETS - 1]!;
  const body = new Reader(bytes, [BMP_HEADER_OCTETS, length], NO_CODE);
  const row = byNumber.get(number);
  if (row === undefined) return { kind: 'ok', message: { type: 'unknown', number, body: body.rest() } };
  const [type, spec] = row;
  const message = asResult(() => spec.decode(body));
  if ('kind' in message) return { kind: 'malformed', text: `${type}: ${message.text}` };
  return body.left === 0
    ? { kind: 'ok', message }
    : { kind: 'malformed', text: `${type}: ${body.left} octets behind its last field` };
}

/** A whole BMP message, of version 3. Throws a plain Error where a value does not fit its field. */
export function encodeBmp(message: BmpMessage): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.u8(VERSION);
  out.u32(0);
  out.u8(message.type === 'unknown' ? message.number : specOf(message).number, 'message type');
  specOf(message).encode(out, message);
  const bytes = out.finish();
  new DataView(bytes.buffer).setUint32(1, bytes.length);
  return bytes;
}
