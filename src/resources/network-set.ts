import type { z } from 'zod';
import type { Fault } from './fields.ts';
import { addressOrNetwork, distinct, fields, obeys } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, joinedShort, nameColumn } from './kind.ts';
import type { Metadata } from './metadata.ts';
import { once } from './once.ts';

export const networkSetSpec = (owner: string) =>
  fields(owner, {
    nets: distinct(addressOrNetwork).default([]).describe('addresses and networks that selectors of policies can name'),
  });

/** Calico puts this label there itself when it maps a set to its namespace. */
const NAMESPACE_LABEL = 'projectcalico.org/namespace';

export const namespaceLabelFaults = ({ metadata }: { readonly metadata: Metadata }): readonly Fault[] =>
  metadata.labels?.[NAMESPACE_LABEL] === undefined
    ? []
    : [[['metadata', 'labels', NAMESPACE_LABEL], 'is a label of Calico itself']];

const schema = once(() =>
  envelope('NetworkSet', true, networkSetSpec('NetworkSet.spec')).check(obeys(namespaceLabelFaults)),
);

export type NetworkSet = z.output<ReturnType<typeof schema>>;

export const netsColumn = {
  heading: 'NETS',
  value: ({ spec }: { readonly spec: { readonly nets: readonly string[] } }) => joinedShort(spec.nets),
};

export const networkSet: KindSpec<NetworkSet> = {
  kind: 'NetworkSet',
  plural: 'networksets',
  aliases: ['netset', 'netsets'],
  namespaced: true,
  schema,
  inert: true,
  columns: [nameColumn],
  wideColumns: [nameColumn, netsColumn],
};
