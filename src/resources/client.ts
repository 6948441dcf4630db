import type { Entry, Store } from '../datastore/store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../datastore/store.ts';
import {
  checkImmutable,
  checkNeighbours,
  checkTierIsEmpty,
  hasNeighbours,
  isSettled,
  neighbourKinds,
} from './conflicts.ts';
import { InvalidResourceError, invalidField } from './invalid-resource.ts';
import type { KindSpec } from './kind.ts';
import { resourceKey, resourcePrefix } from './keys.ts';
import type { Metadata } from './metadata.ts';
import { DEFAULT_NAMESPACE } from './metadata.ts';
import { parseResource } from './parse.ts';
import type { Stamps } from './stamps.ts';
import { systemStamps } from './stamps.ts';
import type { UnreadableEntry } from './stored.ts';
import { fromStored, keyOf, readStored, toStored } from './stored.ts';
import type { AnyResource, Kind, ResourceByKind } from './table.ts';
import { kindTable, resourceId } from './table.ts';

/** How often an update without a revision is tried again after somebody else was faster. */
const UPDATE_RETRIES = 5;

/** A namespace is only for namespaced kinds; absent: `default`. */
export interface ResourceName {
  readonly name: string;
  readonly namespace?: string;
}

export interface Survey<K extends Kind> {
  readonly resources: readonly ResourceByKind[K][];
  readonly unreadable: readonly UnreadableEntry[];
}

/**
 * Calico's resources, typed, on any datastore. Every write is checked first and is a compare-and-swap.
 * Throws InvalidResourceError, NotFoundError, AlreadyExistsError and ConflictError in Calico's words,
 * and what the datastore throws when it does not answer.
 */
export interface ResourceClient {
  get<K extends Kind>(kind: K, name: ResourceName | string): Promise<ResourceByKind[K]>;
  /**
   * By name, tiers by their order; without a namespace those of all namespaces. Within a namespace, or of a kind that has
   * none, only those whose names begin with `namePrefix`. Entries that cannot be read are left out.
   */
  list<K extends Kind>(kind: K, namespace?: string, namePrefix?: string): Promise<readonly ResourceByKind[K][]>;
  /** As list, with what it leaves out. */
  survey<K extends Kind>(kind: K, namespace?: string): Promise<Survey<K>>;
  create<R extends AnyResource>(resource: R): Promise<R>;
  /** With a resourceVersion it must be the stored one; without, the latest is replaced. */
  update<R extends AnyResource>(resource: R): Promise<R>;
  /** Creates, or updates what is there. */
  apply<R extends AnyResource>(resource: R): Promise<R>;
  delete(kind: Kind, name: ResourceName | string, resourceVersion?: string): Promise<void>;
}

export function createResourceClient(store: Store, stamps: Stamps = systemStamps): ResourceClient {
  const create = async <R extends AnyResource>(resource: R): Promise<R> => {
    const checked = parseResource(resource);
    refuseReserved(checked.kind, checked.metadata.name, 'write');
    if (checked.metadata.resourceVersion !== undefined) {
      const reason = 'must be empty for a resource that is created';
      throw invalidField('metadata.resourceVersion', checked.metadata.resourceVersion, reason);
    }
    // Looked up first, so that the answer is "already exists" and not a collision with itself.
    const key = keyOf(checked);
    if (await store.get(key)) throw alreadyExists(checked);
    await checkAgainstOthers(store, checked);
    const stamped = withMetadata(checked, {
      ...checked.metadata,
      uid: checked.metadata.uid ?? stamps.uid(),
      creationTimestamp: checked.metadata.creationTimestamp ?? timestamp(stamps.wallTime()),
    });
    const entry = await store.create(key, toStored(stamped)).catch((error: unknown) => {
      throw error instanceof AlreadyExistsError ? alreadyExists(checked) : error;
    });
    return fromStored(entry) as R;
  };

  const update = async <R extends AnyResource>(resource: R): Promise<R> => {
    const checked = parseResource(resource);
    refuseReserved(checked.kind, checked.metadata.name, 'write');
    for (let attempt = 0; ; attempt++) {
      const current = await store.get(keyOf(checked));
      if (current === undefined) throw notFound(checked.kind, checked.metadata);
      try {
        return (await replace(store, checked, current)) as R;
      } catch (error) {
        const lost = error instanceof ConflictError && checked.metadata.resourceVersion === undefined;
        if (error instanceof NotFoundError) throw notFound(checked.kind, checked.metadata);
        if (!lost || attempt >= UPDATE_RETRIES) throw error;
      }
    }
  };

  return {
    get: async <K extends Kind>(kind: K, name: ResourceName | string) => {
      const where = named(kind, name);
      const entry = await store.get(resourceKey(kind, where.name, where.namespace));
      if (entry === undefined) throw notFound(kind, where);
      return fromStored(entry) as ResourceByKind[K];
    },
    list: async (kind, namespace, namePrefix = '') =>
      readable(kind, (await store.list(`${resourcePrefix(kind, namespace)}${namePrefix}`)).entries),
    survey: async (kind, namespace) => surveyed(kind, (await store.list(resourcePrefix(kind, namespace))).entries),
    create,
    update,
    apply: (resource) =>
      create(withoutVersion(resource)).catch((error: unknown) => {
        if (error instanceof AlreadyExistsError) return update(resource);
        throw error;
      }),
    delete: async (kind, name, resourceVersion) => {
      const where = named(kind, name);
      const key = resourceKey(kind, where.name, where.namespace);
      refuseReserved(kind, where.name, 'delete');
      if (kind === 'Tier') await checkTierIsUnused(store, where.name);
      try {
        await store.delete(key, resourceVersion === undefined ? undefined : revisionOf(resourceVersion));
      } catch (error) {
        if (error instanceof NotFoundError) throw notFound(kind, where);
        if (error instanceof ConflictError)
          throw conflict({ kind, where, given: resourceVersion, latest: await store.get(key) });
        throw error;
      }
    },
  };
}

