import type { Entry, Json } from '../../src/datastore/store.ts';
import type { AnyResource, Kind, ResourceByKind, Resources } from '../../src/resources/index.ts';
import { API_VERSION, parseResource, resourceKey, resourcesFromEntries } from '../../src/resources/index.ts';

export interface Labelled {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A document as somebody would write it, not yet checked. */
export const manifest = (kind: string, name: string | Labelled, spec: object = {}): object => ({
  apiVersion: API_VERSION,
  kind,
  metadata: typeof name === 'string' ? { name } : name,
  spec,
});

/** A checked resource. */
export const resource = <K extends Kind>(kind: K, name: string | Labelled, spec: object = {}): ResourceByKind[K] =>
  parseResource(manifest(kind, name, spec)) as ResourceByKind[K];

export const entryOf = (value: AnyResource, revision = 1): Entry => ({
  key: resourceKey(value.kind, value.metadata.name, value.metadata.namespace),
  value: value as unknown as Json,
  revision,
});

/** The view that an agent has of a datastore with these resources in it. */
export const view = (...resources: readonly AnyResource[]): Resources =>
  resourcesFromEntries(resources.map((value, i) => entryOf(value, i + 1))).resources;
