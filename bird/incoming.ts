/** Who a caller is, and with which keys callers sign. Pure. */
import { isIpv6LinkLocal } from '../src/model/ip.ts';
import type { IpAddress, Prefix } from '../src/model/ip.ts';
import {
  addressBits,
  formatIpAddress,
  formatPrefix,
  hostPrefix,
  prefixContains,
  prefixContainsAddress,
  prefixOf,
  prefixesOverlap,
  sameAddress,
} from '../src/model/ip.ts';
import type { LinkOptions, PeerPassword } from './peer/transport.ts';
import type { DynamicPeers, PeerSettings } from './settings.ts';

export interface Caller {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface: string | undefined;
}

/** `10.0.0.1`, `fe80::1%eth0`: tells any two callers apart. */
export const callerName = ({ address, interface: link }: Caller): string =>
  isIpv6LinkLocal(address) && link !== undefined ? `${formatIpAddress(address)}%${link}` : formatIpAddress(address);

/** The first of `peers` that calls. A link-local address is the peer's only on its own link. */
export const peerOf = <T extends { readonly settings: PeerSettings }>(
  peers: readonly T[],
  caller: Caller,
): T | undefined =>
  peers.find(
    ({ settings: { address, interface: link } }) =>
      sameAddress(address, caller.address) &&
      (!isIpv6LinkLocal(address) || link === undefined || link === caller.interface),
  );

/** To be asked for each caller of many, by `peerOf` of those with the caller's address. */
export const peersByAddress = <T extends { readonly settings: PeerSettings }>(
  peers: readonly T[],
): ReadonlyMap<string, readonly T[]> => Map.groupBy(peers, ({ settings }) => formatIpAddress(settings.address));

/** The longest prefix that holds the caller, among equals the first. */
export function rangeOf(ranges: readonly DynamicPeers[], { address }: Caller): DynamicPeers | undefined {
  const holding = ranges.filter(({ prefix }) => prefixContainsAddress(prefix, address));
  const [first, ...others] = holding;
  return others.reduce((best, range) => (best && range.prefix.length <= best.prefix.length ? best : range), first);
}

/** The peer that a caller from `range` becomes. */
export function settingsOf({ template, remoteAsns }: DynamicPeers, caller: Caller): PeerSettings {
  return {
    ...template,
    address: caller.address,
    passive: true,
    ...(isIpv6LinkLocal(caller.address) && caller.interface !== undefined && { interface: caller.interface }),
    ...(remoteAsns !== undefined && { remoteAsns }),
  };
}

/** Which AS numbers a peer from `range` may have. */
export const asnsOf = ({ template, remoteAsns }: DynamicPeers): readonly number[] => remoteAsns ?? [template.remoteAsn];

/** What protects a connection with the peer. */
export const protectionOf = ({ password, ttlSecurityHops }: PeerSettings): LinkOptions => ({
  ...(password !== undefined && { password }),
  ...(ttlSecurityHops !== undefined && { ttlSecurityHops }),
});

/**
 * All keys of the listeners. The kernel takes the key of the longest prefix that holds a caller, and cannot say "none":
 * where a peer or a range without a password lies inside a range with one, the range is cut into pieces around it.
 */
export function passwordsOf(peers: readonly PeerSettings[], ranges: readonly DynamicPeers[]): readonly PeerPassword[] {
  const ofPeers = peers.flatMap(({ address, interface: link, password }): readonly PeerPassword[] =>
    password === undefined
      ? []
      : [{ prefix: hostPrefix(address), password, ...(link !== undefined && { interface: link }) }],
  );
  const open = peers.filter(({ password }) => password === undefined).map(({ address }) => hostPrefix(address));
  const ofRanges = ranges.flatMap(({ prefix, template: { password } }) => {
    if (password === undefined) return [];
    const longer = ranges.filter((range) => range.prefix.length > prefix.length);
    const unsigned = [...open, ...longer.filter((range) => range.template.password === undefined).map(prefixOfRange)];
    // A piece may be longer than a range inside with a password of its own, and would hide it.
    const isCut = unsigned.some((hole) => prefixContains(prefix, hole));
    const pieces = isCut ? around(prefix, [...open, ...longer.map(prefixOfRange)]) : [prefix];
    return pieces.map((piece): PeerPassword => ({ prefix: piece, password }));
  });
  return [...ofPeers, ...ofRanges];
}

const prefixOfRange = ({ prefix }: DynamicPeers): Prefix => prefix;

/** The fewest prefixes that hold what `prefix` holds and no hole does. */
function around(prefix: Prefix, holes: readonly Prefix[]): readonly Prefix[] {
  const within = holes.filter((hole) => prefixesOverlap(prefix, hole));
  if (within.length === 0) return [prefix];
  if (within.some((hole) => prefixContains(hole, prefix))) return [];
  return halves(prefix).flatMap((half) => around(half, within));
}

function halves({ address, length }: Prefix): readonly Prefix[] {
  const bit = addressBits(address.family) - length - 1;
  const word = address.words.length - 1 - Math.floor(bit / 32);
  const words = address.words.map((value, i) => (i === word ? (value | (1 << (bit % 32))) >>> 0 : value));
  return [prefixOf(address, length + 1), { address: { ...address, words }, length: length + 1 }];
}

/** Why nobody gets in by this name. */
export const refusalOf = {
  stranger: 'no peer has this address, and no dynamic range holds it',
  full: ({ prefix, limit }: DynamicPeers): string => `${formatPrefix(prefix)} has its limit of ${limit} dynamic peers`,
  silent: (seconds: number): string => `sent no OPEN within ${seconds} s`,
};