/** Writes over `current`, keeping what was stamped at creation. */
async function replace(store: Store, resource: AnyResource, current: Entry): Promise<AnyResource> {
  const { kind, metadata } = resource;
  const given = metadata.resourceVersion;
  const outdated = () => conflict({ kind, where: metadata, given, latest: current });
  if (given !== undefined && revisionOf(given) !== current.revision) throw outdated();
  // What is stored but unreadable may be replaced by what is sound; there is nothing to compare it with.
  const previous = readOrUndefined(current);
  if (previous !== undefined) checkImmutable(resource, previous);
  await checkAgainstOthers(store, resource, previous);
  const { uid, creationTimestamp } = previous?.metadata ?? metadata;
  const kept = withMetadata(resource, {
    ...metadata,
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  });
  try {
    return fromStored(await store.update(keyOf(resource), toStored(kept), current.revision));
  } catch (error) {
    throw error instanceof ConflictError ? outdated() : error;
  }
}

/** Two writers at once can still slip past each other: the check and the write are two steps, as in Calico. */
async function checkAgainstOthers(store: Store, resource: AnyResource, previous?: AnyResource): Promise<void> {
  if (!hasNeighbours(resource) || isSettled(resource, previous)) return;
  const kinds = neighbourKinds(resource);
  const all = async <K extends Kind>(kind: K): Promise<readonly ResourceByKind[K][]> =>
    kinds.includes(kind) ? readable(kind, (await store.list(resourcePrefix(kind))).entries) : [];
  const [pools, nodes, filters, tiers] = await Promise.all([all('IPPool'), all('Node'), all('BGPFilter'), all('Tier')]);
  checkNeighbours(resource, { pools, nodes, filters, tiers });
}

async function checkTierIsUnused(store: Store, name: string): Promise<void> {
  for (const kind of ['NetworkPolicy', 'GlobalNetworkPolicy'] as const) {
    checkTierIsEmpty(name, readable(kind, (await store.list(resourcePrefix(kind))).entries));
  }
}

function refuseReserved(kind: Kind, name: string, operation: 'write' | 'delete'): void {
  const reason = kindTable[kind].reserved?.(name, operation);
  if (reason !== undefined) throw invalidField('metadata.name', name, reason);
}

function readOrUndefined(entry: Entry): AnyResource | undefined {
  try {
    return fromStored(entry);
  } catch (error) {
    if (error instanceof InvalidResourceError) return undefined;
    throw error;
  }
}

const readable = <K extends Kind>(kind: K, entries: readonly Entry[]): readonly ResourceByKind[K][] =>
  surveyed(kind, entries).resources;

function surveyed<K extends Kind>(kind: K, entries: readonly Entry[]): Survey<K> {
  const read = entries.map(readStored);
  const resources = read.filter((one): one is ResourceByKind[K] => 'kind' in one && one.kind === kind);
  const { compare } = kindTable[kind] as KindSpec<ResourceByKind[K]>;
  return {
    resources: compare === undefined ? resources : resources.toSorted(compare),
    unreadable: read.filter((one): one is UnreadableEntry => 'reason' in one),
  };
}

const withMetadata = (resource: AnyResource, metadata: Metadata): AnyResource => ({ ...resource, metadata });

function withoutVersion<R extends AnyResource>(resource: R): R {
  const entries = Object.entries(resource.metadata).filter(([name]) => name !== 'resourceVersion');
  return { ...resource, metadata: Object.fromEntries(entries) };
}

function named(kind: Kind, name: ResourceName | string): ResourceName {
  const where = typeof name === 'string' ? { name } : name;
  return kindTable[kind].namespaced
    ? { name: where.name, namespace: where.namespace ?? DEFAULT_NAMESPACE }
    : { name: where.name };
}

function revisionOf(resourceVersion: string): number {
  const revision = Number(resourceVersion);
  if (/^\d+$/.test(resourceVersion) && Number.isSafeInteger(revision)) return revision;
  throw invalidField('metadata.resourceVersion', resourceVersion, 'is not a revision of the datastore');
}

/** As Kubernetes writes them: whole seconds, UTC. */
const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

const notFound = (kind: Kind, { name, namespace }: ResourceName): NotFoundError =>
  new NotFoundError(`resource does not exist: ${resourceId(kind, name, namespace)} with error: <nil>`);

const alreadyExists = ({ kind, metadata: { name, namespace } }: AnyResource): AlreadyExistsError =>
  new AlreadyExistsError(`resource already exists: ${resourceId(kind, name, namespace)} with error: <nil>`);

interface Collision {
  readonly kind: Kind;
  readonly where: ResourceName;
  readonly given: string | undefined;
  readonly latest: Entry | undefined;
}

function conflict({ kind, where, given, latest }: Collision): ConflictError {
  const id = resourceId(kind, where.name, where.namespace);
  const now = latest === undefined ? 'it is gone' : `the latest is ${latest.revision}`;
  const why = given === undefined ? 'it keeps changing' : `the resource version ${given} is out of date, ${now}`;
  return new ConflictError(`update conflict: ${id}: ${why}`);
}
