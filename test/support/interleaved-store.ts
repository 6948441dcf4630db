import type { Store } from '../../src/datastore/store.ts';

/** A store whose every call waits until `schedule` lets it go: a test decides in which order many clients' calls land. */
export function interleavedStore(store: Store, schedule: (label: string) => Promise<void>): Store {
  const later = async <T>(label: string, call: () => Promise<T>): Promise<T> => {
    await schedule(label);
    return call();
  };
  return {
    get: (key) => later(`get ${key}`, () => store.get(key)),
    list: (prefix) => later(`list ${prefix}`, () => store.list(prefix)),
    create: (key, value) => later(`create ${key}`, () => store.create(key, value)),
    update: (key, value, revision) => later(`update ${key}`, () => store.update(key, value, revision)),
    delete: (key, revision) => later(`delete ${key}`, () => store.delete(key, revision)),
    writeAll: (writes) =>
      later(`writeAll ${writes.map(({ type, key }) => `${type} ${key}`).join(', ')}`, () => store.writeAll(writes)),
    watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
    close: () => store.close(),
  };
}
