import type { Change, Entry, Json, Store } from '../../src/datastore/store.ts';
import { startSyncer } from '../../src/datastore/syncer.ts';
import type { Syncer } from '../../src/datastore/syncer.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';

const keyOf = (change: Change): string => (change.type === 'put' ? change.entry.key : change.key);
const revisionOf = (change: Change): number => (change.type === 'put' ? change.entry.revision : change.revision);

/** A syncer, and everything that it ever told. */
export class StoreFollower {
  readonly syncer: Syncer;
  /** As the syncer told it, from the first snapshot on. */
  readonly changes: Change[] = [];
  /** `stale`, each time that it changed: a sentence, or `fresh`. */
  readonly stale: string[] = [];
  /** Keys that were in the view and then were not. */
  readonly lost: string[] = [];

  constructor(store: Store, prefix: string, { clock, random = Math.random }: { clock: Clock; random?: Random }) {
    this.syncer = startSyncer(
      store,
      prefix,
      {
        onChanges: (changes) => {
          this.changes.push(...changes);
          this.lost.push(...changes.filter(({ type }) => type === 'delete').map(keyOf));
        },
        onStale: (view) => void this.stale.push(view.stale ?? 'fresh'),
      },
      { clock, random },
    );
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.syncer.view().entries;
  }

  get isFresh(): boolean {
    return this.syncer.view().inSync && this.syncer.view().stale === undefined;
  }

  keys(): readonly string[] {
    return [...this.entries.keys()].sort();
  }

  values(): Readonly<Record<string, Json>> {
    return Object.fromEntries([...this.entries].sort().map(([key, { value }]) => [key, value]));
  }

  /** `put /a @3`, in the order told. */
  told(): readonly string[] {
    return this.changes.map((change) => `${change.type} ${keyOf(change)} @${revisionOf(change)}`);
  }
}
