import { BgpError } from '../error.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { malformed } from './codec.ts';
import { extendedType, MRT_HEADER_OCTETS, plainType, readMrtHeader } from './header.ts';
import type { KnownRecord, MrtRecord, UnknownRecord } from './record.ts';
import { rowOfNumbers, rowOfRecord } from './table.ts';

/** A record, or what is wrong with it in one clause that names the subtype. */
export type MrtResult =
  { readonly kind: 'ok'; readonly record: MrtRecord } | { readonly kind: 'malformed'; readonly text: string };

/**
 * One whole record with its header, as MrtReader gives it. Values are copies and may be kept. What has no codec is
 * `unknown` and keeps its bytes. Faults in the attributes of a RIB entry stand beside them, and BGP messages are not
 * looked into; neither makes a record malformed. Never throws, whatever the bytes.
 */
export function decodeMrt(bytes: Uint8Array): MrtResult {
  const octets = bytes.length - MRT_HEADER_OCTETS;
  if (octets < 0) return { kind: 'malformed', text: `${bytes.length} octets are no MRT header` };
  const { type, subtype, bodyOctets, timestampSeconds } = readMrtHeader(bytes);
  if (bodyOctets !== octets) {
    return { kind: 'malformed', text: `a record of ${bodyOctets} octets, but ${octets} follow its header` };
  }
  const row = rowOfNumbers(plainType(type) ?? type, subtype);
  const body = new Reader(bytes, [MRT_HEADER_OCTETS, bytes.length], [0, 0]);
  try {
    const timing = {
      timestampSeconds,
      ...(plainType(type) !== undefined && { microseconds: body.u32() }),
    };
    const start = body.at;
    const known = row?.codec.decode(body);
    if (known === undefined) {
      const rest = body.reset(start, bytes.length).rest();
      return { kind: 'ok', record: { ...timing, type: 'unknown', mrtType: type, subtype, body: rest } };
    }
    if (body.left > 0) throw malformed(`${body.left} octets are left over`);
    return { kind: 'ok', record: { ...timing, ...known } as KnownRecord };
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return { kind: 'malformed', text: `${row?.name ?? `type ${type}`}: ${error.text}` };
  }
}

/** A whole record with its header. Throws a plain Error where a value does not fit its field, or the record no subtype. */
export function encodeMrt(record: MrtRecord): Uint8Array<ArrayBuffer> {
  const microseconds = 'microseconds' in record ? record.microseconds : undefined;
  const isFine = microseconds !== undefined;
  const { type, subtype, write } = record.type === 'unknown' ? rawPlan(record, isFine) : plan(record, isFine);
  const body = new Writer();
  if (isFine) body.u32(microseconds, 'microseconds');
  write(body);
  const out = new Writer();
  out.u32(record.timestampSeconds, 'timestamp');
  out.u16(type, 'type');
  out.u16(subtype, 'subtype');
  out.u32(body.length);
  out.bytes(body.finish());
  return out.finish();
}

interface Plan {
  readonly type: number;
  readonly subtype: number;
  readonly write: (out: Writer) => void;
}

function plan(record: KnownRecord, isFine: boolean): Plan {
  const row = rowOfRecord(record);
  if (row === undefined) throw new Error(`no subtype of MRT holds this ${record.type}`);
  const type = isFine ? extendedType(row.type) : row.type;
  if (type === undefined) throw new Error(`${row.name} has no microseconds`);
  return { type, subtype: row.subtype, write: (out) => row.codec.encode(out, record) };
}

function rawPlan({ mrtType, subtype, body }: UnknownRecord, isFine: boolean): Plan {
  if (isFine !== (plainType(mrtType) !== undefined)) {
    throw new Error(`type ${mrtType} ${isFine ? 'has no' : 'needs its'} microseconds`);
  }
  return { type: mrtType, subtype, write: (out) => out.bytes(body) };
}
