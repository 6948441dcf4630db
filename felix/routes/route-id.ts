/**
 * A route's key in one value, for tables of 100,000: equal for routes that replace each other, and for no others.
 *
 *     10.0.0.0/26 in main, metric 0, TOS 0    the number  address * 64 + length
 *     everything else                         a text of 16-bit units:  family+length, TOS, table, metric, address
 *
 * For eyes there is formatRouteId.
 */
import { formatPrefix, ipv4Address } from '../../src/model/ip.ts';
import type { IpAddress, Prefix } from '../../src/model/ip.ts';
import { MAIN_TABLE, storedMetric } from './kernel-route.ts';
import type { RouteKey } from './kernel-route.ts';

export type RouteId = number | string;

/** Lengths of IPv4 need six bits. */
const LENGTHS = 64;
const IPV6_MARK = 0x100;
/** Units before the address. */
const FIXED_UNITS = 6;

export function routeId({ prefix, table, metric, tos = 0 }: RouteKey): RouteId {
  const { address, length } = prefix;
  const stored = storedMetric(address.family, metric);
  if (address.family === 4 && table === MAIN_TABLE && stored === 0 && tos === 0) {
    return ipv4RouteId(address.words[0]!, length);
  }
  const mark = address.family === 6 ? IPV6_MARK : 0;
  const units = [mark | length, tos, table >>> 16, table & 0xffff, stored >>> 16, stored & 0xffff];
  for (const word of address.words) units.push(word >>> 16, word & 0xffff);
  return String.fromCharCode(...units);
}

/** Of a route in table main with metric and TOS 0. `address`: an IPv4 address as one word, its host bits zero. */
export const ipv4RouteId = (address: number, length: number): number => address * LENGTHS + length;

/** Of what our own routes are: in table main, with the metric that metric 0 becomes. */
export const prefixId = (prefix: Prefix): RouteId => routeId({ prefix, table: MAIN_TABLE, metric: 0 });

const lengthOfId = (id: RouteId): number =>
  typeof id === 'number' ? id & (LENGTHS - 1) : id.charCodeAt(0) & (IPV6_MARK - 1);

export const isIpv4Route = (id: RouteId): boolean => typeof id === 'number' || id.charCodeAt(0) < IPV6_MARK;

/** A /32 or /128. */
export const isHostRoute = (id: RouteId): boolean => lengthOfId(id) === (isIpv4Route(id) ? 32 : 128);

export const prefixOfId = (id: RouteId): Prefix => ({ address: addressOfId(id), length: lengthOfId(id) });

/** As stored. */
export function keyOfId(id: RouteId): Required<RouteKey> {
  const prefix = prefixOfId(id);
  if (typeof id === 'number') return { prefix, table: MAIN_TABLE, metric: 0, tos: 0 };
  return { prefix, tos: id.charCodeAt(1), table: wordAt(id, 2), metric: wordAt(id, 4) };
}

/** `10.0.0.0/26`, `10.0.0.0/26 table 254 metric 512 tos 0`. */
export function formatRouteId(id: RouteId): string {
  const { prefix, table, metric, tos } = keyOfId(id);
  if (id === prefixId(prefix)) return formatPrefix(prefix);
  return `${formatPrefix(prefix)} table ${table} metric ${metric} tos ${tos}`;
}

function addressOfId(id: RouteId): IpAddress {
  if (typeof id === 'number') return ipv4Address(id / LENGTHS);
  const words: number[] = [];
  for (let at = FIXED_UNITS; at < id.length; at += 2) words.push(wordAt(id, at));
  return { family: words.length === 1 ? 4 : 6, words };
}

const wordAt = (id: string, at: number): number => id.charCodeAt(at) * 0x1_0000 + id.charCodeAt(at + 1);
