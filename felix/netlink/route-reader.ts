/** Reads the routes of a dump or of a notification: struct rtmsg and its attributes, octet by octet, because a dump may have 100,000. */
import { prefixOf } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { ROUTE_TYPES } from '../kernel.ts';
import type { KernelHop, KernelRoute, RouteType } from '../kernel.ts';
import { SharedHops } from '../shared-hops.ts';
import { LITTLE_ENDIAN, aligned, readAddress } from './attribute.ts';
import { AF, HOP_FLAG, METRIC, ROUTE_FLAG, RTA } from './constants.ts';

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

/** One for a whole dump: routes over the same single IPv4 hop share that hop, for a node has many routes and few neighbours. */
export class RouteReader {
  readonly #hops = new SharedHops();

  /** Undefined for what is no IP route (other families) or no configured one (a clone). Throws where a length leads outside. */
  readonly read = (body: Uint8Array): KernelRoute | undefined => {
    if (body.length < FIXED_OCTETS) throw new Error(`a route of ${body.length} octets, ${FIXED_OCTETS} are the least`);
    const flags = u32At(body, 8);
    if ((body[0] !== AF.inet && body[0] !== AF.inet6) || (flags & ROUTE_FLAG.cloned) !== 0) return undefined;
    const family = body[0] === AF.inet ? 4 : 6;
    const places = findAttributes(body, FIXED_OCTETS, body.length);
    const type = ROUTE_TYPES[body[7]!] ?? 'unspec';
    const route: Writable<KernelRoute> = {
      prefix: prefixAt(body, family, places.dst),
      table: places.table === 0 ? body[4]! : u32At(body, places.table),
      protocol: body[5]!,
      type,
      scope: body[6]!,
      metric: places.priority === 0 ? 0 : u32At(body, places.priority),
      hops: HOPLESS.includes(type) ? NO_HOPS : this.#hopsAt(body, flags, places),
    };
    if (body[3] !== 0) route.tos = body[3]!;
    if (places.prefSrc !== 0) route.source = addressAt(body, places.prefSrc);
    const mtu = places.metrics === 0 ? undefined : mtuAt(body, places.metrics);
    if (mtu !== undefined) route.mtu = mtu;
    return route;
  };

  #hopsAt(body: Uint8Array, flags: number, places: Places): readonly KernelHop[] {
    if (places.multipath !== 0) return multipathAt(body, places.multipath);
    if (places.oif === 0) return NO_HOPS;
    const ifindex = u32At(body, places.oif);
    const { gateway } = places;
    if (gateway === 0 || valueEnd(body, gateway) !== gateway + 4) return [hopOf(body, places, { ifindex, flags })];
    return this.#hops.ipv4(wordAt(body, gateway), ifindex, (flags & HOP_FLAG.onlink) !== 0);
  }
}

/** One route by itself. */
export const decodeRoute = (body: Uint8Array): KernelRoute | undefined => new RouteReader().read(body);

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
