import { CALICO_PREFIX, IPAM_PREFIX, parseAffinityKey, parseBlockKey, parseHandleKey } from '../datastore/keys.ts';
import type { Entry, Listing } from '../datastore/store.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { Prefix } from '../model/ip.ts';
import type { AffinityState } from './affinity.ts';
import { affinityFromJson } from './affinity.ts';
import type { Block } from './block.ts';
import { blockFromJson } from './block-json.ts';
import type { HandleCounts } from './handle.ts';
import { handleFromJson } from './handle.ts';

export interface StoredBlock {
  readonly block: Block;
  readonly revision: number;
}

export interface StoredAffinity {
  readonly node: string;
  readonly prefix: Prefix;
  readonly state: AffinityState;
  readonly revision: number;
}

export interface StoredHandle {
  readonly id: string;
  readonly counts: HandleCounts;
  readonly revision: number;
}

/** All of IPAM at one revision of the datastore. */
export interface IpamSurvey {
  readonly history: History;
  readonly blocks: readonly StoredBlock[];
  readonly affinities: readonly StoredAffinity[];
  readonly handles: readonly StoredHandle[];
  readonly unreadable: readonly { readonly key: string; readonly reason: string }[];
}

/** What tells one datastore's past from another's: how far it is, and the entry that has stood longest unchanged. */
export interface History {
  readonly revision: number;
  readonly oldest?: { readonly key: string; readonly revision: number };
}

/** Of a listing of all that is Calico's, so that owners and addresses are of the same moment. */
export function ipamSurvey({ entries, revision }: Listing): IpamSurvey {
  const blocks: StoredBlock[] = [];
  const affinities: StoredAffinity[] = [];
  const handles: StoredHandle[] = [];
  const unreadable: { readonly key: string; readonly reason: string }[] = [];
  for (const entry of entries.filter(({ key }) => key.startsWith(IPAM_PREFIX))) {
    const { key, value } = entry;
    const id = parseHandleKey(key);
    if (id !== undefined) handles.push({ id, counts: handleFromJson(value), revision: entry.revision });
    const affinity = parseAffinityKey(key);
    if (affinity !== undefined) {
      const { host: node, prefix } = affinity;
      affinities.push({ node, prefix, state: affinityFromJson(value), revision: entry.revision });
    }
    if (parseBlockKey(key) === undefined) continue;
    try {
      blocks.push({ block: blockFromJson(value, key), revision: entry.revision });
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      unreadable.push({ key, reason: error.message });
    }
  }
  return { history: historyOf(entries, revision), blocks, affinities, handles, unreadable };
}

function historyOf(entries: readonly Entry[], revision: number): History {
  const [first, ...others] = entries.filter(({ key }) => key.startsWith(CALICO_PREFIX));
  if (first === undefined) return { revision };
  const oldest = others.reduce((a, b) => (b.revision < a.revision ? b : a), first);
  return { revision, oldest: { key: oldest.key, revision: oldest.revision } };
}

/** Why `now` is not a later moment of the datastore that `then` was seen in; undefined where nothing speaks against it. */
export function otherHistory(then: History, { entries, revision }: Listing): string | undefined {
  if (revision < then.revision) return `the datastore is at revision ${revision}, before the report's ${then.revision}`;
  if (then.oldest === undefined) return undefined;
  const { key, revision: seen } = then.oldest;
  const current = entries.find((entry) => entry.key === key)?.revision;
  if (current === undefined || current === seen || current > then.revision) return undefined;
  return `${key} was written at revision ${current}, and the report, of revision ${then.revision}, saw ${seen}`;
}
