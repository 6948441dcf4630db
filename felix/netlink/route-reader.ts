/** Reads the routes of a dump or of a notification: struct rtmsg and its attributes, octet by octet, because a dump may have 100,000. */
import { prefixOf } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import type { KernelHop, KernelRoute, RouteBody, RouteType } from '../routes/kernel-route.ts';
import { MAIN_TABLE, ROUTE_TYPES } from '../routes/kernel-route.ts';
import { ipv4RouteId, routeId } from '../routes/route-id.ts';
import { RouteList } from '../routes/route-list.ts';
import { LITTLE_ENDIAN, aligned, readAddress } from './attribute.ts';
import { AF, HOP_FLAG, METRIC, ROUTE_FLAG, RTA } from './constants.ts';
import { SharedBodies } from './shared-bodies.ts';

const FIXED_OCTETS = 12;
const HOP_OCTETS = 8;
const ATTRIBUTE_OCTETS = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER share the field with the type. */
const TYPE_MASK = 0x3fff;
/** IPv6 hangs its blackholes on `lo`; that is no hop. */
export const HOPLESS: readonly RouteType[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];
const ANY_IPV4: IpAddress = { family: 4, words: [0] };
const ANY_IPV6: IpAddress = { family: 6, words: [0, 0, 0, 0] };

/** Where the value of each attribute that we know begins in the message, 0: it has none. */
interface Places {
  dst: number;
  oif: number;
  gateway: number;
  priority: number;
  prefSrc: number;
  metrics: number;
  multipath: number;
  table: number;
  via: number;
}

/** One for a whole dump of one table: routes over the same single IPv4 hop share all but their prefix. */
export class RouteReader {
  readonly list = new RouteList();
  readonly #table: number;
  readonly #bodies = new SharedBodies();

  constructor(table: number) {
    this.#table = table;
  }

  /**
   * One more, if it is of the table. What is no IP route (other families) or no configured one (a clone) is left out. Throws
   * where a length leads outside.
   */
  readonly read = (message: Uint8Array): void => {
    const family = familyOf(message);
    if (family === undefined) return;
    const places = findAttributes(message, FIXED_OCTETS, message.length);
    if (tableAt(message, places) !== this.#table) return;
    const body = this.#bodyAt(message, places);
    const isUsual = family === 4 && body.table === MAIN_TABLE && body.metric === 0 && body.tos === undefined;
    const id = isUsual
      ? ipv4RouteId(places.dst === 0 ? 0 : wordAt(message, places.dst), message[1]!)
      : routeId({ prefix: prefixAt(message, family, places.dst), ...body });
    this.list.add(id, body);
  };

  #bodyAt(message: Uint8Array, places: Places): RouteBody {
    const { gateway, oif } = places;
    const isPlain = gateway !== 0 && valueEnd(message, gateway) === gateway + 4 && oif !== 0 && message[3] === 0;
    if (!isPlain || places.multipath !== 0 || places.prefSrc !== 0 || places.metrics !== 0) {
      return bodyAt(message, places);
    }
    const onlink = (u32At(message, 8) & HOP_FLAG.onlink) !== 0;
    const known = this.#bodies.over(wordAt(message, gateway), u32At(message, oif), onlink);
    const metric = metricAt(message, places);
    const type = ROUTE_TYPES[message[7]!];
    const same = known.find(
      (one) => one.protocol === message[5] && one.scope === message[6] && one.type === type && one.metric === metric,
    );
    if (same !== undefined) return same;
    const made = bodyAt(message, places);
    known.push(made);
    return made;
  }
}

/** One route by itself; undefined for what RouteReader leaves out. Throws where a length leads outside. */
export function decodeRoute(message: Uint8Array): KernelRoute | undefined {
  const family = familyOf(message);
  if (family === undefined) return undefined;
  const places = findAttributes(message, FIXED_OCTETS, message.length);
  return { prefix: prefixAt(message, family, places.dst), ...bodyAt(message, places) };
}

function familyOf(message: Uint8Array): IpFamily | undefined {
  if (message.length < FIXED_OCTETS) {
    throw new Error(`a route of ${message.length} octets, ${FIXED_OCTETS} are the least`);
  }
  const isIp = message[0] === AF.inet || message[0] === AF.inet6;
  if (!isIp || (u32At(message, 8) & ROUTE_FLAG.cloned) !== 0) return undefined;
  return message[0] === AF.inet ? 4 : 6;
}

const tableAt = (message: Uint8Array, { table }: Places): number => (table === 0 ? message[4]! : u32At(message, table));

const metricAt = (message: Uint8Array, { priority }: Places): number => (priority === 0 ? 0 : u32At(message, priority));

function bodyAt(message: Uint8Array, places: Places): RouteBody {
  const type = ROUTE_TYPES[message[7]!] ?? 'unspec';
  const body: Writable<RouteBody> = {
    table: tableAt(message, places),
    protocol: message[5]!,
    type,
    scope: message[6]!,
    metric: metricAt(message, places),
    hops: HOPLESS.includes(type) ? NO_HOPS : hopsAt(message, places),
  };
  if (message[3] !== 0) body.tos = message[3]!;
  if (places.prefSrc !== 0) body.source = addressAt(message, places.prefSrc);
  const mtu = places.metrics === 0 ? undefined : mtuAt(message, places.metrics);
  if (mtu !== undefined) body.mtu = mtu;
  return body;
}

