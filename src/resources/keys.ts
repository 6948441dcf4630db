import * as keys from '../datastore/keys.ts';
import type { Kind } from './table.ts';
import { KINDS, kindTable } from './table.ts';

/** Where all resources of a kind live, or all of one namespace. */
export const resourcePrefix = (kind: Kind, namespace?: string): string =>
  kindTable[kind].kept?.key ?? keys.resourcePrefix(kindTable[kind].plural, namespace);

export function resourceKey(kind: Kind, name: string, namespace?: string): string {
  const { plural, kept } = kindTable[kind];
  if (kept?.name === name) return kept.key;
  return keys.resourceKey(namespace === undefined ? { plural, name } : { plural, name, namespace });
}

const KIND_BY_KEY: ReadonlyMap<string, Kind> = new Map(
  KINDS.flatMap((kind) => {
    const { kept } = kindTable[kind];
    return kept === undefined ? [] : [[kept.key, kind] as const];
  }),
);

const KIND_BY_PLURAL: ReadonlyMap<string, Kind> = new Map(
  KINDS.filter((kind) => kindTable[kind].kept === undefined).map((kind) => [kindTable[kind].plural, kind]),
);

/** The kind whose resource lives under `key`; undefined for everything else in the store, such as IPAM's blocks. */
export function kindOfKey(key: string): Kind | undefined {
  const plural = keys.parseResourceKey(key)?.plural;
  return plural === undefined ? KIND_BY_KEY.get(key) : KIND_BY_PLURAL.get(plural);
}
