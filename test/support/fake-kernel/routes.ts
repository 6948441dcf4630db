import { isIpv6LinkLocal, prefixContainsAddress, sameAddress } from '../../../src/model/ip.ts';
import type { IpAddress } from '../../../src/model/ip.ts';
import { KernelError } from '../../../felix/kernel.ts';
import { MAIN_TABLE, asStored, formatRoute, sameRoute } from '../../../felix/routes/kernel-route.ts';
import { routeId } from '../../../felix/routes/route-id.ts';
import type { KernelEvent, Resolution } from '../../../felix/kernel.ts';
import type { KernelRoute, RouteChange } from '../../../felix/routes/kernel-route.ts';
import type { FakeNamespace } from './namespace.ts';

/** Why not, or what there is to tell of it. */
export function writeRoute(
  namespace: FakeNamespace,
  change: RouteChange,
): readonly [KernelError] | readonly [undefined, (KernelEvent | undefined)?] {
  if (change.op === 'replace') {
    const code = routeProblem(namespace, change.route);
    if (code === undefined) return [undefined, setRoute(namespace, change.route)];
    return [new KernelError(`replace route ${formatRoute(change.route)}: ${code}`, code)];
  }
  const key = routeId(change.route);
  const there = namespace.routes.get(key);
  const { protocol } = change.route;
  if (there === undefined || (protocol !== 0 && protocol !== there.protocol)) return [undefined];
  namespace.routes.delete(key);
  return [undefined, { kind: 'route', change: 'removed', route: there }];
}

/** Sets it whatever the links are; returns what there is to tell of it, if it changed anything. */
export function setRoute({ routes }: FakeNamespace, wanted: KernelRoute): KernelEvent | undefined {
  const route = asStored(wanted);
  const before = routes.get(routeId(route));
  routes.set(routeId(route), route);
  return before === undefined || !sameRoute(before, route) ? { kind: 'route', change: 'set', route } : undefined;
}

function routeProblem(namespace: FakeNamespace, { hops, type }: KernelRoute): string | undefined {
  if (type === 'unicast' && hops.length === 0) return 'ENODEV';
  for (const { ifindex, gateway, onlink } of hops) {
    const link = namespace.links.get(ifindex);
    if (link === undefined) return 'ENODEV';
    // A link that is down leads to no subnet, so a gateway there is unknown before it is asked whether the link is up.
    if (gateway !== undefined && !onlink && !isOnLink(namespace, gateway, ifindex)) return 'ENETUNREACH';
    if (!link.up) return 'ENETDOWN';
  }
  return undefined;
}

/** A gateway must be a neighbour: a scope-link route or the subnet of an address leads to it over that link. */
function isOnLink(namespace: FakeNamespace, gateway: IpAddress, ifindex: number): boolean {
  const direct = [...namespace.routes.values()].some(
    ({ prefix, hops }) =>
      prefixContainsAddress(prefix, gateway) && hops.some((hop) => hop.ifindex === ifindex && !hop.gateway),
  );
  return direct || namespace.ownSubnet(gateway)?.ifindex === ifindex || isIpv6LinkLocal(gateway);
}

/** The longest prefix among routes and subnets, then the lowest metric. */
export function resolve(namespace: FakeNamespace, target: IpAddress): Resolution | undefined {
  const { addresses, routes } = namespace;
  const own = addresses.find(({ address }) => sameAddress(address.address, target));
  if (own !== undefined) return { type: 'local', ifindex: 1, source: target };
  const best = [...routes.values()]
    .filter(({ prefix, table }) => table === MAIN_TABLE && prefixContainsAddress(prefix, target))
    .sort((a, b) => b.prefix.length - a.prefix.length || a.metric - b.metric)[0];
  const subnet = namespace.ownSubnet(target);
  if (subnet !== undefined && subnet.address.length >= (best?.prefix.length ?? -1)) {
    return { type: 'unicast', ifindex: subnet.ifindex, source: subnet.address.address };
  }
  const hop = best?.hops[0];
  if (best === undefined || hop === undefined) return undefined;
  const source = best.source ?? addresses.find(({ ifindex }) => ifindex === hop.ifindex)?.address.address;
  const { ifindex, gateway } = hop;
  return { type: 'unicast', ifindex, ...(gateway && { gateway }), ...(source && { source }) };
}
