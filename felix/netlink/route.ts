/** RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE as requests: struct rtmsg and its attributes. route-reader.ts reads the answers. */
import { addressBits } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { ROUTE_TYPES } from '../routes/kernel-route.ts';
import type { Resolution } from '../kernel.ts';
import type { KernelHop, KernelRoute, RouteChange } from '../routes/kernel-route.ts';
import { addressOctets, concat, decodeAttributes, encodeAttributes, readAddress, readU32, u32 } from './attribute.ts';
import type { BatchWriter } from './batch-writer.ts';
import { AF, FLAG, HOP_FLAG, METRIC, RTA, RTM } from './constants.ts';
import type { Request } from './header.ts';
import { HOPLESS } from './route-reader.ts';

const FIXED_OCTETS = 12;
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

const encodeFixed = ({ family, length, table }: Fixed): Uint8Array =>
  Uint8Array.of(family === 4 ? AF.inet : AF.inet6, length, 0, 0, tableOctet(table), 0, 0, 0, 0, 0, 0, 0);

/** One request more. */
export function writeRouteChange(batch: BatchWriter, change: RouteChange): void {
  if (change.op === 'replace') {
    batch.begin(RTM.newRoute, FLAG.create | FLAG.replace);
    writeRoute(batch, change.route);
  } else {
    batch.begin(RTM.delRoute, 0);
    writeKey(batch, change.route);
  }
  batch.end();
}

/** What RTM_DELROUTE takes: the key and the protocol, whatever else the route is. */
function writeKey(batch: BatchWriter, { prefix, table, tos, metric, protocol }: RemovedRoute): void {
  const { family } = prefix.address;
  writeFixed(batch, { family, length: prefix.length, tos, table, protocol, scope: ANY_SCOPE, type: ANY_TYPE });
  writeDestination(batch, prefix);
  // In a removal metric 0 means any metric; IPv6 stores 1024 for it, so there the key stays exact.
  batch.attributeU32(RTA.priority, metric === 0 && family === 6 ? 1024 : metric);
  batch.attributeU32(RTA.table, table);
}

type RemovedRoute = (RouteChange & { readonly op: 'remove' })['route'];

function writeRoute(batch: BatchWriter, route: KernelRoute): void {
  const { prefix, table, tos, protocol, scope, metric, hops, source, mtu } = route;
  const { family } = prefix.address;
  const single = hops.length === 1 ? hops[0] : undefined;
  const type = ROUTE_TYPES.indexOf(route.type);
  const flags = single === undefined ? 0 : hopFlags(single);
  writeFixed(batch, { family, length: prefix.length, tos, table, protocol, scope, type, flags });
  writeDestination(batch, prefix);
  batch.attributeU32(RTA.priority, metric);
  batch.attributeU32(RTA.table, table);
  if (source !== undefined) batch.attributeAddress(RTA.prefSrc, source);
  if (mtu !== undefined) {
    const metrics = batch.open();
    batch.u16(RTA.metrics);
    batch.attributeU32(METRIC.mtu, mtu);
    batch.close(metrics);
  }
  if (single !== undefined) {
    batch.attributeU32(RTA.oif, single.ifindex);
    writeGateway(batch, single, family);
  }
  if (hops.length > 1) {
    const multipath = batch.open();
    batch.u16(RTA.multipath);
    for (const hop of hops) writeHop(batch, hop, family);
    batch.close(multipath);
  }
}

function writeFixed(batch: BatchWriter, fixed: Fixed): void {
  const { family, length, tos = 0, table, protocol = 0, scope = 0, type = 0, flags = 0 } = fixed;
  batch.u8(family === 4 ? AF.inet : AF.inet6);
  batch.u8(length);
  batch.u8(0);
  batch.u8(tos);
  batch.u8(tableOctet(table));
  batch.u8(protocol);
  batch.u8(scope);
  batch.u8(type);
  batch.u32(flags);
}

/** The kernel takes the default route without RTA_DST. */
function writeDestination(batch: BatchWriter, { address, length }: Prefix): void {
  if (length > 0) batch.attributeAddress(RTA.dst, address);
}

const hopFlags = ({ onlink }: KernelHop): number => (onlink ? HOP_FLAG.onlink : 0);

/** A gateway of the other family goes into RTA_VIA, with its family before it. */
function writeGateway(batch: BatchWriter, { gateway }: KernelHop, family: IpFamily): void {
  if (gateway === undefined) return;
  if (gateway.family === family) {
    batch.attributeAddress(RTA.gateway, gateway);
    return;
  }
  const via = batch.open();
  batch.u16(RTA.via);
  batch.u16(gateway.family === 4 ? AF.inet : AF.inet6);
  batch.address(gateway);
  batch.close(via);
}

/** struct rtnexthop: length, flags and weight less one, interface; then attributes. */
function writeHop(batch: BatchWriter, hop: KernelHop, family: IpFamily): void {
  const start = batch.open();
  batch.u8(hopFlags(hop));
  batch.u8(0);
  batch.u32(hop.ifindex);
  writeGateway(batch, hop, family);
  batch.close(start);
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

/** Undefined where the answer is a route that drops: IPv6 says so with a route, IPv4 with an error. */
export function decodeResolution(body: Uint8Array): Resolution | undefined {
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const type = ROUTE_TYPES[body[7]!] ?? 'unspec';
  const oif = attributes.get(RTA.oif);
  if (oif === undefined || HOPLESS.includes(type)) return undefined;
  const gateway = attributes.get(RTA.gateway);
  const via = attributes.get(RTA.via);
  const source = attributes.get(RTA.prefSrc);
  return {
    type,
    ifindex: readU32(oif),
    ...(gateway && { gateway: readAddress(gateway) }),
    ...(via && { gateway: readAddress(via.subarray(2)) }),
    ...(source && { source: readAddress(source) }),
  };
}
