import type { Family } from '../context.ts';
import { familyKey } from '../context.ts';
import { familyName, familyRow } from '../nlri/families.ts';
import { flowOctets } from '../nlri/flow.ts';
import type { FamilyNlri, NlriShape } from '../nlri/nlri.ts';
import { decodeNlri, encodeNlri, isFault } from '../nlri/table.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { RecordCodec } from './codec.ts';
import { malformed } from './codec.ts';
import type { Rib, RibEntry } from './record.ts';
import { decodeRibAttributes, encodeRibAttributes } from './rib-attributes.ts';

/** How one of the RIB subtypes is written. */
export interface RibLayout {
  /** Absent in RIB_GENERIC: the record says it. */
  readonly family?: Family;
  readonly addPath: boolean;
}

/** One of the RIB subtypes: RFC 6396 §4.3.2, §4.3.3, RFC 8050 §4. */
export const rib = ({ family: fixed, addPath }: RibLayout): RecordCodec<Rib> => {
  const generic = fixed === undefined;
  // RFC 8050 §4: RIB_GENERIC_ADDPATH has the path identifier in the NLRI, its entries are the plain ones.
  const inNlri = generic && addPath;
  const inEntries = !generic && addPath;
  return {
    writes: ({ nlri, ...record }) =>
      record.addPath === addPath &&
      (generic ? record.generic === true : record.generic !== true && familyKey(nlri.family) === familyKey(fixed)),
    decode: (body) => {
      const sequence = body.u32();
      const family = fixed ?? body.family();
      const nlri = decodeOne(body, { family, addPath: inNlri });
      if (nlri === undefined) return undefined;
      const entries = Array.from({ length: body.u16() }, () => decodeEntry(body, family, inEntries));
      return { type: 'rib', ...(generic && { generic }), addPath, sequence, nlri, entries };
    },
    encode: (out, { sequence, nlri, entries }) => {
      out.u32(sequence, 'sequence number');
      if (generic) out.family(nlri.family);
      out.bytes(encodeOne(nlri, inNlri));
      out.u16(entries.length, 'entry count');
      for (const entry of entries) encodeEntry(out, entry, { family: nlri.family, addPath: inEntries });
    },
  };
};

/** The one NLRI at the head of `body`; undefined where nobody here can tell where it ends. */
function decodeOne(body: Reader, shape: NlriShape): FamilyNlri | undefined {
  const kind = familyRow(shape.family)?.kind ?? 'bytes';
  if (kind === 'bytes') return undefined;
  const start = body.at;
  if (shape.addPath) body.u32();
  // FlowSpec counts octets, all others bits.
  body.skip(kind === 'flow' ? flowOctets(body) : (body.u8() + 7) >>> 3);
  const group = decodeNlri(body.bytes, start, body.at, shape);
  if (isFault(group)) throw malformed(group.text);
  return group;
}

function encodeOne(nlri: FamilyNlri, addPath: boolean): Uint8Array {
  if (nlri.kind === 'bytes') throw new Error(`NLRI of ${familyName(nlri.family)} are not written to a RIB record`);
  if (nlri.nlri.length !== 1) throw new Error(`a RIB record has one NLRI, not ${nlri.nlri.length}`);
  return encodeNlri(nlri, { addPath });
}

function decodeEntry(body: Reader, family: Family, addPath: boolean): RibEntry {
  const peerIndex = body.u16();
  const originatedTime = body.u32();
  const pathId = addPath ? body.u32() : undefined;
  const octets = body.u16();
  const start = body.skip(octets);
  return {
    peerIndex,
    originatedTime,
    ...(pathId !== undefined && { pathId }),
    ...decodeRibAttributes(body.bytes, [start, start + octets], family),
  };
}

function encodeEntry(out: Writer, entry: RibEntry, { family, addPath }: NlriShape): void {
  if (addPath !== (entry.pathId !== undefined)) {
    throw new Error(`a RIB entry ${addPath ? 'lacks its' : 'has no room for a'} path identifier`);
  }
  out.u16(entry.peerIndex, 'peer index');
  out.u32(entry.originatedTime, 'originated time');
  if (entry.pathId !== undefined) out.u32(entry.pathId, 'path identifier');
  out.prefixed(2, () => out.bytes(encodeRibAttributes(entry, family)));
}
