import type { z } from 'zod';
import { fields } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { labels } from './metadata.ts';
import { once } from './once.ts';
import { ruleList } from './policy-rule.ts';

const spec = once(() =>
  fields('Profile.spec', {
    ingress: ruleList().describe('where no policy decided; in order, the first that matches decides'),
    egress: ruleList().describe('where no policy decided; in order, the first that matches decides'),
    labelsToApply: labels.exactOptional().describe('beside the own labels of the endpoints, which are stronger'),
  }),
);

const schema = once(() => envelope('Profile', false, spec()));

export type Profile = z.output<ReturnType<typeof schema>>;

/** Calico has it without being told. */
const DEFAULT_ALLOW = 'projectcalico-default-allow';

export const profile: KindSpec<Profile> = {
  kind: 'Profile',
  plural: 'profiles',
  aliases: ['pro', 'pros'],
  namespaced: false,
  schema,
  inert: true,
  columns: [nameColumn],
  wideColumns: [
    nameColumn,
    {
      heading: 'LABELS',
      value: ({ spec: { labelsToApply = {} } }) =>
        Object.entries(labelsToApply)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
    },
  ],
  reserved: (name) =>
    name === DEFAULT_ALLOW ? 'is a profile of Calico itself, which can be neither written nor deleted' : undefined,
};
