import type { InterfaceAddress, IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { formatIpAddress, hostPrefix, isIpv6LinkLocal, prefixContainsAddress, prefixOf } from '../../src/model/ip.ts';
import type { Hop } from '../desired.ts';

export interface HostLink {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  readonly mtu: number;
}

/** A kernel route that somebody else made: connected, static, from DHCP. We read it and leave it alone. */
export interface ForeignRoute {
  readonly prefix: Prefix;
  /** rtnetlink's `protocol`: 2 is the kernel itself. */
  readonly protocol: number;
  /** No gateway: the destination is a neighbour on that link. */
  readonly hops: readonly { readonly gateway?: IpAddress; readonly interfaceName: string }[];
}

/** The interface that carries our BGP address of one family, and that address with the mask it has there. */
export interface ParentLink {
  readonly link: HostLink;
  readonly address: InterfaceAddress;
}

/** What the calculation must know of the host. A value: the same view and inputs always give the same routes. */
export interface HostView {
  readonly links: ReadonlyMap<string, HostLink>;
  readonly parent?: ParentLink;
  /** The same for our IPv6 address. */
  readonly parent6?: ParentLink;
  readonly foreignRoutes: readonly ForeignRoute[];
  /** Why a tunnel link that we want could not be made, by its name. */
  readonly linkErrors: ReadonlyMap<string, string>;
  /** Protocol whose routes outside the pools a learned one may replace: whoever made them has left them to us. */
  readonly abandonedProtocol?: number;
}

export const PROTOCOL_KERNEL = 2;

export const parentOf = (host: HostView, family: IpFamily): ParentLink | undefined =>
  family === 4 ? host.parent : host.parent6;

/** Our address with the mask that CrossSubnet goes by: the setting's, or the interface's where the setting has none. */
export function ownAddress(configured: InterfaceAddress, parent: ParentLink | undefined): InterfaceAddress {
  const isBare = configured.length === hostPrefix(configured.address).length;
  return isBare && parent !== undefined ? parent.address : configured;
}

/** Why routes cannot leave through a link now; undefined: they can. */
export function linkTrouble(host: HostView, name: string): string | undefined {
  const link = host.links.get(name);
  if (link?.up === true) return undefined;
  const problem = host.linkErrors.get(name);
  if (problem !== undefined) return problem;
  return link === undefined ? `interface ${name} does not exist` : `interface ${name} is down`;
}

export type Resolution =
  { readonly hop: Hop; readonly isOnLink: boolean; readonly reason: string } | { readonly error: string };

interface Way {
  readonly prefix: Prefix;
  readonly hops: ForeignRoute['hops'];
}

/** Of a link-local address only the one who told it knows the link. RFC 4291 §2.5.6: it means nothing without one. */
function resolveLinkLocal(host: HostView, nextHop: IpAddress, interfaceName: string | undefined): Resolution {
  const text = formatIpAddress(nextHop);
  if (interfaceName === undefined)
    return { error: `next hop ${text} is link-local, and nothing says on which interface` };
  const trouble = linkTrouble(host, interfaceName);
  if (trouble !== undefined) return { error: `next hop ${text}: ${trouble}` };
  const hop = { gateway: nextHop, interfaceName, onlink: false };
  return { hop, isOnLink: true, reason: `next hop ${text} is on ${interfaceName}` };
}

/** A next hop as bird tells it. */
export interface NextHop {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interfaceName?: string | undefined;
}

/**
 * Finds the neighbour through which the host reaches a next hop, as BIRD's `gateway recursive` does: the longest route
 * that holds it gives the gateway. Routes of our own do not count, else a route could resolve through itself; the
 * caller may pass those that are safe.
 */
export function resolveNextHop(
  host: HostView,
  { address: nextHop, interfaceName }: NextHop,
  safe: readonly Way[] = [],
): Resolution {
  if (isIpv6LinkLocal(nextHop)) return resolveLinkLocal(host, nextHop, interfaceName);
  const text = formatIpAddress(nextHop);
  let best: Way | undefined;
  for (const way of [...host.foreignRoutes, ...safe]) {
    if (!prefixContainsAddress(way.prefix, nextHop)) continue;
    if (way.hops.length > 0 && (best === undefined || way.prefix.length > best.prefix.length)) best = way;
  }
  const [hop] = best?.hops ?? [];
  if (hop === undefined) return { error: `the host has no route to next hop ${text}` };
  const trouble = linkTrouble(host, hop.interfaceName);
  if (trouble !== undefined) return { error: `next hop ${text}: ${trouble}` };
  if (hop.gateway === undefined) {
    const reason = `next hop ${text} is on ${hop.interfaceName}`;
    return { hop: { gateway: nextHop, interfaceName: hop.interfaceName, onlink: false }, isOnLink: true, reason };
  }
  const reason = `next hop ${text} is reached through ${formatIpAddress(hop.gateway)}`;
  return { hop: { gateway: hop.gateway, interfaceName: hop.interfaceName, onlink: false }, isOnLink: false, reason };
}

export const subnetOf = ({ address, length }: InterfaceAddress): Prefix => prefixOf(address, length);
