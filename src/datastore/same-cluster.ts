import { resourceKey } from './keys.ts';
import type { Entry, Json, Listing } from './store.ts';

/** Where Calico says which cluster its data are of; never deleted, and the same for as long as the cluster lives. */
const IDENTITY_KEY = resourceKey({ plural: 'clusterinformations', name: 'default' });

export interface Known {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly revision: number;
  readonly history: string | undefined;
}

/**
 * Why a listing is no news of the cluster that we know, in words; undefined where it is. Its absences are believed where it carries
 * on the history that we followed. Where that history broke (an etcd that was wiped, set up anew or restored from a backup, endpoints
 * that lead elsewhere) they prove nothing. The clusterGUID must be ours either way: etcd's own cluster id is the same after a wipe, and
 * a new history may have grown past the old one.
 */
export function whyStrange(known: Known, listing: Listing): string | undefined {
  const { entries, revision, history } = known;
  if (entries.size === 0) return undefined;
  const isOther = history !== undefined && listing.history !== undefined && history !== listing.history;
  const goesOn = !isOther && listing.revision >= revision;
  const ours = guidOf(entries.get(IDENTITY_KEY)?.value);
  const theirs = guidOf(listing.entries.find(({ key }) => key === IDENTITY_KEY)?.value);
  if (ours === undefined && goesOn) return undefined;
  if (ours !== theirs) {
    const what = theirs === undefined ? 'no clusterGUID' : `the clusterGUID ${theirs}`;
    return `its data are another cluster's: ${what}, where ours has ${ours ?? 'none'}`;
  }
  return listing.entries.length === 0 ? `it is empty now, where ${entries.size} entries were` : undefined;
}

function guidOf(value: Json | undefined): string | undefined {
  const spec = fieldOf(value, 'spec');
  const guid = fieldOf(spec, 'clusterGUID');
  return typeof guid === 'string' && guid !== '' ? guid : undefined;
}

function fieldOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as { readonly [key: string]: Json })[name];
}
