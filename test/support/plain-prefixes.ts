import type { FamilyNlri } from '../../bird/bgp-ts/index.ts';

type PlainGroup = Extract<FamilyNlri, { readonly kind: 'prefix' }>;

/** The groups of plain prefixes among those of an UPDATE. */
export const plainPrefixes = (groups: readonly FamilyNlri[]): readonly PlainGroup[] =>
  groups.filter((group) => group.kind === 'prefix');
