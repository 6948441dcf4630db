/** A route in the kernel's own words, and when two are the same. */
import { formatIpAddress, formatPrefix, sameAddress, samePrefix } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';

/** Routing table `main`. */
export const MAIN_TABLE = 254;

/** How far a destination is, as rtnetlink numbers it. */
export const SCOPE = { universe: 0, link: 253, host: 254 } as const;

/** What the kernel makes of metric 0 in an IPv6 route. */
const IPV6_DEFAULT_METRIC = 1024;

export const ROUTE_TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
  'xresolve',
] as const;
export type RouteType = (typeof ROUTE_TYPES)[number];

export interface KernelHop {
  readonly gateway?: IpAddress;
  readonly ifindex: number;
  readonly onlink: boolean;
}

/** What a route is beside its prefix; routes over the same hops share it. */
export interface RouteBody {
  readonly table: number;
  /** Who made it: 2 kernel, 3 boot, 4 static, 12 bird, 80 ours. */
  readonly protocol: number;
  readonly type: RouteType;
  /** Always 0 (universe) in IPv6. */
  readonly scope: number;
  readonly metric: number;
  /** TOS of the key; absent is 0. */
  readonly tos?: number;
  readonly hops: readonly KernelHop[];
  readonly source?: IpAddress;
  readonly mtu?: number;
}

/** A route as the kernel stores it. Blackholes and their like have no hops, in both families. */
export interface KernelRoute extends RouteBody {
  readonly prefix: Prefix;
}

/** What tells two routes of one table apart: writing a second route with the same key replaces the first, whoever made it. */
export type RouteKey = Pick<KernelRoute, 'prefix' | 'table' | 'metric' | 'tos'>;

export type RouteChange =
  /** Made or, where the key is taken, replaced in place: at no moment is there no route. */
  | { readonly op: 'replace'; readonly route: KernelRoute }
  /**
   * By key and protocol (0: any protocol), whatever the hops and the type. A route that is not there is a success.
   * Linux takes metric 0 of IPv4 for any metric: remove only what was listed.
   */
  | { readonly op: 'remove'; readonly route: RouteKey & Pick<KernelRoute, 'protocol'> };

/**
 * The route as the kernel will list it after writing it: an IPv6 route has scope universe, and metric 1024 for metric 0.
 * Compare a wanted route with a listed one only after this.
 */
export const asStored = (route: KernelRoute): KernelRoute => bodyAsStored(route, route.prefix.address.family);

/** The same of a route's body. */
export function bodyAsStored<T extends RouteBody>(body: T, family: IpFamily): T {
  if (family === 4) return body;
  return { ...body, scope: SCOPE.universe, metric: storedMetric(family, body.metric) };
}

export const storedMetric = (family: IpFamily, metric: number): number =>
  family === 6 && metric === 0 ? IPV6_DEFAULT_METRIC : metric;

/** Equal in every field; the order of hops does not matter. Both sides as stored, see asStored. */
export const sameRoute = (a: KernelRoute, b: KernelRoute): boolean =>
  a === b || (samePrefix(a.prefix, b.prefix) && sameBody(a, b));

/** The same beside the prefix. */
export function sameBody(a: RouteBody, b: RouteBody): boolean {
  if (a === b) return true;
  return (
    a.table === b.table &&
    a.protocol === b.protocol &&
    a.type === b.type &&
    a.scope === b.scope &&
    a.metric === b.metric &&
    (a.tos ?? 0) === (b.tos ?? 0) &&
    a.mtu === b.mtu &&
    sameOptionalAddress(a.source, b.source) &&
    sameHops(a.hops, b.hops)
  );
}

function sameHops(a: readonly KernelHop[], b: readonly KernelHop[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  if (a.length === 1) return sameHop(a[0]!, b[0]!);
  const text = (hops: readonly KernelHop[]): string => hops.map(formatHop).sort().join(' ');
  return text(a) === text(b);
}

const sameHop = (a: KernelHop, b: KernelHop): boolean =>
  a.ifindex === b.ifindex && a.onlink === b.onlink && sameOptionalAddress(a.gateway, b.gateway);

const sameOptionalAddress = (a: IpAddress | undefined, b: IpAddress | undefined): boolean =>
  a === undefined || b === undefined ? a === b : sameAddress(a, b);

const formatHop = ({ gateway, ifindex, onlink }: KernelHop): string =>
  [gateway && `via ${formatIpAddress(gateway)}`, `dev ${ifindex}`, onlink && 'onlink'].filter(Boolean).join(' ');

/** In the manner of `ip route`, with interface indexes for names: `10.0.0.0/26 via 10.1.1.1 dev 3 onlink metric 0 proto 80`. */
export function formatRoute({ prefix, type, metric, protocol, hops }: KernelRoute): string {
  const kind = type === 'unicast' ? [] : [type];
  return [...kind, formatPrefix(prefix), ...hops.map(formatHop), `metric ${metric}`, `proto ${protocol}`].join(' ');
}