function hopsAt(message: Uint8Array, places: Places): readonly KernelHop[] {
  if (places.multipath !== 0) return multipathAt(message, places.multipath);
  if (places.oif === 0) return NO_HOPS;
  return [hopOf(message, places, { ifindex: u32At(message, places.oif), flags: u32At(message, 8) })];
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NO_HOPS: readonly KernelHop[] = [];

const u16At = (octets: Uint8Array, at: number): number =>
  LITTLE_ENDIAN ? octets[at]! | (octets[at + 1]! << 8) : (octets[at]! << 8) | octets[at + 1]!;

const u32At = (octets: Uint8Array, at: number): number =>
  LITTLE_ENDIAN
    ? (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)) >>> 0
    : wordAt(octets, at);

/** In network byte order, as addresses are. */
const wordAt = (octets: Uint8Array, at: number): number =>
  ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0;

/** Where the value that begins at `at` ends, by the length before it. */
const valueEnd = (octets: Uint8Array, at: number): number =>
  at - ATTRIBUTE_OCTETS + u16At(octets, at - ATTRIBUTE_OCTETS);

/** Throws where a length leads beyond `end`. */
function findAttributes(octets: Uint8Array, start: number, end: number): Places {
  const places = { dst: 0, oif: 0, gateway: 0, priority: 0, prefSrc: 0, metrics: 0, multipath: 0, table: 0, via: 0 };
  for (let at = start; at + ATTRIBUTE_OCTETS <= end;) {
    const length = u16At(octets, at);
    if (length < ATTRIBUTE_OCTETS || at + length > end) {
      throw new Error(`netlink attribute at octet ${at} says ${length} octets, ${end - at} are left`);
    }
    note(places, u16At(octets, at + 2) & TYPE_MASK, at + ATTRIBUTE_OCTETS);
    at += aligned(length);
  }
  return places;
}

function note(places: Places, type: number, at: number): void {
  switch (type) {
    case RTA.dst:
      places.dst = at;
      break;
    case RTA.oif:
      places.oif = at;
      break;
    case RTA.gateway:
      places.gateway = at;
      break;
    case RTA.priority:
      places.priority = at;
      break;
    case RTA.prefSrc:
      places.prefSrc = at;
      break;
    case RTA.metrics:
      places.metrics = at;
      break;
    case RTA.multipath:
      places.multipath = at;
      break;
    case RTA.table:
      places.table = at;
      break;
    case RTA.via:
      places.via = at;
      break;
    default:
  }
}

function prefixAt(octets: Uint8Array, family: IpFamily, at: number): Prefix {
  const length = octets[1]!;
  if (at === 0) return { address: family === 4 ? ANY_IPV4 : ANY_IPV6, length };
  return prefixOf(addressAt(octets, at), length);
}

function addressAt(octets: Uint8Array, at: number): IpAddress {
  const end = valueEnd(octets, at);
  return end === at + 4 ? { family: 4, words: [wordAt(octets, at)] } : readAddress(octets.subarray(at, end));
}

function mtuAt(octets: Uint8Array, at: number): number | undefined {
  const end = valueEnd(octets, at);
  for (let inner = at; inner + ATTRIBUTE_OCTETS <= end;) {
    const length = u16At(octets, inner);
    if (length < ATTRIBUTE_OCTETS || inner + length > end) {
      throw new Error(`route metric at octet ${inner} says ${length} octets, ${end - inner} are left`);
    }
    if ((u16At(octets, inner + 2) & TYPE_MASK) === METRIC.mtu) return u32At(octets, inner + ATTRIBUTE_OCTETS);
    inner += aligned(length);
  }
  return undefined;
}

interface HopFields {
  readonly ifindex: number;
  readonly flags: number;
}

function hopOf(octets: Uint8Array, places: Places, { ifindex, flags }: HopFields): KernelHop {
  const onlink = (flags & HOP_FLAG.onlink) !== 0;
  const gateway = gatewayAt(octets, places);
  return gateway === undefined ? { ifindex, onlink } : { gateway, ifindex, onlink };
}

/** RTA_VIA has its address's family before it. */
function gatewayAt(octets: Uint8Array, { gateway, via }: Places): IpAddress | undefined {
  if (gateway !== 0) return addressAt(octets, gateway);
  return via === 0 ? undefined : readAddress(octets.subarray(via + 2, valueEnd(octets, via)));
}

function multipathAt(octets: Uint8Array, start: number): readonly KernelHop[] {
  const hops: KernelHop[] = [];
  const end = valueEnd(octets, start);
  for (let at = start; at + HOP_OCTETS <= end;) {
    const length = u16At(octets, at);
    if (length < HOP_OCTETS || at + length > end) {
      throw new Error(`next hop at octet ${at} says ${length} octets, ${end - at} are left`);
    }
    const places = findAttributes(octets, at + HOP_OCTETS, at + length);
    hops.push(hopOf(octets, places, { ifindex: u32At(octets, at + 4), flags: octets[at + 2]! }));
    at += aligned(length);
  }
  return hops;
}
