/** RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE: struct rtmsg and its attributes. */
import { addressBits, prefixOf } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { ROUTE_TYPES } from '../kernel.ts';
import type { KernelHop, KernelRoute, Resolution, RouteChange, RouteType } from '../kernel.ts';
import {
  LITTLE_ENDIAN,
  addressOctets,
  aligned,
  concat,
  decodeAttributes,
  encodeAttributes,
  readAddress,
  readU32,
  u32,
  viewOf,
} from './attribute.ts';
import type { Attribute, Attributes } from './attribute.ts';
import { AF, FLAG, HOP_FLAG, METRIC, ROUTE_FLAG, RTA, RTM } from './constants.ts';
import type { Request } from './header.ts';

const FIXED_OCTETS = 12;
const HOP_OCTETS = 8;
/** RT_SCOPE_NOWHERE and RTN_UNSPEC match every route in a removal. */
const ANY_SCOPE = 255;
const ANY_TYPE = 0;
/** In rtmsg, tables above 255 are `unspec` and stand in RTA_TABLE alone. */
const tableOctet = (table: number): number => (table > 255 ? 0 : table);

interface Fixed {
  readonly family: IpFamily;
  readonly length: number;
  readonly tos?: number | undefined;
  readonly table: number;
  readonly protocol?: number;
  readonly scope?: number;
  readonly type?: number;
  readonly flags?: number;
}

function encodeFixed({
  family,
  length,
  tos = 0,
  table,
  protocol = 0,
  scope = 0,
  type = 0,
  flags = 0,
}: Fixed): Uint8Array {
  const familyNumber = family === 4 ? AF.inet : AF.inet6;
  return concat([Uint8Array.of(familyNumber, length, 0, tos, tableOctet(table), protocol, scope, type), u32(flags)]);
}

export function encodeRouteChange(change: RouteChange): Request {
  if (change.op === 'replace') {
    return { type: RTM.newRoute, flags: FLAG.create | FLAG.replace, body: encodeRoute(change.route) };
  }
  const { prefix, table, tos, metric, protocol } = change.route;
  const { family } = prefix.address;
  const fixed = encodeFixed({ family, length: prefix.length, tos, table, protocol, scope: ANY_SCOPE, type: ANY_TYPE });
  // In a removal metric 0 means any metric; IPv6 stores 1024 for it, so there the key stays exact.
  const storedMetric = metric === 0 && family === 6 ? 1024 : metric;
  const attributes = encodeAttributes([
    ...destination(prefix),
    [RTA.priority, u32(storedMetric)],
    [RTA.table, u32(table)],
  ]);
  return { type: RTM.delRoute, flags: 0, body: concat([fixed, attributes]) };
}

/** The body of RTM_NEWROUTE. */
export function encodeRoute(route: KernelRoute): Uint8Array {
  const { prefix, table, tos, protocol, scope, metric, hops, source, mtu } = route;
  const { family } = prefix.address;
  const single = hops.length === 1 ? hops[0]! : undefined;
  const type = ROUTE_TYPES.indexOf(route.type);
  const flags = single === undefined ? 0 : hopFlags(single);
  const attributes: Attribute[] = [...destination(prefix), [RTA.priority, u32(metric)], [RTA.table, u32(table)]];
  if (source !== undefined) attributes.push([RTA.prefSrc, addressOctets(source)]);
  if (mtu !== undefined) attributes.push([RTA.metrics, encodeAttributes([[METRIC.mtu, u32(mtu)]])]);
  if (single !== undefined) attributes.push([RTA.oif, u32(single.ifindex)], ...gatewayAttributes(single, family));
  if (hops.length > 1) attributes.push([RTA.multipath, concat(hops.map((hop) => encodeHop(hop, family)))]);
  const fixed = encodeFixed({ family, length: prefix.length, tos, table, protocol, scope, type, flags });
  return concat([fixed, encodeAttributes(attributes)]);
}

/** The kernel takes the default route without RTA_DST. */
const destination = ({ address, length }: Prefix): Attribute[] =>
  length === 0 ? [] : [[RTA.dst, addressOctets(address)]];

const hopFlags = ({ onlink }: KernelHop): number => (onlink ? HOP_FLAG.onlink : 0);

/** A gateway of the other family goes into RTA_VIA, with its family before it. */
function gatewayAttributes({ gateway }: KernelHop, family: IpFamily): Attribute[] {
  if (gateway === undefined) return [];
  const octets = addressOctets(gateway);
  if (gateway.family === family) return [[RTA.gateway, octets]];
  const familyOctets = new Uint8Array(2);
  viewOf(familyOctets).setUint16(0, gateway.family === 4 ? AF.inet : AF.inet6, LITTLE_ENDIAN);
  return [[RTA.via, concat([familyOctets, octets])]];
}

