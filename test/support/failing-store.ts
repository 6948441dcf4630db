import type { Store } from '../../src/datastore/store.ts';
import { UnavailableError } from '../../src/datastore/store.ts';

/** `lost`: it never reached the store; `unanswered`: it was done, and nobody said so. */
export type Fate = 'done' | 'lost' | 'unanswered';

/** A store behind a bad line. Labels are as interleavedStore gives them: `update /calico/ipam/...`. */
export function failingStore(store: Store, fateOf: (label: string) => Fate): Store {
  const attempt = async <T>(label: string, call: () => Promise<T>): Promise<T> => {
    const fate = fateOf(label);
    if (fate === 'lost') throw new UnavailableError(`${label}: lost`);
    const answer = await call();
    if (fate === 'unanswered') throw new UnavailableError(`${label}: no answer`);
    return answer;
  };
  return {
    get: (key) => attempt(`get ${key}`, () => store.get(key)),
    list: (prefix) => attempt(`list ${prefix}`, () => store.list(prefix)),
    create: (key, value) => attempt(`create ${key}`, () => store.create(key, value)),
    update: (key, value, revision) => attempt(`update ${key}`, () => store.update(key, value, revision)),
    delete: (key, revision) => attempt(`delete ${key}`, () => store.delete(key, revision)),
    writeAll: (writes) =>
      attempt(`writeAll ${writes.map(({ type, key }) => `${type} ${key}`).join(', ')}`, () => store.writeAll(writes)),
    watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
    close: () => store.close(),
  };
}
