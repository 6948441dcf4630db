import type { Aggregator } from './aggregator.ts';
import { aggregator } from './aggregator.ts';
import { aigp } from './aigp.ts';
import { as4Aggregator } from './as4-aggregator.ts';
import { as4Path } from './as4-path.ts';
import { asPath } from './as-path.ts';
import { atomicAggregate } from './atomic-aggregate.ts';
import { clusterList } from './cluster-list.ts';
import { communities } from './communities.ts';
import { extendedCommunities } from './extended-communities.ts';
import { ipv6ExtendedCommunities } from './ipv6-extended-communities.ts';
import { largeCommunities } from './large-communities.ts';
import { localPref } from './local-pref.ts';
import { med } from './med.ts';
import type { MpReach } from './mp-reach.ts';
import { mpReach } from './mp-reach.ts';
import type { MpUnreach } from './mp-unreach.ts';
import { mpUnreach } from './mp-unreach.ts';
import { nextHop } from './next-hop.ts';
import { onlyToCustomer } from './only-to-customer.ts';
import { pmsiTunnel, tunnelEncapsulation } from './opaque.ts';
import { origin } from './origin.ts';
import { originatorId } from './originator-id.ts';
import type { AsSegment, PathAttributes } from './path-attributes.ts';
import type { AttributeSpec, RecordedSpec } from './spec.ts';

type Recorded = Omit<PathAttributes, 'unknown' | 'partial'>;

/** The attributes as they stand on the wire, before AS4_PATH is merged and MP_REACH gives its next hop. */
export interface WireAttributes extends Recorded {
  readonly mpReach?: MpReach;
  readonly mpUnreach?: MpUnreach;
  readonly as4Path?: readonly AsSegment[];
  readonly as4Aggregator?: Aggregator;
}

/** A field without a codec does not compile, nor a codec without a field. */
export type AttributeTable = {
  readonly [K in keyof WireAttributes]-?: K extends keyof Recorded
    ? RecordedSpec<NonNullable<WireAttributes[K]>>
    : AttributeSpec<NonNullable<WireAttributes[K]>>;
};

/** One row per attribute, in order of code: the order in which they are written, RFC 4271 §5. */
export const attributeTable: AttributeTable = {
  origin,
  asPath,
  nextHop,
  med,
  localPref,
  atomicAggregate,
  aggregator,
  communities,
  originatorId,
  clusterList,
  mpReach,
  mpUnreach,
  extendedCommunities,
  as4Path,
  as4Aggregator,
  pmsiTunnel,
  tunnelEncapsulation,
  ipv6ExtendedCommunities,
  aigp,
  largeCommunities,
  onlyToCustomer,
};

export interface AttributeRow {
  readonly field: keyof WireAttributes;
  readonly spec: AttributeSpec<unknown> & Partial<Pick<RecordedSpec<unknown>, 'json' | 'line'>>;
}

/** The rows by the order of their codes. */
export const attributeRows: readonly AttributeRow[] = Object.entries(attributeTable)
  .map(([field, spec]) => ({ field: field as keyof WireAttributes, spec }))
  .sort((a, b) => a.spec.code - b.spec.code);

/** The row of an attribute code, 0 to 255; undefined for what nobody here understands. */
export const rowByCode: readonly (AttributeRow | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  attributeRows.find(({ spec }) => spec.code === code),
);