/** struct rtnexthop: length, flags, weight less one, interface; then attributes. */
function encodeHop(hop: KernelHop, family: IpFamily): Uint8Array {
  const attributes = encodeAttributes(gatewayAttributes(hop, family));
  const fixed = new Uint8Array(HOP_OCTETS);
  const view = viewOf(fixed);
  view.setUint16(0, HOP_OCTETS + attributes.length, LITTLE_ENDIAN);
  fixed[2] = hopFlags(hop);
  view.setInt32(4, hop.ifindex, LITTLE_ENDIAN);
  return concat([fixed, attributes]);
}

/** All routes of one table and family; the kernel filters where it is strict, the decoder in any case. */
export const encodeRouteDump = (family: IpFamily, table: number): Request => ({
  type: RTM.getRoute,
  flags: FLAG.dump,
  body: concat([encodeFixed({ family, length: 0, table }), encodeAttributes([[RTA.table, u32(table)]])]),
});

/** Which route does a packet to `address` take? */
export function encodeResolve(address: IpAddress): Request {
  const fixed = encodeFixed({ family: address.family, length: addressBits(address.family), table: 0 });
  const attributes = encodeAttributes([[RTA.dst, addressOctets(address)]]);
  return { type: RTM.getRoute, flags: 0, body: concat([fixed, attributes]) };
}

/** Undefined for what is no IP route (other families) or no configured one (a clone). */
export function decodeRoute(body: Uint8Array): KernelRoute | undefined {
  const flags = readU32(body.subarray(8));
  if (body[0] !== AF.inet && body[0] !== AF.inet6) return undefined;
  if ((flags & ROUTE_FLAG.cloned) !== 0) return undefined;
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const family = body[0] === AF.inet ? 4 : 6;
  const type = decodeType(body);
  const source = attributes.get(RTA.prefSrc);
  const mtu = decodeAttributes(attributes.get(RTA.metrics) ?? new Uint8Array()).get(METRIC.mtu);
  const table = attributes.get(RTA.table);
  const metric = attributes.get(RTA.priority);
  return {
    prefix: decodePrefix(family, body[1]!, attributes),
    table: table === undefined ? body[4]! : readU32(table),
    protocol: body[5]!,
    type,
    scope: body[6]!,
    metric: metric === undefined ? 0 : readU32(metric),
    ...(body[3] !== 0 && { tos: body[3]! }),
    hops: decodeHops(type, flags, attributes),
    ...(source !== undefined && { source: readAddress(source) }),
    ...(mtu !== undefined && { mtu: readU32(mtu) }),
  };
}

const decodeType = (body: Uint8Array): RouteType => ROUTE_TYPES[body[7]!] ?? 'unspec';

function decodePrefix(family: IpFamily, length: number, attributes: Attributes): Prefix {
  const destinationOctets = attributes.get(RTA.dst) ?? new Uint8Array(family === 4 ? 4 : 16);
  return prefixOf(readAddress(destinationOctets), length);
}

/** IPv6 hangs its blackholes on `lo`; that is no hop. */
const HOPLESS: readonly RouteType[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];

function decodeHops(type: RouteType, flags: number, attributes: Attributes): readonly KernelHop[] {
  if (HOPLESS.includes(type)) return [];
  const several = attributes.get(RTA.multipath);
  if (several !== undefined) return decodeMultipath(several);
  const oif = attributes.get(RTA.oif);
  return oif === undefined ? [] : [decodeHop(readU32(oif), flags, attributes)];
}

function decodeMultipath(octets: Uint8Array): readonly KernelHop[] {
  const hops: KernelHop[] = [];
  const view = viewOf(octets);
  for (let at = 0; at + HOP_OCTETS <= octets.length;) {
    const length = view.getUint16(at, LITTLE_ENDIAN);
    if (length < HOP_OCTETS || at + length > octets.length) {
      throw new Error(`next hop at octet ${at} says ${length} octets, ${octets.length - at} are left`);
    }
    const attributes = decodeAttributes(octets.subarray(at + HOP_OCTETS, at + length));
    hops.push(decodeHop(view.getUint32(at + 4, LITTLE_ENDIAN), octets[at + 2]!, attributes));
    at += aligned(length);
  }
  return hops;
}

function decodeHop(ifindex: number, flags: number, attributes: Attributes): KernelHop {
  const gateway = decodeGateway(attributes);
  return { ...(gateway && { gateway }), ifindex, onlink: (flags & HOP_FLAG.onlink) !== 0 };
}

function decodeGateway(attributes: Attributes): IpAddress | undefined {
  const gateway = attributes.get(RTA.gateway);
  if (gateway !== undefined) return readAddress(gateway);
  const via = attributes.get(RTA.via);
  return via === undefined ? undefined : readAddress(via.subarray(2));
}

/** Undefined where the answer is a route that drops: IPv6 says so with a route, IPv4 with an error. */
export function decodeResolution(body: Uint8Array): Resolution | undefined {
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const type = decodeType(body);
  const oif = attributes.get(RTA.oif);
  if (oif === undefined || HOPLESS.includes(type)) return undefined;
  const gateway = decodeGateway(attributes);
  const source = attributes.get(RTA.prefSrc);
  return {
    type,
    ifindex: readU32(oif),
    ...(gateway && { gateway }),
    ...(source && { source: readAddress(source) }),
  };
}
