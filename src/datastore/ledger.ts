import type { Change, Entry, Listing, Write } from './store.ts';
import { AlreadyExistsError, CompactedError, ConflictError, NotFoundError } from './store.ts';

export const changeKey = (change: Change): string => (change.type === 'put' ? change.entry.key : change.key);
export const changeRevision = (change: Change): number =>
  change.type === 'put' ? change.entry.revision : change.revision;

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/**
 * What both the memory and the file store know: the entries, and the changes that led there since `compacted`.
 * Every change takes the next revision, so a change's place in the history is its revision less `compacted`.
 */
export class Ledger {
  #entries = new Map<string, Entry>();
  #history: Change[] = [];
  #compacted: number;
  #epoch = 0;

  constructor(revision = 0) {
    this.#compacted = revision;
  }

  get revision(): number {
    return this.#compacted + this.#history.length;
  }

  /** Changes after this revision are kept. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Grows when another history takes this one's place: revisions of before mean nothing then. */
  get epoch(): number {
    return this.#epoch;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string): Listing {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix)).sort(byKey);
    return { entries, revision: this.revision };
  }

  /** The changes that writes make as one, if they may. Throws AlreadyExistsError, NotFoundError or ConflictError. */
  decide(writes: readonly Write[]): readonly Change[] {
    const [decided] = this.decideEach([writes]);
    if (decided instanceof Error) throw decided;
    return decided ?? [];
  }

  /** As `decide`, for several in a row that are not applied yet: each finds what those before it make. In place of what decide throws is the error. */
  decideEach(units: readonly (readonly Write[])[]): readonly (readonly Change[] | Error)[] {
    const made = new Map<string, Entry | undefined>();
    let { revision } = this;
    return units.map((writes) => {
      try {
        const changes = writes.map((write, i) => {
          const current = made.has(write.key) ? made.get(write.key) : this.#entries.get(write.key);
          return changeOf(write, current, revision + 1 + i);
        });
        for (const change of changes) made.set(changeKey(change), change.type === 'put' ? change.entry : undefined);
        revision += changes.length;
        return changes;
      } catch (error) {
        return error as Error;
      }
    });
  }

  apply(change: Change): void {
    if (changeRevision(change) !== this.revision + 1) {
      throw new Error(`change of revision ${changeRevision(change)} applied at revision ${this.revision}`);
    }
    this.#history.push(change);
    if (change.type === 'put') this.#entries.set(change.entry.key, change.entry);
    else this.#entries.delete(change.key);
  }

  /** All changes after `revision`. Throws CompactedError. */
  changesAfter(revision: number): readonly Change[] {
    if (revision < this.#compacted) {
      throw new CompactedError(`revision ${revision} is no longer kept, only what follows ${this.#compacted}`);
    }
    if (revision > this.revision) {
      throw new CompactedError(`revision ${revision} is not of this history, which ends at ${this.revision}`);
    }
    return this.#history.slice(revision - this.#compacted);
  }

  /** Forgets the changes up to `revision`; the entries stay. */
  compact(revision: number): void {
    const forget = Math.min(Math.max(0, revision - this.#compacted), this.#history.length);
    this.#history = this.#history.slice(forget);
    this.#compacted += forget;
  }

  /** Another history takes this one's place: `entries` as they are after `history`, whose first change follows `compacted`. */
  replace(entries: readonly Entry[], compacted: number, history: readonly Change[]): void {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#compacted = compacted;
    this.#history = [...history];
    this.#epoch++;
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }
}

function changeOf(write: Write, current: Entry | undefined, revision: number): Change {
  const { key } = write;
  if (write.type === 'create') {
    if (current !== undefined) throw new AlreadyExistsError(`${key} exists already, at revision ${current.revision}`);
    return { type: 'put', entry: { key, value: write.value, revision } };
  }
  if (current === undefined) throw new NotFoundError(`${key} does not exist`);
  if (write.revision !== undefined && write.revision !== current.revision) {
    throw new ConflictError(`${key} is at revision ${current.revision}, not at ${write.revision}`);
  }
  if (write.type === 'delete') return { type: 'delete', key, revision };
  return { type: 'put', entry: { key, value: write.value, revision } };
}
