/**
 * What the speaker should have and tell, worked out from scratch and as plainly as it goes: from RFC 4271 §9 and RFC 4456,
 * and from what bird/README.md says where these leave a choice. Shares nothing with bird/rib and bird/policy.
 */
import type { NextHopBytes, PathAttributes } from '../../bird/bgp-ts/index.ts';
import { SPEAKER_ASN } from '../support/scripted-peer-lab.ts';
import { CLUSTER_ID, SPEAKER_IDENTIFIER } from './topology.ts';

/** Whom a path came from. */
export interface Source {
  readonly index: number;
  readonly external: boolean;
  readonly client: boolean;
  readonly identifier: number;
  /** IPv4 before IPv6, then by number. */
  readonly address: bigint;
  /** Our end of the session with it. */
  readonly ourAddress: NextHopBytes;
}

/** `source` undefined: of the speaker itself. */
export interface Path {
  readonly source: Source | undefined;
  readonly attributes: PathAttributes;
}

export interface Target extends Source {
  readonly nextHop: 'auto' | 'keep';
}

/** What is kept of a received set. RFC 4271 §5: LOCAL_PREF is not for external peers; RFC 4456 §8, RFC 7606 §7.9, §7.10. */
export function kept(attributes: PathAttributes, external: boolean): PathAttributes {
  const copy = without(attributes, [
    'unknown',
    ...(external ? (['localPref', 'originatorId', 'clusterList'] as const) : []),
  ]);
  // RFC 4271 §5: what nobody here knows goes on where it is transitive, marked as partial.
  const transitive = (attributes.unknown ?? []).filter(({ flags }) => (flags & 0x40) !== 0);
  if (transitive.length === 0) return copy;
  return { ...copy, unknown: transitive.map((each) => ({ ...each, flags: each.flags | 0x20 })) };
}

/** RFC 4271 §9.1.2 and §6.3, RFC 4456 §8. */
export function isUsable(
  { asPath = [], originatorId, clusterList = [], nextHop }: PathAttributes,
  from: Source,
): boolean {
  if (asnsOf(asPath).includes(SPEAKER_ASN)) return false;
  if (!from.external && originatorId === SPEAKER_IDENTIFIER) return false;
  if (clusterList.includes(CLUSTER_ID)) return false;
  return String(nextHop) !== String(from.ourAddress);
}

/** RFC 4271 §9.1.2.2 and RFC 4456 §9, each rule a filter. The best, and all that only a tie-break told from it. */
export function select(paths: readonly Path[]): { readonly best: Path; readonly equals: readonly Path[] } | undefined {
  let left = paths;
  const leave = (measure: (path: Path) => number | bigint): void => {
    left = left.filter((path) => left.every((other) => measure(path) <= measure(other)));
  };
  leave(({ source }) => (source === undefined ? 0 : 1));
  leave(({ attributes }) => -(attributes.localPref ?? 100));
  leave(({ attributes }) => asnsOf(attributes.asPath).length);
  leave(({ attributes }) => ['igp', 'egp', 'incomplete'].indexOf(attributes.origin ?? 'incomplete'));
  const before = left;
  left = before.filter((path) => !before.some((other) => neighbor(other) === neighbor(path) && med(other) < med(path)));
  leave(({ source }) => (source?.external === false ? 1 : 0));
  const equals = left;
  leave(({ attributes, source }) => attributes.originatorId ?? source?.identifier ?? 0);
  leave(({ attributes }) => attributes.clusterList?.length ?? 0);
  leave(({ source }) => source?.address ?? 0n);
  const [best] = left;
  return best === undefined ? undefined : { best, equals };
}

/** What `target` is told of this best path; undefined: nothing. RFC 4271 §5.1 and §9.2, RFC 4456 §6 and §8, RFC 1997. */
export function exported({ attributes, source }: Path, target: Target, isIpv6: boolean): PathAttributes | undefined {
  if (source?.index === target.index) return undefined;
  const { communities = [] } = attributes;
  if (communities.includes(0xffff_ff02)) return undefined;
  if (target.external && (communities.includes(0xffff_ff01) || communities.includes(0xffff_ff03))) return undefined;
  const isReflected = source !== undefined && !source.external && !target.external;
  if (isReflected && !source.client && !target.client) return undefined;
  const nextHop = nextHopFor(attributes, source, { target, isIpv6 });
  if (nextHop === undefined) return undefined;
  if (target.external) {
    const copy = without(attributes, ['localPref', 'med', 'originatorId', 'clusterList']);
    return { ...copy, nextHop, asPath: [{ type: 'sequence', asns: [SPEAKER_ASN, ...asnsOf(attributes.asPath)] }] };
  }
  const internal = { ...attributes, nextHop, localPref: attributes.localPref ?? 100 };
  if (!isReflected) return internal;
  const originatorId = attributes.originatorId ?? source.identifier;
  return { ...internal, originatorId, clusterList: [CLUSTER_ID, ...(attributes.clusterList ?? [])] };
}

const without = (attributes: PathAttributes, fields: readonly (keyof PathAttributes)[]): PathAttributes =>
  Object.fromEntries(Object.entries(attributes).filter(([field]) => !fields.includes(field as keyof PathAttributes)));

/** Our own address where it is ours or leaves the AS, unless the peer is to keep it; of the session's family or not at all. */
function nextHopFor(
  attributes: PathAttributes,
  source: Source | undefined,
  { target, isIpv6 }: { readonly target: Target; readonly isIpv6: boolean },
): NextHopBytes | undefined {
  if (source !== undefined && (!target.external || target.nextHop === 'keep')) return attributes.nextHop;
  return (target.ourAddress.length === 16) === isIpv6 ? target.ourAddress : undefined;
}

/** The soak makes no sets and no confederations: a path is a sequence. */
export const asnsOf = (path: PathAttributes['asPath'] = []): readonly number[] => path.flatMap(({ asns }) => asns);

const med = ({ attributes }: Path): number => attributes.med ?? 0;
/** RFC 4271 §9.1.2.2 c): the AS that the route came from; the local one, here 0, where the path is empty. */
const neighbor = ({ attributes }: Path): number => asnsOf(attributes.asPath)[0] ?? 0;
