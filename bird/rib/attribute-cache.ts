import { aigpMetric } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';
import { ByteTable } from './byte-table.ts';
import { LLGR_STALE } from './well-known.ts';

/** What best path and policy look at, worked out once per attribute set. */
export interface DecisionRecord {
  /** RFC 9494 §4.3, whoever marked it. */
  readonly longLivedStale: boolean;
  /** 100 where the peer sent none, RFC 4277 §12. */
  readonly localPref: number;
  /** RFC 7311; undefined where the set has none. */
  readonly aigp: bigint | undefined;
  readonly asPathLength: number;
  readonly origin: number;
  readonly med: number;
  readonly neighborAs: number;
  readonly originatorId: number | undefined;
  readonly clusterListLength: number;
}

interface Entry {
  readonly attributes: PathAttributes;
  readonly record: DecisionRecord;
  /** Our own encoding, by which equal sets are found. */
  readonly canonical: Uint8Array;
  /** The encodings of peers that led here. */
  readonly raw: Uint8Array[];
  holders: number;
}

/** How many different encodings of one set are remembered; a peer that shuffles attributes must not fill our memory. */
const MAX_RAW = 4;

/**
 * Every distinct set of path attributes once, named by a small integer. Two ways in: by the very octets of a message,
 * which costs one hash and no decoding, and by value. A set lives as long as somebody retains it.
 */
export class AttributeCache {
  readonly #encode: (attributes: PathAttributes) => Uint8Array;
  readonly #byCanonical: ByteTable;
  readonly #byRaw: ByteTable;
  readonly #entries: (Entry | undefined)[] = [];
  readonly #freeIds: number[] = [];

  /** `encode` gives equal octets for equal sets; the next hop included, whatever its family. */
  constructor(encode: (attributes: PathAttributes) => Uint8Array, seed: number) {
    this.#encode = encode;
    this.#byCanonical = new ByteTable(seed);
    this.#byRaw = new ByteTable(seed + 1);
  }

  get size(): number {
    return this.#entries.length - this.#freeIds.length;
  }

  /** The set that these octets led to before, or -1. */
  findRaw(key: Uint8Array, length: number): number {
    return this.#byRaw.get(key, 0, length);
  }

  /** Remembers the octets of a set that was retained. */
  rememberRaw(key: Uint8Array, length: number, id: number): void {
    const entry = this.#entry(id);
    if (entry.raw.length < MAX_RAW) entry.raw.push(this.#byRaw.add(key, 0, length, id));
  }

  /** The id of a set by value. The caller must retain it, or hand it back with `release` after `retain`. */
  intern(attributes: PathAttributes): number {
    const canonical = this.#encode(attributes);
    const found = this.#byCanonical.get(canonical, 0, canonical.length);
    if (found >= 0) return found;
    const id = this.#freeIds.pop() ?? this.#entries.length;
    const key = this.#byCanonical.add(canonical, 0, canonical.length, id);
    this.#entries[id] = { attributes, record: decisionRecord(attributes), canonical: key, raw: [], holders: 0 };
    return id;
  }

  retain(id: number): void {
    this.#entry(id).holders++;
  }

  release(id: number): void {
    const entry = this.#entry(id);
    if (--entry.holders > 0) return;
    this.#byCanonical.delete(entry.canonical);
    for (const key of entry.raw) this.#byRaw.delete(key);
    this.#entries[id] = undefined;
    this.#freeIds.push(id);
  }

  attributes(id: number): PathAttributes {
    return this.#entry(id).attributes;
  }

  record(id: number): DecisionRecord {
    return this.#entry(id).record;
  }

  #entry(id: number): Entry {
    const entry = this.#entries[id];
    if (entry === undefined) throw new Error(`attribute set ${id} is not in the cache`);
    return entry;
  }
}

const ORIGINS = { igp: 0, egp: 1, incomplete: 2 } as const;

export function decisionRecord(attributes: PathAttributes): DecisionRecord {
  const path = attributes.asPath ?? [];
  // RFC 4271 §9.1.2.2 a) counts a set as one; RFC 5065 §5.3 confederation segments not at all.
  const lengths = path.map(({ type, asns }) => (type === 'sequence' ? asns.length : type === 'set' ? 1 : 0));
  const first = path.find(({ type }) => type === 'sequence' || type === 'set');
  return {
    longLivedStale: attributes.communities?.includes(LLGR_STALE) === true,
    aigp: aigpMetric(attributes),
    localPref: attributes.localPref ?? 100,
    asPathLength: lengths.reduce((sum, length) => sum + length, 0),
    origin: ORIGINS[attributes.origin ?? 'incomplete'],
    med: attributes.med ?? 0,
    neighborAs: first?.type === 'sequence' ? (first.asns[0] ?? 0) : 0,
    originatorId: attributes.originatorId,
    clusterListLength: attributes.clusterList?.length ?? 0,
  };
}
