import type { PlainExport } from '../policy/export-octets.ts';
import type { ExportSource } from '../policy/export.ts';
import type { AttributeCache } from '../rib/attribute-cache.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { KeptSet } from '../rib/kept-set.ts';
import { decodeCanonical } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';
import type { EncodedSet, KeptSetEncoder } from './encoded-set.ts';

/**
 * What the peers of a group were told of a prefix: an attribute set as they have it, or one as we received it from another AS,
 * which the view of the group makes the same of each time; or ABSENT. So a table that only passes through needs no second set
 * for each of its own. Numbers of one group mean nothing to another.
 */
export type Told = number;

export const asTold = (set: number): Told => set * 2;

export const asReceived = (set: number): Told => set * 2 + 1;

/** ABSENT of ABSENT. */
export const setOf = (told: Told): number => told >> 1;

const isAsReceived = (told: Told): boolean => told !== ABSENT && (told & 1) === 1;

/** Whose sets may stand as received: of all peers in other ASes the export makes the same. */
export const isFromOutside = (source: ExportSource): boolean => source.kind === 'peer' && source.external;

const OUTSIDE: ExportSource = { kind: 'peer', external: true, bgpIdentifier: 0, routeReflectorClient: false };

/** Reads what stands in the rows of one group. */
export class ToldSets {
  readonly #attributes: AttributeCache;
  readonly #plain: PlainExport | undefined;
  readonly #view: { -readonly [K in keyof KeptSet]: KeptSet[K] } = { octets: new Uint8Array(), start: 0, end: 0 };

  /** Without `plain` nothing stands as received. */
  constructor(attributes: AttributeCache, plain?: PlainExport) {
    this.#attributes = attributes;
    this.#plain = plain;
  }

  retain(told: Told): void {
    this.#attributes.retain(setOf(told));
  }

  release(told: Told): void {
    this.#attributes.release(setOf(told));
  }

  /** The set as the peers have it; holds until the next is asked for. Not of ABSENT. */
  keptSet(told: Told): KeptSet {
    const kept = this.#attributes.keptSet(setOf(told));
    if (!isAsReceived(told)) return kept;
    const view = this.#view;
    view.octets = this.#plain!.octets;
    view.end = this.#plain!.put(kept, OUTSIDE);
    return view;
  }

  /** The same as it goes out. Stands until the next call. */
  encoded(told: Told, kept: KeptSetEncoder): EncodedSet {
    const set = this.#attributes.keptSet(setOf(told));
    return isAsReceived(told) ? this.#plain!.putBlock(set, OUTSIDE) : kept.encode(set);
  }

  /** The number of the set as the peers have it, with a hold that is the caller's; ABSENT of ABSENT. */
  hold(told: Told): number {
    if (told === ABSENT) return ABSENT;
    let set = setOf(told);
    if (isAsReceived(told)) {
      const { octets, end } = this.keptSet(told);
      set = this.#attributes.internOctets(octets, end);
    }
    this.#attributes.retain(set);
    return set;
  }

  /** For people. */
  read(told: Told): PathAttributes | undefined {
    if (told === ABSENT) return undefined;
    return isAsReceived(told) ? decodeCanonical(copied(this.keptSet(told))) : this.#attributes.attributes(setOf(told));
  }

  /** Whether the peers have the same of one as of what another group's peers have; `others` may be this. */
  isSame(one: Told, others: ToldSets, other: Told): boolean {
    if (one === ABSENT || other === ABSENT) return one === other;
    if (one === other && (others === this || !isAsReceived(one))) return true;
    if (!isAsReceived(one) && !isAsReceived(other)) return false;
    const octets = copied(this.keptSet(one));
    const { octets: found, start, end } = others.keptSet(other);
    if (end - start !== octets.length) return false;
    for (let i = 0; i < octets.length; i++) if (found[start + i] !== octets[i]) return false;
    return true;
  }
}

const copied = ({ octets, start, end }: KeptSet): Uint8Array => octets.slice(start, end);
