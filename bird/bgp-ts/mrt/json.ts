/** Records as JSON and back. Addresses, prefixes and states are text, octets are hex digits. */
import { nextHopText } from '../attribute/next-hop-text.ts';
import { pathAttributes } from '../attribute/text.ts';
import { address, hex, ipv4 } from '../json/address.ts';
import type { Fields, Json, JsonCodec } from '../json/codec.ts';
import {
  boolean,
  constant,
  flag,
  fromJson,
  list,
  oneOf,
  optional,
  record,
  refused,
  tagged,
  text,
  u16,
  u32,
  u8,
} from '../json/codec.ts';
import { attributeFault } from '../json/fault.ts';
import { familyNlri } from '../nlri/table.ts';
import type {
  Bgp4mpMessage,
  Bgp4mpStateChange,
  FinelyTimed,
  GeoPeerTable,
  IndexedPeer,
  LocatedPeer,
  MrtRecord,
  PeerIndexTable,
  RecordedSession,
  RecordedState,
  Rib,
  RibEntry,
  Timed,
  UnknownRecord,
} from './record.ts';
import { bgpStates } from './record.ts';

const timed: Fields<Timed> = { timestampSeconds: u32 };
const finelyTimed: Fields<FinelyTimed> = { ...timed, microseconds: optional(u32) };

const peerIndexTable = record<PeerIndexTable>({
  type: constant('peer-index-table'),
  ...timed,
  collectorBgpIdentifier: ipv4,
  viewName: text,
  peers: list(record<IndexedPeer>({ bgpIdentifier: ipv4, address, asn: u32, fourOctetAs: boolean })),
});

const rib = record<Rib>({
  type: constant('rib'),
  ...timed,
  generic: optional(flag),
  addPath: boolean,
  sequence: u32,
  nlri: familyNlri,
  entries: list(
    record<RibEntry>({
      peerIndex: u16,
      originatedTime: u32,
      pathId: optional(u32),
      attributes: pathAttributes,
      ipv4NextHop: optional(nextHopText),
      faults: list(attributeFault),
    }),
  ),
});

/** A 32-bit float; as text where JSON has no number for it. */
const float: JsonCodec<number> = {
  to: (value) =>
    Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value),
  from: (json, at) => {
    if (typeof json === 'string' && ['NaN', 'Infinity', '-Infinity', '-0'].includes(json)) return Number(json);
    const value = typeof json === 'number' ? Math.fround(json) : NaN;
    if (Number.isFinite(value)) return value;
    throw refused(at, json, 'a number of 32 bits, NaN, Infinity or -Infinity');
  },
};

const geoPeerTable = record<GeoPeerTable>({
  type: constant('geo-peer-table'),
  ...timed,
  collectorBgpIdentifier: ipv4,
  latitude: float,
  longitude: float,
  peers: list(record<LocatedPeer>({ peerType: u8, bgpIdentifier: ipv4, latitude: float, longitude: float })),
});

const session: Fields<RecordedSession> = {
  ...finelyTimed,
  peerAsn: u32,
  localAsn: u32,
  interfaceIndex: u16,
  peerAddress: address,
  localAddress: address,
  fourOctetAs: boolean,
};

const bgp4mpMessage = record<Bgp4mpMessage>({
  type: constant('bgp4mp-message'),
  ...session,
  local: boolean,
  addPath: boolean,
  bgp: hex(),
});

const stateWord = oneOf(bgpStates);

const state: JsonCodec<RecordedState> = {
  to: (value) => value,
  from: (json, at) => (typeof json === 'number' ? u16.from(json, at) : stateWord.from(json, at)),
};

const bgp4mpStateChange = record<Bgp4mpStateChange>({
  type: constant('bgp4mp-state-change'),
  ...session,
  oldState: state,
  newState: state,
});

const unknown = record<UnknownRecord>({
  type: constant('unknown'),
  ...finelyTimed,
  mrtType: u16,
  subtype: u16,
  body: hex(),
});

/** A kind of record without a codec does not compile. */
const codecs: { readonly [T in MrtRecord['type']]: JsonCodec<Extract<MrtRecord, { readonly type: T }>> } = {
  'peer-index-table': peerIndexTable,
  rib,
  'geo-peer-table': geoPeerTable,
  'bgp4mp-message': bgp4mpMessage,
  'bgp4mp-state-change': bgp4mpStateChange,
  unknown,
};

const mrtJson = tagged<MrtRecord>('type', codecs);

/** What `JSON.stringify` writes without loss. */
export const mrtToJson = (record: MrtRecord): Json => mrtJson.to(record);

/** The record, or one clause that names the field and the value. */
export type MrtFromJson =
  { readonly kind: 'ok'; readonly record: MrtRecord } | { readonly kind: 'invalid'; readonly text: string };

/**
 * The opposite of `mrtToJson`, for what `JSON.parse` gave. Unknown and missing fields are refused; whether the fields fit
 * one subtype together is for `encodeMrt` to say. Never throws.
 */
export function mrtFromJson(json: unknown): MrtFromJson {
  const result = fromJson(mrtJson, json);
  return result.kind === 'ok' ? { kind: 'ok', record: result.value } : result;
}
