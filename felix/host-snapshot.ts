/** What the kernel has, read in one go, and the same in the words of the calculation. */
import { addressBits, prefixContainsAddress, prefixOf, sameAddress } from '../src/model/ip.ts';
import type { InterfaceAddress, IpAddress } from '../src/model/ip.ts';
import type { ForeignRoute, HostLink, HostView, ParentLink } from './calc/host-view.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { ClusterNode } from './inputs.ts';
import type { Kernel, KernelAddress, KernelLink } from './kernel.ts';
import type { KernelRoute } from './routes/kernel-route.ts';
import { isOurs } from './ownership.ts';
import type { RouteList } from './routes/route-list.ts';

export interface HostSnapshot {
  readonly links: readonly KernelLink[];
  readonly addresses: readonly KernelAddress[];
  readonly routes: readonly KernelRoute[];
}

/** Routes last: a link that went in between takes its routes along, so no route is over a link that we do not know. */
export async function readHost(kernel: Kernel): Promise<Omit<HostSnapshot, 'routes'> & { readonly routes: RouteList }> {
  const links = await kernel.listLinks();
  const addresses = await kernel.listAddresses();
  return { links, addresses, routes: await kernel.listRoutes() };
}

/** Whether a link that could carry routes can do so no more. */
export function hasLost(before: readonly KernelLink[], after: readonly KernelLink[]): boolean {
  const upNow = new Set(after.filter(({ up }) => up).map(({ index }) => index));
  return before.some(({ index, up }) => up && !upNow.has(index));
}

export function viewHost(
  snapshot: HostSnapshot,
  own: Pick<ClusterNode, 'address' | 'ipv6'>,
  linkErrors: ReadonlyMap<string, string>,
): HostView {
  const links = hostLinks(snapshot);
  const parent = own.address && findParent(snapshot, own.address.address);
  const parent6 = own.ipv6 && findParent(snapshot, own.ipv6.address.address);
  return {
    links,
    ...(parent && { parent }),
    ...(parent6 && { parent6 }),
    foreignRoutes: foreignRoutes(snapshot),
    linkErrors,
  };
}

export function hostLinks({ links }: Pick<HostSnapshot, 'links'>): ReadonlyMap<string, HostLink> {
  return new Map(links.map(({ name, index, up, mtu }) => [name, { name, index, up, mtu }]));
}

/** The interface that carries our address; where several do, the one of the lowest index. Tunnels never count. */
export function findParent({ links, addresses }: HostSnapshot, own: IpAddress): ParentLink | undefined {
  const tunnels: readonly string[] = Object.values(TUNNEL_LINKS);
  const candidates = addresses
    .filter(({ address }) => sameAddress(address.address, own))
    .flatMap(({ ifindex, address }) => {
      const link = links.find(({ index, name }) => index === ifindex && !tunnels.includes(name));
      return link === undefined ? [] : [{ link, address }];
    })
    .sort((a, b) => a.link.index - b.link.index);
  const [best] = candidates;
  if (best === undefined) return undefined;
  const { name, index, up, mtu } = best.link;
  return { link: { name, index, up, mtu }, address: withSubnet(best, addresses, own) };
}

/** An address may stand on its interface as /32 beside another that brings the subnet; then that one's mask counts. */
function withSubnet(
  { link, address }: { readonly link: KernelLink; readonly address: InterfaceAddress },
  addresses: readonly KernelAddress[],
  own: IpAddress,
): InterfaceAddress {
  if (address.length < addressBits(own.family)) return address;
  const holder = addresses.find(
    ({ ifindex, address: other }) =>
      ifindex === link.index &&
      other.length < addressBits(own.family) &&
      prefixContainsAddress(prefixOf(other.address, other.length), own),
  );
  return holder === undefined ? address : { address: own, length: holder.address.length };
}

/** Unicast routes that are not ours, best metric first. Those over our own tunnels say nothing about the world outside. */
function foreignRoutes({ links, routes }: HostSnapshot): readonly ForeignRoute[] {
  const tunnels: readonly string[] = Object.values(TUNNEL_LINKS);
  const names = new Map(links.filter(({ name }) => !tunnels.includes(name)).map(({ index, name }) => [index, name]));
  return routes
    .filter((route) => !isOurs(route) && route.type === 'unicast')
    .toSorted((a, b) => a.metric - b.metric)
    .map(({ prefix, protocol, hops }) => ({
      prefix,
      protocol,
      hops: hops.flatMap(({ gateway, ifindex }) => {
        const interfaceName = names.get(ifindex);
        return interfaceName === undefined ? [] : [{ interfaceName, ...(gateway && { gateway }) }];
      }),
    }));
}
