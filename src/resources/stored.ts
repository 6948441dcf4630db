import type { Entry, Json } from '../datastore/store.ts';
import { InvalidResourceError } from './invalid-resource.ts';
import { kindOfKey, resourceKey } from './keys.ts';
import type { Metadata } from './metadata.ts';
import { parseResource } from './parse.ts';
import type { AnyResource, Kind, ResourceByKind } from './table.ts';
import { kindTable } from './table.ts';

/** What is written: the resource without its revision, which is the entry's own. */
export function toStored(resource: AnyResource): Json {
  const metadata: Metadata = { ...resource.metadata };
  return JSON.parse(JSON.stringify({ ...resource, metadata: { ...metadata, resourceVersion: undefined } })) as Json;
}

/** Reads an entry back; throws InvalidResourceError where it is none of ours or breaks a rule. */
export function fromStored(entry: Entry): AnyResource {
  const kind = kindOfKey(entry.key);
  const toDocument = kind === undefined ? undefined : kindTable[kind].kept?.toDocument;
  const resource = parseResource(toDocument === undefined ? entry.value : toDocument(entry.value));
  return { ...resource, metadata: { ...resource.metadata, resourceVersion: String(entry.revision) } };
}

/** Every resource of every kind, by name; namespaced ones by `namespace/name`. */
export type Resources = { readonly [K in Kind]: ReadonlyMap<string, ResourceByKind[K]> };

export interface UnreadableEntry {
  readonly key: string;
  readonly reason: string;
}

export interface ResourceView {
  readonly resources: Resources;
  /** Left out of the view: they are reported, never guessed at. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** The resource, where the entry holds a sound one under its own key; else what stands in the way, in one line. */
export function readStored(entry: Entry): AnyResource | UnreadableEntry {
  const { key } = entry;
  try {
    const resource = fromStored(entry);
    return keyOf(resource) === key ? resource : { key, reason: 'holds a resource that belongs under another key' };
  } catch (error) {
    if (!(error instanceof InvalidResourceError)) throw error;
    return { key, reason: error.message.replace('\n-  ', ' ').replaceAll('\n-  ', '; ') };
  }
}

/**
 * Reads a view over and over and remembers what it has read: an entry never changes, and most of them are there again. So a
 * change costs what changed, not all that is stored.
 */
export class ResourceReader {
  readonly #known = new WeakMap<Entry, AnyResource | UnreadableEntry>();

  /** Sorts what a syncer sees below `/calico/` into kinds. What is no resource is passed over. */
  view(entries: Iterable<Entry>): ResourceView {
    const maps = emptyMaps();
    const unreadable: UnreadableEntry[] = [];
    for (const entry of entries) {
      const kind = kindOfKey(entry.key);
      if (kind === undefined) continue;
      const read = this.#read(entry);
      if ('reason' in read) unreadable.push(read);
      else maps[kind].set(mapKey(read), read);
    }
    return { resources: maps as unknown as Resources, unreadable };
  }

  #read(entry: Entry): AnyResource | UnreadableEntry {
    const known = this.#known.get(entry);
    if (known !== undefined) return known;
    const read = readStored(entry);
    this.#known.set(entry, read);
    return read;
  }
}

/** One view of entries that will not be read again; see ResourceReader. */
export const resourcesFromEntries = (entries: Iterable<Entry>): ResourceView => new ResourceReader().view(entries);

export const emptyResources = (): Resources => emptyMaps() as unknown as Resources;

const emptyMaps = (): Record<Kind, Map<string, AnyResource>> =>
  Object.fromEntries(Object.keys(kindTable).map((kind) => [kind, new Map()])) as Record<Kind, Map<string, AnyResource>>;

export const keyOf = ({ kind, metadata }: AnyResource): string => resourceKey(kind, metadata.name, metadata.namespace);

const mapKey = ({ metadata }: AnyResource): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
