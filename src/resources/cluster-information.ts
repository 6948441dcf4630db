import * as z from 'zod';
import { fields } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn, orDash } from './kind.ts';
import { once } from './once.ts';

const schema = once(() =>
  envelope(
    'ClusterInformation',
    false,
    fields('ClusterInformation.spec', {
      clusterGUID: z.string().exactOptional(),
      clusterType: z.string().exactOptional().describe('comma-separated'),
      calicoVersion: z.string().exactOptional(),
      datastoreReady: z.boolean().exactOptional().describe('`false`: locked for a migration'),
      variant: z.string().exactOptional(),
    }),
  ),
);

export type ClusterInformation = z.output<ReturnType<typeof schema>>;

const columns: KindSpec<ClusterInformation>['columns'] = [
  nameColumn,
  { heading: 'CLUSTERGUID', value: ({ spec }) => spec.clusterGUID ?? '' },
  { heading: 'CLUSTERTYPE', value: ({ spec }) => spec.clusterType ?? '' },
  { heading: 'CALICOVERSION', value: ({ spec }) => spec.calicoVersion ?? '' },
  { heading: 'DATASTOREREADY', value: ({ spec }) => orDash(spec.datastoreReady) },
];

export const clusterInformation: KindSpec<ClusterInformation> = {
  kind: 'ClusterInformation',
  plural: 'clusterinformations',
  aliases: ['clusterinfo', 'clusterinfos'],
  namespaced: false,
  schema,
  columns,
  wideColumns: columns,
  readOnly: true,
};
