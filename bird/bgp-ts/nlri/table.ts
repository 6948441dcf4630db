import type { CodecContext, Family } from '../context.ts';
import { familyKey } from '../context.ts';
import type { Fault } from '../error.ts';
import { faultOf } from '../error.ts';
import { updateError } from '../iana.ts';
import { hex, formatHex } from '../json/address.ts';
import type { Json, JsonCodec } from '../json/codec.ts';
import { flag, list, optional, record } from '../json/codec.ts';
import { copyOf, Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { family as familyJson, familyName, familyRow, familyRows, isIpv4Unicast } from './families.ts';
import { flow } from './flow.ts';
import { labeled } from './labeled.ts';
import type { FamilyNlri, NlriByKind, NlriKind, NlriShape } from './nlri.ts';
import { prefix } from './prefix.ts';
import type { NlriSpec } from './spec.ts';
import { vpn } from './vpn.ts';
import { checkPrefixes, walkNlri } from './walk.ts';

/** One row per kind of NLRI; which family is of which kind: families.ts. A kind without a codec does not compile. */
const kinds: { readonly [K in NlriKind]: NlriSpec<NlriByKind[K]> } = { prefix, labeled, vpn, flow };

type Entry = NlriByKind[NlriKind];

/** The table ties each kind to the type of its entries. */
const specOf = (kind: NlriKind): NlriSpec<Entry> => kinds[kind];

interface Group {
  readonly kind: NlriKind | 'bytes';
  readonly family: Family;
  readonly nlri: readonly Entry[] | Uint8Array;
  readonly multiprotocol?: true;
}

/**
 * All NLRI in `bytes[start, end)` as records, or the fault 3/10 (for a range of MP_REACH or MP_UNREACH the caller says
 * 3/9 instead). Families that nobody here decodes come back as a copy of their bytes. Never throws.
 */
export function decodeNlri(bytes: Uint8Array, start: number, end: number, shape: NlriShape): FamilyNlri | Fault {
  const { family } = shape;
  const { kind = 'bytes', bits = 0 } = familyRow(family) ?? {};
  if (kind === 'bytes') return { kind, family, nlri: copyOf(bytes, start, end) };
  if (kind === 'prefix') return decodePrefixes(bytes, start, end, shape);
  const value = new Reader(bytes, [start, end], updateError.invalidNetworkField);
  const nlri: Entry[] = [];
  const entryShape = { ...shape, bits };
  try {
    while (value.left > 0) {
      const pathId = shape.addPath ? value.u32() : 0;
      nlri.push(specOf(kind).decode(value, pathId, entryShape));
    }
  } catch (error) {
    return faultOf(error);
  }
  return { kind, family, nlri } as unknown as FamilyNlri;
}

/** How the NLRI of a family are written in this session. */
export function nlriShape(family: Family, context: CodecContext, withdrawn: boolean): NlriShape {
  const key = familyKey(family);
  const multipleLabels = context.multipleLabels?.has(key) === true;
  return { family, addPath: context.addPath.has(key), withdrawn, ...(multipleLabels && { multipleLabels }) };
}

export const isFault = (result: FamilyNlri | Fault): result is Fault => 'code' in result;

/** The fault that `decodeNlri` would give; for plain prefixes by lengths alone, which is several times as fast. */
export function checkNlri(bytes: Uint8Array, start: number, end: number, shape: NlriShape): Fault | undefined {
  const row = familyRow(shape.family);
  if (row?.kind === 'prefix') return checkPrefixes(bytes, start, end, row.bits, shape.addPath);
  const result = decodeNlri(bytes, start, end, shape);
  return isFault(result) ? result : undefined;
}

/** Records back to bytes; the opposite of `decodeNlri`. Throws a plain Error where a value does not fit. */
export function encodeNlri(group: FamilyNlri, shape: Omit<NlriShape, 'family'>): Uint8Array<ArrayBuffer> {
  const { family, nlri } = group;
  const out = new Writer();
  if (group.kind === 'bytes') out.bytes(group.nlri);
  const row = familyRow(family);
  if (group.multiprotocol === true && !isIpv4Unicast(family)) throw new Error('only IPv4 unicast can stand elsewhere');
  if (group.kind !== (row?.kind ?? 'bytes'))
    throw new Error(`NLRI of ${row?.name ?? 'this family'} are not ${group.kind}`);
  if (group.kind === 'bytes') return out.finish();
  const spec = specOf(group.kind);
  const entryShape = { ...shape, family, bits: row?.bits ?? 0 };
  for (const entry of nlri as readonly Entry[]) {
    if (shape.addPath) out.u32(entry.pathId, 'path identifier');
    else if (entry.pathId !== 0) throw new Error(`path identifier ${entry.pathId} in a session without ADD-PATH`);
    spec.encode(out, entry, entryShape);
  }
  return out.finish();
}

/** Rules whose inside is malformed: such an UPDATE is treated as withdrawn, RFC 8955 §10, RFC 7606 §3 (j). */
export const hasMalformedRule = (group: FamilyNlri): boolean =>
  group.kind === 'flow' && group.nlri.some(({ rest }) => rest !== undefined);

/** `10.0.0.0/24`, with ADD-PATH's identifier behind `#` where it is not 0; a group as one text. */
export function formatNlri(group: FamilyNlri): string {
  if (group.kind === 'bytes') return formatHex(group.nlri);
  const spec = specOf(group.kind);
  const entries: readonly Entry[] = group.nlri;
  const texts = entries.map((entry) => `${spec.format(entry)}${entry.pathId === 0 ? '' : `#${entry.pathId}`}`);
  return texts.join(group.kind === 'prefix' ? ' ' : ', ');
}

/** `{ family: 'IPv4 unicast', nlri: [{ prefix: '10.0.0.0/24' }] }`. */
export const familyNlri: JsonCodec<FamilyNlri> = {
  to: (group) => groupCodec(group.family).to(group),
  from: (json, at) => {
    const named = (json as { readonly family?: Json } | null)?.family;
    // Without a legible family the record's own codec says what is missing.
    const family =
      typeof named === 'string' ? familyJson.from(named, at === '' ? 'family' : `${at}.family`) : undefined;
    const group = groupCodec(family ?? { afi: 0, safi: 0 }).from(json, at);
    return { ...group, kind: familyRow(group.family)?.kind ?? 'bytes' } as unknown as FamilyNlri;
  },
};

type GroupCodec = JsonCodec<Omit<Group, 'kind'>>;

const codecFor = (nlri: JsonCodec<Group['nlri']>): GroupCodec =>
  record<Omit<Group, 'kind'>>({ family: familyJson, nlri, multiprotocol: optional(flag) });

const bytesCodec = codecFor(hex());

/** By the name of the family. */
const codecs: ReadonlyMap<string, GroupCodec> = new Map(
  familyRows.flatMap(({ name, kind, bits }) =>
    kind === 'bytes' ? [] : [[name, codecFor(list(specOf(kind).json(bits)) as JsonCodec<Group['nlri']>)]],
  ),
);

const groupCodec = (family: Family): GroupCodec => codecs.get(familyName(family)) ?? bytesCodec;

function decodePrefixes(bytes: Uint8Array, start: number, end: number, shape: NlriShape): FamilyNlri | Fault {
  const nlri: NlriByKind['prefix'][] = [];
  const ipv4 = familyRow(shape.family)?.bits === 32;
  const fault = walkNlri(bytes, start, end, shape, (pathId, w0, w1, w2, w3, length) => {
    nlri.push({ pathId, words: ipv4 ? [w0] : [w0, w1, w2, w3], length });
  });
  return fault ?? { kind: 'prefix', family: shape.family, nlri };
}
