/**
 * Connection tracking over NETLINK_NETFILTER: linux/netfilter/nfnetlink_conntrack.h. A message is struct nfgenmsg (family,
 * version, resource) and attributes; an entry has two tuples, as the first packet went and as its answers come back, which
 * differ by more than their direction where NAT took part.
 */
import { formatIpAddress } from '../../src/model/ip.ts';
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import { addressOctets, concat, decodeAttributes, encodeAttributes, readAddress, u32 } from './attribute.ts';
import type { Attribute, Attributes } from './attribute.ts';
import { AF, CTA, CTA_FILTER, CTA_IP, CTA_TUPLE, CONNTRACK, FLAG, NESTED } from './constants.ts';
import type { Request, Verdict } from './header.ts';
import type { NetlinkSocket } from './socket.ts';

const FIXED_OCTETS = 4;
/** CTA_FILTER_F_CTA_IP_SRC: of a tuple, compare the source alone. */
const COMPARE_SOURCE = 1;
/** Past so many addresses, reading the whole table once costs less than having the kernel search it for each. */
const MAX_SEARCHES = 8;

type Side = 'original' | 'reply';

/** What names an entry for its removal; the octets are the kernel's own. */
interface EntryKey {
  readonly family: IpFamily;
  readonly attributes: readonly Attribute[];
}

/**
 * Removes the entries of connections that one of the addresses opened or answers: its source is that of the original or of
 * the reply. All protocols, all zones. How many they were, or the refusal. One that ends meanwhile is no failure.
 */
export async function flushConntrack(
  socket: Pick<NetlinkSocket, 'dump' | 'executeAll'>,
  addresses: readonly IpAddress[],
): Promise<number | Verdict> {
  const wanted = new Set(addresses.map(formatIpAddress));
  let removed = 0;
  for (const request of dumps(addresses)) {
    const found = await socket.dump(request, (body) => decodeEntry(body, wanted));
    if ('errno' in found) return found;
    const verdicts = await socket.executeAll(found.map(encodeDelete));
    const refusal = verdicts.find(({ errno }) => errno !== 0 && errno !== NO_ENTRY);
    if (refusal !== undefined) return refusal;
    removed += verdicts.filter(({ errno }) => errno === 0).length;
  }
  return removed;
}

/** ENOENT */
const NO_ENTRY = 2;

function dumps(addresses: readonly IpAddress[]): readonly Request[] {
  if (addresses.length <= MAX_SEARCHES) {
    return addresses.flatMap((address) => [encodeSearch('original', address), encodeSearch('reply', address)]);
  }
  return ([4, 6] as const)
    .filter((family) => addresses.some((address) => address.family === family))
    .map((family) => encodeRequest(CONNTRACK.get, FLAG.dump, { family, attributes: [] }));
}

/** Kernels before 5.8 do not know the filter and answer with everything; decodeEntry looks again. */
function encodeSearch(side: Side, address: IpAddress): Request {
  const source = encodeAttributes([[address.family === 4 ? CTA_IP.v4Source : CTA_IP.v6Source, addressOctets(address)]]);
  const tuple = encodeAttributes([[CTA_TUPLE.ip | NESTED, source]]);
  const flags = side === 'original' ? CTA_FILTER.originalFlags : CTA_FILTER.replyFlags;
  const attributes: readonly Attribute[] = [
    [(side === 'original' ? CTA.tupleOriginal : CTA.tupleReply) | NESTED, tuple],
    [CTA.filter | NESTED, encodeAttributes([[flags, u32(COMPARE_SOURCE)]])],
  ];
  return encodeRequest(CONNTRACK.get, FLAG.dump, { family: address.family, attributes });
}

const encodeDelete = (key: EntryKey): Request => encodeRequest(CONNTRACK.delete, 0, key);

function encodeRequest(type: number, flags: number, { family, attributes }: EntryKey): Request {
  const fixed = new Uint8Array(FIXED_OCTETS);
  fixed[0] = family === 4 ? AF.inet : AF.inet6;
  return { type, flags, body: concat([fixed, encodeAttributes(attributes)]) };
}

/** The key of an entry that is of one of the addresses, else undefined. */
function decodeEntry(body: Uint8Array, wanted: ReadonlySet<string>): EntryKey | undefined {
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const sources = [CTA.tupleOriginal, CTA.tupleReply].map((type) => sourceOf(attributes.get(type)));
  if (!sources.some((source) => source !== undefined && wanted.has(formatIpAddress(source)))) return undefined;
  return {
    family: body[0] === AF.inet ? 4 : 6,
    // The id, so that a new connection of the same tuple is spared.
    attributes: [CTA.tupleOriginal, CTA.zone, CTA.id].flatMap((type) => copied(attributes, type)),
  };
}

function sourceOf(tuple: Uint8Array | undefined): IpAddress | undefined {
  const addresses = tuple && decodeAttributes(tuple).get(CTA_TUPLE.ip);
  const parts = addresses && decodeAttributes(addresses);
  const source = parts?.get(CTA_IP.v4Source) ?? parts?.get(CTA_IP.v6Source);
  return source && readAddress(source);
}

/** A part of an answer is large, and the little that is kept would hold it. */
function copied(attributes: Attributes, type: number): readonly Attribute[] {
  const value = attributes.get(type);
  if (value === undefined) return [];
  return [[type === CTA.tupleOriginal ? type | NESTED : type, value.slice()]];
}
