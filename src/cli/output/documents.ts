import type { AnyResource } from '../../resources/index.ts';
import { API_VERSION } from '../../resources/index.ts';
import type { Format } from './format.ts';

interface Shown {
  /** One resource was named: it stands alone; everything else is a list. */
  readonly alone: boolean;
}

/** Resources in every format but tables. */
export function formatDocuments(
  resources: readonly AnyResource[],
  format: Exclude<Format, { readonly as: 'table' }>,
  { alone }: Shown,
): string {
  switch (format.as) {
    case 'name':
      return resources.map((resource) => `${nameOf(resource)}\n`).join('');
    case 'json':
      // calicoctl writes a bare array.
      return `${JSON.stringify(alone ? resources[0] : resources, undefined, 2)}\n`;
    case 'yaml':
      return format.print(alone ? resources[0] : list(resources));
    case 'jsonpath':
      return format.print(alone ? resources[0] : list(resources));
  }
}

const list = (items: readonly AnyResource[]): object => ({
  apiVersion: API_VERSION,
  kind: `${items[0]?.kind ?? ''}List`,
  items,
});

/** As kubectl names a resource of a group; every command takes it back in place of kind and name. */
const nameOf = ({ kind, metadata }: AnyResource): string => `${kind.toLowerCase()}.projectcalico.org/${metadata.name}`;

/** Without what the cluster itself put into the metadata. */
export function exported(resource: AnyResource): AnyResource {
  const { name, labels, annotations } = resource.metadata;
  return { ...resource, metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) } };
}
