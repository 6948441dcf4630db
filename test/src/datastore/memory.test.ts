import { MemoryStore } from '../../../src/datastore/memory.ts';
import { describeStore } from '../../compliance/store.ts';

describeStore('the memory store', () => {
  const store = new MemoryStore();
  return Promise.resolve({
    store,
    other: store,
    compact: (revision) => {
      store.compact(revision);
      return Promise.resolve();
    },
    tearDown: () => store.close(),
  });
});
