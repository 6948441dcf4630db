import type { z } from 'zod';
import { obeys } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { namespaceLabelFaults, netsColumn, networkSetSpec } from './network-set.ts';
import { once } from './once.ts';

const schema = once(() =>
  envelope('GlobalNetworkSet', false, networkSetSpec('GlobalNetworkSet.spec')).check(obeys(namespaceLabelFaults)),
);

export type GlobalNetworkSet = z.output<ReturnType<typeof schema>>;

export const globalNetworkSet: KindSpec<GlobalNetworkSet> = {
  kind: 'GlobalNetworkSet',
  plural: 'globalnetworksets',
  aliases: ['gnetset', 'gnetsets'],
  namespaced: false,
  schema,
  inert: true,
  columns: [nameColumn],
  wideColumns: [nameColumn, netsColumn],
};
