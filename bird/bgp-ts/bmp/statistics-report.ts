import { hex, formatHex } from '../json/address.ts';
import type { JsonCodec } from '../json/codec.ts';
import { constant, list, optional, record, tagged, text, u16, u32, u64 } from '../json/codec.ts';
import { family as familyJson, familyName } from '../nlri/families.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { malformed } from './malformed.ts';
import type { Statistic, StatisticsReport } from './message.ts';
import { decodePeerHeader, encodePeerHeader, formatPeerHeader, peerHeaderJson } from './peer-header.ts';
import type { BmpSpec } from './spec.ts';

/** The place in the list is the type: RFC 7854 §4.8 to 13, RFC 8671 §6.2 from 14. */
const names: readonly string[] = [
  'prefixes rejected by inbound policy',
  'duplicate prefix advertisements',
  'duplicate withdraws',
  'updates invalidated by a CLUSTER_LIST loop',
  'updates invalidated by an AS_PATH loop',
  'updates invalidated by ORIGINATOR_ID',
  'updates invalidated by an AS_CONFED loop',
  'routes in Adj-RIBs-In',
  'routes in Loc-RIB',
  'routes in Adj-RIB-In of a family',
  'routes in Loc-RIB of a family',
  'updates treated as withdraw',
  'prefixes treated as withdraw',
  'duplicate updates',
  'routes in Adj-RIBs-Out before policy',
  'routes in Adj-RIBs-Out after policy',
  'routes in Adj-RIB-Out before policy of a family',
  'routes in Adj-RIB-Out after policy of a family',
];

type OfKind<K extends Statistic['kind']> = Extract<Statistic, { readonly kind: K }>;

const counterValue: JsonCodec<bigint> = {
  to: (value) => Number(value),
  from: (json, at) => BigInt(u32.from(json, at)),
};

const head = { type: u16, name: optional(text) };

const json = tagged<Statistic>('kind', {
  counter: record<OfKind<'counter'>>({ kind: constant('counter'), ...head, value: counterValue }),
  gauge: record<OfKind<'gauge'>>({ kind: constant('gauge'), ...head, value: u64 }),
  'family-gauge': record<OfKind<'family-gauge'>>({
    kind: constant('family-gauge'),
    ...head,
    family: familyJson,
    value: u64,
  }),
  bytes: record<OfKind<'bytes'>>({ kind: constant('bytes'), ...head, data: hex() }),
});

/** RFC 7854 §4.8: per-peer header, how many, and as many TLVs. A count that lies is malformed. */
export const statisticsReport: BmpSpec<StatisticsReport> = {
  number: 1,
  decode: (body) => {
    const peer = decodePeerHeader(body);
    const count = body.u32();
    const statistics: Statistic[] = [];
    while (body.left > 0) statistics.push(decodeStatistic(body));
    if (statistics.length !== count) throw malformed(`count ${count}, but ${statistics.length} statistics`);
    return { type: 'statistics-report', peer, statistics };
  },
  encode: (out, { peer, statistics }) => {
    encodePeerHeader(out, peer);
    out.u32(statistics.length);
    for (const statistic of statistics) {
      out.u16(statistic.type, 'statistic type');
      out.prefixed(2, () => encodeValue(out, statistic));
    }
  },
  json: record<StatisticsReport>({
    type: constant('statistics-report'),
    peer: peerHeaderJson,
    statistics: list(json),
  }),
  line: ({ peer, statistics }) => ` ${formatPeerHeader(peer)}: ${statistics.map(formatStatistic).join(', ')}`.trimEnd(),
};

function decodeStatistic(body: Reader): Statistic {
  const type = body.u16();
  const name = names[type];
  const head = name === undefined ? { type } : { type, name };
  const value = body.part(body.u16());
  switch (value.left) {
    case 4:
      return { kind: 'counter', ...head, value: BigInt(value.u32()) };
    case 8:
      return { kind: 'gauge', ...head, value: value.u64() };
    case 11:
      return { kind: 'family-gauge', ...head, family: value.family(), value: value.u64() };
    default:
      return { kind: 'bytes', ...head, data: value.rest() };
  }
}

function encodeValue(out: Writer, statistic: Statistic): void {
  const what = `statistic ${statistic.type}`;
  if (statistic.kind === 'family-gauge') {
    out.family(statistic.family);
  }
  if (statistic.kind === 'bytes') out.bytes(statistic.data);
  else if (statistic.kind === 'counter') out.u32(Number(statistic.value), what);
  else out.u64(statistic.value, what);
}

function formatStatistic(statistic: Statistic): string {
  const name = names[statistic.type] ?? `statistic ${statistic.type}`;
  if (statistic.kind === 'bytes') return `${name} ${formatHex(statistic.data)}`.trimEnd();
  const about = statistic.kind === 'family-gauge' ? ` (${familyName(statistic.family)})` : '';
  return `${name}${about} ${statistic.value.toString()}`;
}
