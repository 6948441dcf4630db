import type { IpFamily, Prefix } from '../../src/model/ip.ts';
import { formatPrefix, parsePrefix, prefixContains, samePrefix } from '../../src/model/ip.ts';
import type { ReadonlyEntries } from '../delta-tracker.ts';
import { prefixId } from '../routes/route-id.ts';
import type { RouteId } from '../routes/route-id.ts';
import { RouteMap } from '../routes/route-map.ts';
import type { ForeignRoute, HostView } from './host-view.ts';
import { parentOf, PROTOCOL_KERNEL, subnetOf } from './host-view.ts';

/** Nobody may send us these: they mean something on each host for itself. RFC 6890, RFC 4291 §2. */
const NEVER_LEARNED = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '::1/128', 'fe80::/10', 'ff00::/8'].map((text) =>
  parsePrefix(text),
);

/** Routes of other owners by prefix; ours to look at, not to touch. */
export type ForeignByPrefix = ReadonlyEntries<RouteId, ForeignRoute>;

export interface RefusalContext {
  /** Of the interface that carries our address. */
  readonly ownSubnets: Readonly<Record<IpFamily, Prefix | undefined>>;
  readonly foreign: ForeignByPrefix;
}

export function ownSubnets(host: HostView): RefusalContext['ownSubnets'] {
  const subnet = (family: IpFamily): Prefix | undefined => {
    const parent = parentOf(host, family);
    return parent && subnetOf(parent.address);
  };
  return { 4: subnet(4), 6: subnet(6) };
}

export function foreignByPrefix(host: HostView): ForeignByPrefix {
  const byPrefix = new RouteMap<ForeignRoute>();
  for (const route of host.foreignRoutes) {
    const key = prefixId(route.prefix);
    // The best metric comes first; a connected route counts whatever stands beside it.
    if (!byPrefix.has(key) || route.protocol === PROTOCOL_KERNEL) byPrefix.set(key, route);
  }
  return byPrefix;
}

/**
 * Why a learned prefix never reaches the kernel, or undefined. A host's default route and its connected routes are
 * its administrator's: whoever takes them over cuts the host off.
 */
export function refusePrefix(prefix: Prefix, { ownSubnets, foreign }: RefusalContext): string | undefined {
  if (prefix.length === 0) return 'a default route is the host administrator’s to set, not a peer’s';
  const reserved = NEVER_LEARNED.find((range) => prefixContains(range, prefix));
  if (reserved !== undefined) return `${formatPrefix(reserved)} is never learned from a peer`;
  const subnet = ownSubnets[prefix.address.family];
  if (subnet !== undefined && prefixContains(subnet, prefix)) {
    return samePrefix(subnet, prefix)
      ? `${formatPrefix(subnet)} is this node’s own subnet`
      : `it lies in this node’s own subnet ${formatPrefix(subnet)}`;
  }
  const connected = foreign.get(prefixId(prefix));
  if (connected?.protocol === PROTOCOL_KERNEL) {
    return `the host has a connected route for it on ${connected.hops[0]?.interfaceName ?? 'an interface'}`;
  }
  return undefined;
}

/** A route outside the pools is one among the host's; one that somebody else set for the same prefix stays. */
export function refuseTakeover(
  prefix: Prefix,
  { foreign, host }: Pick<RefusalContext, 'foreign'> & { readonly host: HostView },
): string | undefined {
  if (foreign.size === 0) return undefined;
  const holder = foreign.get(prefixId(prefix));
  if (holder?.protocol === host.abandonedProtocol) return undefined;
  return holder && `the host has its own route for it (protocol ${holder.protocol})`;
}
