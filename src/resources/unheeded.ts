import type { AnyResource } from './table.ts';
import { kindTable, resourceId } from './table.ts';

/**
 * One sentence for each field of a resource that Calico acts upon and we only keep. Refusing such a resource would lose what
 * else it says, its AS number or that the mesh is off; keeping the field in silence would promise what nobody does.
 */
export function unheededFields({ kind, metadata, spec }: AnyResource): readonly string[] {
  const { unheeded = {} } = kindTable[kind];
  const values = spec as Readonly<Record<string, unknown>>;
  return Object.entries(unheeded)
    .filter(([field, { unless }]) => isSet(values[field]) && values[field] !== unless)
    .map(([field, { instead }]) => `${resourceId(kind, metadata.name)}: spec.${field} is kept, but ${instead}`);
}

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
