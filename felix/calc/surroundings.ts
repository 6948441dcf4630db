/** What the single learned route does not decide: made once for all of them. */
import type { InterfaceAddress, IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import {
  comparePrefixes,
  formatIpAddress,
  prefixContains,
  prefixContainsAddress,
  isHostPrefix,
  sameAddress,
} from '../../src/model/ip.ts';
import type { ClusterNode, DataplaneInputs, Pool } from '../inputs.ts';
import { addressOf } from '../inputs.ts';
import type { HostView, NextHop, Resolution } from './host-view.ts';
import { ownAddress, parentOf } from './host-view.ts';
import type { Recent } from './plan-memory.ts';
import type { RefusalContext } from './refusal.ts';
import { foreignByPrefix, ownSubnets } from './refusal.ts';

export interface Surroundings extends RefusalContext {
  readonly host: HostView;
  /** Our addresses, with the masks that CrossSubnet goes by. */
  readonly own: Readonly<Record<IpFamily, InterfaceAddress | undefined>>;
  /** The longest first, as are pools: of several that hold a prefix the closest one counts. */
  readonly localBlocks: readonly Prefix[];
  readonly lentAddresses: ReadonlySet<string>;
  readonly pools: readonly Pool[];
  /** By each of their addresses. */
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** With a memory; a full table has few next hops. */
  readonly resolve: (nextHop: NextHop) => Resolution;
}

/** All of it that no learned route decides. */
export function fixedSurroundings(inputs: DataplaneInputs, host: HostView): Omit<Surroundings, 'resolve'> {
  const own = (family: IpFamily): InterfaceAddress | undefined => {
    const address = addressOf(inputs.local, family);
    return address && ownAddress(address, parentOf(host, family));
  };
  return {
    host,
    own: { 4: own(4), 6: own(6) },
    localBlocks: inputs.localBlocks.toSorted((a, b) => b.length - a.length || comparePrefixes(a, b)),
    lentAddresses: new Set(inputs.lentAddresses?.map(formatIpAddress)),
    pools: inputs.pools.toSorted((a, b) => b.cidr.length - a.cidr.length || (a.name < b.name ? -1 : 1)),
    nodes: nodesByAddress(inputs.nodes),
    ownSubnets: ownSubnets(host),
    foreign: foreignByPrefix(host),
  };
}

/** Where two nodes claim one address, the first name has it: in Calico too, and whatever the order they came in. */
const nodesByAddress = (nodes: readonly ClusterNode[]): ReadonlyMap<string, ClusterNode> =>
  new Map(
    nodes
      .toSorted((a, b) => (a.name < b.name ? 1 : -1))
      .flatMap((node) =>
        ([4, 6] as const).flatMap((family): [string, ClusterNode][] => {
          const address = addressOf(node, family);
          return address === undefined ? [] : [[formatIpAddress(address.address), node]];
        }),
      ),
  );

/** The smallest pool that holds the prefix. */
export const poolOf = (prefix: Prefix, { pools }: Pick<Surroundings, 'pools'>): Pool | undefined =>
  pools.find(({ cidr }) => prefixContains(cidr, prefix));

/** The block of ours that holds the prefix; what we lent is no part of it. */
export function blockOf(
  prefix: Prefix,
  { localBlocks, lentAddresses }: Pick<Surroundings, 'localBlocks' | 'lentAddresses'>,
): Prefix | undefined {
  const block = localBlocks.find((own) => own.length <= prefix.length && prefixContainsAddress(own, prefix.address));
  const isLent = block !== undefined && isHostPrefix(prefix) && lentAddresses.has(formatIpAddress(prefix.address));
  return isLent ? undefined : block;
}

export function isOwnAddress(address: IpAddress, { own }: Pick<Surroundings, 'own'>): boolean {
  const ours = own[address.family];
  return ours !== undefined && sameAddress(address, ours.address);
}

export const nextHopText = ({ address, interfaceName }: NextHop): string =>
  interfaceName === undefined ? formatIpAddress(address) : `${formatIpAddress(address)}%${interfaceName}`;

/** Next hops and what they resolve to. */
export type Resolved = Recent<string | number, Resolution>;

export function remembering(
  resolve: (nextHop: NextHop) => Resolution,
  known: Resolved,
): (nextHop: NextHop) => Resolution {
  return (nextHop) => {
    const { address, interfaceName } = nextHop;
    const isPlain = address.family === 4 && interfaceName === undefined;
    const key = isPlain ? address.words[0]! : nextHopText(nextHop);
    const found = known.get(key);
    if (found !== undefined) return found;
    const resolution = resolve(nextHop);
    known.set(key, resolution);
    return resolution;
  };
}
