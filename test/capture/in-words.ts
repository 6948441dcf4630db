import type { FamilyNlri, FlowComponent, FlowMatch, PathAttributes, Update } from '../../bird/bgp-ts/index.ts';
import { familyKey, formatAsPath } from '../../bird/bgp-ts/index.ts';
import { formatIpAddress, formatIpv4 } from '../../src/model/ip.ts';
import { hex } from '../support/bgp-bytes.ts';
import type { AttributesText, Expected, NlriText } from './fixture.ts';

/** What an UPDATE says, in the words of a fixture's `expect`: one entry per prefix, each with all attributes. */
export function inWords(update: Update): readonly Expected[] {
  if (update.endOfRib !== undefined) return [{ family: familyKey(update.endOfRib), endOfRib: true }];
  return [
    ...update.withdrawn.flatMap((group) =>
      entries(group).map((withdraw) => ({ family: familyKey(group.family), withdraw })),
    ),
    ...update.announced.flatMap((group) => {
      const attributes = attributesInWords(update.attributes);
      return entries(group).map((announce) => ({ family: familyKey(group.family), announce, ...attributes }));
    }),
  ];
}

function entries(group: FamilyNlri): readonly NlriText[] {
  switch (group.kind) {
    case 'prefix':
      return group.nlri.map((entry) =>
        entry.pathId === 0 ? prefix(entry) : { prefix: prefix(entry), pathId: entry.pathId },
      );
    case 'labeled':
      return group.nlri.map((entry) => ({ prefix: prefix(entry), labels: entry.labels }));
    case 'vpn':
      return group.nlri.map((entry) => ({
        prefix: prefix(entry),
        labels: entry.labels,
        rd: distinguisher(entry.routeDistinguisher),
      }));
    case 'flow':
      return group.nlri.map(({ components, routeDistinguisher, rest }) => ({
        flow: [...components.map((each) => component(each, group.family.afi)), ...(rest === undefined ? [] : ['rest'])],
        ...(routeDistinguisher !== undefined && { rd: distinguisher(routeDistinguisher) }),
      }));
    case 'bytes':
      return [hex(group.nlri)];
  }
}

interface Prefix {
  readonly words: readonly number[];
  readonly length: number;
}

const prefix = ({ words, length }: Prefix): string =>
  `${formatIpAddress({ family: words.length === 1 ? 4 : 6, words })}/${length}`;

/** `0:65010:1`: the type, then administrator and number as RFC 4364 §4.2 has them. */
function distinguisher(octets: Uint8Array): string {
  const view = viewOf(octets);
  const type = view.getUint16(0);
  if (type === 0) return `0:${view.getUint16(2)}:${view.getUint32(4)}`;
  const administrator = view.getUint32(2);
  return `${type}:${type === 1 ? formatIpv4(administrator) : administrator}:${view.getUint16(6)}`;
}

const COMPONENTS = [
  ...['', 'destination', 'source', 'protocol', 'port', 'destination-port', 'source-port', 'icmp-type', 'icmp-code'],
  ...['tcp-flags', 'packet-length', 'dscp', 'fragment', 'flow-label'],
];
const BIT_MASKS = ['tcp-flags', 'fragment'];
const OF_NUMBERS = ['?', '=', '>', '>=', '<', '<=', '!=', '*'];
const OF_BIT_MASKS = ['', '=', '!', '!='];

function component(each: FlowComponent, afi: number): string {
  const name = COMPONENTS[each.type] ?? String(each.type);
  if (!('matches' in each)) return `${name} ${prefix(each)}${afi === 2 ? ` offset ${each.offset}` : ''}`;
  const operators = BIT_MASKS.includes(name) ? OF_BIT_MASKS : OF_NUMBERS;
  const match = ({ and, operator, value }: FlowMatch, index: number): string =>
    `${index === 0 ? '' : and ? '&' : ' | '}${operators[operator] ?? operator}${value}`;
  return `${name} ${each.matches.map(match).join('')}`;
}

function attributesInWords(attributes: PathAttributes): AttributesText {
  const { origin, asPath, nextHop, med, localPref, aggregator, originatorId, clusterList, aigp, unknown } = attributes;
  const { communities, largeCommunities, extendedCommunities } = attributes;
  return {
    origin: origin ?? 'incomplete',
    asPath: formatAsPath(asPath ?? []),
    ...(nextHop !== undefined && { nextHop: nextHopInWords(nextHop) }),
    ...(med !== undefined && { med }),
    ...(localPref !== undefined && { localPref }),
    ...(attributes.atomicAggregate && { atomicAggregate: true }),
    ...(aggregator !== undefined && { aggregator: `${aggregator.asn} ${formatIpv4(aggregator.address)}` }),
    ...(communities !== undefined && { communities: communities.map((value) => `${value >>> 16}:${value & 0xffff}`) }),
    ...(largeCommunities !== undefined && { largeCommunities: largeCommunities.map((value) => value.join(':')) }),
    ...(extendedCommunities !== undefined && { extendedCommunities: extendedCommunities.map(extendedCommunity) }),
    ...(originatorId !== undefined && { originatorId: formatIpv4(originatorId) }),
    ...(clusterList !== undefined && { clusterList: clusterList.map(formatIpv4) }),
    ...(unknown !== undefined && { unknown: unknown.map(({ code, value }) => `${code} ${hex(value)}`) }),
    ...(aigp?.[0] !== undefined && { aigp: Number(viewOf(aigp[0].value).getBigUint64(0)) }),
  };
}

/** One address, or a global and a link-local one; before each of a VPN its route distinguisher. */
function nextHopInWords(octets: Uint8Array): string {
  if (octets.length === 12 || octets.length === 24) {
    return `${distinguisher(octets.subarray(0, 8))} ${nextHopInWords(octets.subarray(8))}`;
  }
  if (octets.length === 32) return [octets.subarray(0, 16), octets.subarray(16)].map(nextHopInWords).join(' ');
  const view = viewOf(octets);
  const words = Array.from({ length: octets.length / 4 }, (_, index) => view.getUint32(4 * index));
  return formatIpAddress({ family: octets.length === 4 ? 4 : 6, words });
}

/** RFC 4360 §3, §4; RFC 5668: route target and route origin of the three transitive kinds, the rest as hex. */
function extendedCommunity(octets: Uint8Array): string {
  const name = octets[1] === 2 ? 'rt' : octets[1] === 3 ? 'soo' : undefined;
  return name === undefined || octets[0]! > 2 ? hex(octets) : `${name} ${distinguisher(withType(octets)).slice(2)}`;
}

/** The same layout as a route distinguisher, but for the type. */
const withType = (octets: Uint8Array): Uint8Array => Uint8Array.from([0, octets[0]!, ...octets.subarray(2)]);

const viewOf = (octets: Uint8Array): DataView => new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
