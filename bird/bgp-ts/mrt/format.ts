import { formatNextHop } from '../attribute/next-hop-text.ts';
import { formatAttributes } from '../attribute/text.ts';
import { printable } from '../json/printable.ts';
import { formatTime } from '../json/time.ts';
import { formatAddress, formatHex, formatIpv4 } from '../json/address.ts';
import { formatMessage } from '../message/format.ts';
import { familyName } from '../nlri/families.ts';
import { formatNlri } from '../nlri/table.ts';
import { decodeBgp4mpMessage } from './bgp4mp-message.ts';
import type {
  Bgp4mpMessage,
  Bgp4mpStateChange,
  GeoPeerTable,
  MrtRecord,
  PeerIndexTable,
  Rib,
  RibEntry,
  UnknownRecord,
} from './record.ts';
import { rowOfRecord } from './table.ts';

/** One line for people: time, subtype, content. Not for machines, and free to change. No control characters. */
export function formatMrt(record: MrtRecord): string {
  const microseconds = 'microseconds' in record ? record.microseconds : undefined;
  const time = formatTime(record.timestampSeconds, microseconds);
  return printable(`${time} ${nameOf(record)} ${contentOf(record)}`.trimEnd());
}

const nameOf = (record: MrtRecord): string =>
  record.type === 'unknown'
    ? `MRT ${typeNames.get(record.mrtType) ?? record.mrtType}/${record.subtype}`
    : (rowOfRecord(record)?.name ?? record.type);

/** RFC 6396 §4, for records that are kept as bytes. */
const typeNames: ReadonlyMap<number, string> = new Map([
  [11, 'OSPFv2'],
  [12, 'TABLE_DUMP'],
  [13, 'TABLE_DUMP_V2'],
  [16, 'BGP4MP'],
  [17, 'BGP4MP_ET'],
  [32, 'ISIS'],
  [33, 'ISIS_ET'],
  [48, 'OSPFv3'],
  [49, 'OSPFv3_ET'],
]);

function contentOf(record: MrtRecord): string {
  switch (record.type) {
    case 'peer-index-table':
      return formatPeerIndexTable(record);
    case 'rib':
      return formatRib(record);
    case 'geo-peer-table':
      return formatGeoPeerTable(record);
    case 'bgp4mp-message':
      return formatBgp4mpMessage(record);
    case 'bgp4mp-state-change':
      return formatStateChange(record);
    case 'unknown':
      return formatUnknown(record);
  }
}

function formatPeerIndexTable({ collectorBgpIdentifier, viewName, peers }: PeerIndexTable): string {
  const view = viewName === '' ? '' : ` view "${viewName}"`;
  const texts = peers.map(
    ({ address, asn, bgpIdentifier }, i) =>
      `${i} ${formatAddress(address)} AS ${asn} identifier ${formatIpv4(bgpIdentifier)}`,
  );
  return `collector ${formatIpv4(collectorBgpIdentifier)}${view} peers [${texts.join(', ')}]`;
}

function formatRib({ generic, sequence, nlri, entries }: Rib): string {
  const family = generic === true ? ` ${familyName(nlri.family)}` : '';
  return [`sequence ${sequence}${family} ${formatNlri(nlri)}`, ...entries.map(formatEntry)].join(' | ');
}

function formatEntry({ peerIndex, originatedTime, pathId, attributes, ipv4NextHop, faults }: RibEntry): string {
  return [
    `peer ${peerIndex} since ${formatTime(originatedTime)}`,
    ...(pathId === undefined ? [] : [`path ${pathId}`]),
    ...formatAttributes(attributes),
    ...(ipv4NextHop === undefined ? [] : [`ipv4-next-hop ${formatNextHop(ipv4NextHop)}`]),
    ...faults.map(({ text }) => `(${text})`),
  ].join(' ');
}

function formatGeoPeerTable({ collectorBgpIdentifier, latitude, longitude, peers }: GeoPeerTable): string {
  const texts = peers.map((peer, i) => `${i} identifier ${formatIpv4(peer.bgpIdentifier)} at ${formatPlace(peer)}`);
  const collector = `collector ${formatIpv4(collectorBgpIdentifier)} at ${formatPlace({ latitude, longitude })}`;
  return `${collector} peers [${texts.join(', ')}]`;
}

const formatPlace = ({ latitude, longitude }: Pick<GeoPeerTable, 'latitude' | 'longitude'>): string =>
  Number.isNaN(latitude) || Number.isNaN(longitude) ? 'a private place' : `${latitude} ${longitude}`;

function formatBgp4mpMessage(record: Bgp4mpMessage): string {
  const result = decodeBgp4mpMessage(record);
  const content = result.kind === 'ok' ? formatMessage(result.message) : `malformed (${result.fault.text})`;
  const [peer, local] = formatEnds(record);
  return `from ${record.local ? `${local} to ${peer}` : `${peer} to ${local}`}: ${content}`;
}

function formatStateChange(record: Bgp4mpStateChange): string {
  const [peer, local] = formatEnds(record);
  return `peer ${peer} local ${local}: ${record.oldState} to ${record.newState}`;
}

const formatEnds = (
  record: Pick<Bgp4mpMessage, 'peerAddress' | 'peerAsn' | 'localAddress' | 'localAsn'>,
): readonly [peer: string, local: string] => [
  `${formatAddress(record.peerAddress)} AS ${record.peerAsn}`,
  `${formatAddress(record.localAddress)} AS ${record.localAsn}`,
];

const formatUnknown = ({ body }: UnknownRecord): string => formatHex(body);
