/**
 * Our table in the JSON of libnftables (libnftables-json(5)): the transaction that makes it, and a listing that can be
 * compared. Numbers stand for protocols and address types on both sides, as the numeric output flags have it.
 */
import { formatIpAddress, formatPrefix, isHostPrefix, parsePrefix } from '../../src/model/ip.ts';
import type { Prefix } from '../../src/model/ip.ts';
import type { NatRule, NatSet, NatTable, PortRange } from './plan.ts';

/** By family and name we know it; everything in it is ours, nothing outside is. */
export const OUR_TABLE = { family: 'inet', name: 'calico-ts' } as const;
const CHAIN = 'postrouting';
/** srcnat + 10, as Calico: kube-proxy's chain at srcnat has the first word. */
const PRIORITY = 110;

const NFPROTO = { 4: 2, 6: 10 } as const;
/** RTN_LOCAL: an address of this host, or of the interface where the lookup names it. */
const LOCAL = 2;

/** Everything in the table, one canonical text each; the rules last, in their order. Equal lists are equal tables. */
export type Listing = readonly string[];

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const within = { family: OUR_TABLE.family, table: OUR_TABLE.name } as const;

/** One transaction. Adding first makes the deletion succeed where there is no table. */
export const replaceCommands = (table: NatTable): string =>
  JSON.stringify({
    nftables: [
      { add: { table: OUR_TABLE } },
      { delete: { table: OUR_TABLE } },
      ...objectsOf(table).map((object) => ({ add: object })),
    ],
  });

export const REMOVE_COMMANDS = JSON.stringify({
  nftables: [{ add: { table: OUR_TABLE } }, { delete: { table: OUR_TABLE } }],
});

export const LIST_COMMANDS = JSON.stringify({ nftables: [{ list: { table: OUR_TABLE } }] });

/** How the table lists once the kernel has it. */
export const listingOf = (table: NatTable): Listing => canonical(objectsOf(table));

/** From the output of LIST_COMMANDS. Throws where it is not libnftables' JSON. */
export function readListing(output: string): Listing {
  const { nftables } = JSON.parse(output) as { readonly nftables: readonly { readonly [kind: string]: Json }[] };
  return canonical(nftables.filter((object) => !('metainfo' in object)));
}

function objectsOf({ sets, rules }: NatTable): readonly { readonly [kind: string]: Json }[] {
  return [
    { table: OUR_TABLE },
    ...sets.map(encodeSet),
    {
      chain: { ...within, name: CHAIN, type: 'nat', hook: CHAIN, prio: PRIORITY, policy: 'accept' },
    },
    ...rules.map(encodeRule),
  ];
}

const encodeSet = ({ name, family, prefixes }: NatSet): { readonly set: Json } => ({
  set: { ...within, name, type: `ipv${family}_addr`, flags: ['interval'], elem: prefixes.map(encodeElement) },
});

const encodeElement = (prefix: Prefix): Json => {
  const addr = formatIpAddress(prefix.address);
  return isHostPrefix(prefix) ? addr : { prefix: { addr, len: prefix.length } };
};

function encodeRule(rule: NatRule): { readonly rule: Json } {
  const { protocol, comment } = rule;
  const expr = [
    ...encodePackets(rule),
    ...(protocol === undefined ? [] : [match('==', { meta: { key: 'l4proto' } }, protocol)]),
    { counter: null },
    encodeVerdict(rule),
  ];
  return { rule: { ...within, chain: CHAIN, comment, expr } };
}

const match = (op: '==' | '!=', left: Json, right: Json): Json => ({ match: { op, left, right } });

function encodePackets({ family, packets }: NatRule): readonly Json[] {
  if (packets.kind === 'outgoing') {
    const address = (field: string): Json => ({ payload: { protocol: family === 4 ? 'ip' : 'ip6', field } });
    return [match('==', address('saddr'), `@${packets.sources}`), match('!=', address('daddr'), `@${packets.inside}`)];
  }
  const sourceType = (...flags: readonly string[]): Json => ({ fib: { result: 'type', flags } });
  return [
    match('==', { meta: { key: 'nfproto' } }, NFPROTO[family]),
    match('==', { meta: { key: 'oifname' } }, packets.link),
    match('!=', sourceType('saddr', 'oif'), LOCAL),
    match('==', sourceType('saddr'), LOCAL),
  ];
}

/** Ports by chance, so that two flows that begin at once rarely choose the same. */
function encodeVerdict({ family, address, ports }: NatRule): Json {
  const how = { ...(ports && { port: portRange(ports) }), flags: ['fully-random'] };
  if (address === undefined) return { masquerade: how };
  return { snat: { family: family === 4 ? 'ip' : 'ip6', addr: formatIpAddress(address), ...how } };
}

const portRange = ({ from, to }: PortRange): Json => (from === to ? from : { range: [from, to] });

function canonical(objects: readonly { readonly [kind: string]: Json }[]): Listing {
  const isRule = (object: { readonly [kind: string]: Json }): boolean => 'rule' in object;
  const text = (object: Json): string => JSON.stringify(normal(object));
  const others = objects.filter((object) => !isRule(object)).map(text);
  return [...others.sort(), ...objects.filter(isRule).map(text)];
}

/** Versions of libnftables differ in what they wrap into a list of one, and handles are the kernel's business. */
function normal(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.length === 1 ? normal(value[0]!) : value.map(normal);
  const entries = Object.entries(value).filter(([key]) => key !== 'handle');
  return Object.fromEntries(
    entries
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, key === 'elem' ? normal(elementTexts(inner)) : normal(inner)]),
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const elementTexts = (elements: Json): readonly string[] =>
  (isList(elements) ? elements : [elements]).map(elementText).sort();

/** `10.0.0.0/8`; what is none of ours (ranges, timeouts, comments) as it came. */
function elementText(element: Json): string {
  try {
    return formatPrefix(parsePrefix(prefixText(element)));
  } catch {
    return JSON.stringify(element);
  }
}

function prefixText(element: Json): string {
  if (typeof element === 'string') return element;
  const { prefix } = element as { readonly prefix: { readonly addr: string; readonly len: number } };
  return `${prefix.addr}/${prefix.len}`;
}
