/** What a peer was told: prefixes as text, as tests write them. */
import type { Family, FamilyNlri, PathAttributes, PrefixNlri, Update } from '../../bird/bgp-ts/index.ts';
import { familyKey, formatPrefix, IPV4_UNICAST, IPV6_UNICAST, parsePrefix } from '../../bird/bgp-ts/index.ts';

/** The prefixes by family, at most `limit` in one group. Throws where a text is no prefix. */
export function groups(prefixes: readonly string[], limit: number): readonly FamilyNlri[] {
  const byFamily = Map.groupBy(prefixes, (text) => text.includes(':'));
  return [...byFamily].flatMap(([isIpv6, texts]) => {
    const family = isIpv6 ? IPV6_UNICAST : IPV4_UNICAST;
    const nlri = texts.map((text) => nlriOf(text, isIpv6 ? 128 : 32));
    const starts = Array.from({ length: Math.ceil(nlri.length / limit) }, (_, i) => i * limit);
    return starts.map((start): FamilyNlri => ({ kind: 'prefix', family, nlri: nlri.slice(start, start + limit) }));
  });
}

function nlriOf(text: string, bits: 32 | 128): PrefixNlri {
  const parsed = parsePrefix(text, bits);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return { pathId: 0, ...parsed };
}

/** Adj-RIB-Out of the speaker as the peer heard it; sweeps what a refresh left out (RFC 7313 §4). */
export class ReceivedRoutes {
  readonly routes = new Map<string, PathAttributes>();
  /** By family: what was there at the beginning of the refresh and was not told again yet. */
  readonly #unrefreshed = new Map<string, Set<string>>();
  changes = 0;

  /** Of one family, by its AFI. */
  clear(afi: number): void {
    for (const key of this.routes.keys()) if (key.includes(':') === (afi === IPV6_UNICAST.afi)) this.routes.delete(key);
  }

  update({ withdrawn, announced, attributes, ipv4NextHop }: Update): void {
    for (const group of withdrawn) {
      for (const key of keysOf(group)) {
        this.changes++;
        this.routes.delete(key);
      }
    }
    for (const group of announced) {
      const isOwn = group.family.afi === IPV4_UNICAST.afi && group.multiprotocol !== true;
      const set = isOwn && ipv4NextHop !== undefined ? { ...attributes, nextHop: ipv4NextHop } : attributes;
      const unrefreshed = this.#unrefreshed.get(familyKey(group.family));
      for (const key of keysOf(group)) {
        this.changes++;
        this.routes.set(key, set);
        unrefreshed?.delete(key);
      }
    }
  }

  beginRefresh(family: Family): void {
    const isIpv6 = family.afi === IPV6_UNICAST.afi;
    const keys = [...this.routes.keys()].filter((key) => key.includes(':') === isIpv6);
    this.#unrefreshed.set(familyKey(family), new Set(keys));
  }

  endRefresh(family: Family): void {
    for (const key of this.#unrefreshed.get(familyKey(family)) ?? []) this.routes.delete(key);
    this.#unrefreshed.delete(familyKey(family));
  }
}

const keysOf = (group: FamilyNlri): readonly string[] =>
  group.kind !== 'prefix'
    ? []
    : group.nlri.map(
        ({ words, length, pathId }) => formatPrefix(words, length) + (pathId === 0 ? '' : ` id ${pathId}`),
      );
