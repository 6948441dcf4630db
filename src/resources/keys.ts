import * as keys from '../datastore/keys.ts';
import type { Kind } from './table.ts';
import { KINDS, kindTable } from './table.ts';

/** Where all resources of a kind live, or all of one namespace. */
export const resourcePrefix = (kind: Kind, namespace?: string): string =>
  keys.resourcePrefix(kindTable[kind].plural, namespace);

export function resourceKey(kind: Kind, name: string, namespace?: string): string {
  const { plural } = kindTable[kind];
  return keys.resourceKey(namespace === undefined ? { plural, name } : { plural, name, namespace });
}

/** The kind whose resource lives under `key`; undefined for everything else in the store, such as IPAM's blocks. */
export function kindOfKey(key: string): Kind | undefined {
  const plural = keys.parseResourceKey(key)?.plural;
  return KINDS.find((kind) => kindTable[kind].plural === plural);
}
