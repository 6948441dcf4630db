import type { Change, Store } from '../datastore/store.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { startSyncer } from '../datastore/syncer.ts';
import type { AnyResource, ColumnContext, Kind } from '../resources/index.ts';
import { readStored, resourceId, resourcePrefix } from '../resources/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import type { CliIo } from './io.ts';
import { formatDocuments } from './output/documents.ts';
import type { Column, Format } from './output/format.ts';
import { columnWidths, formatRow } from './table.ts';

interface Watched {
  readonly store: Store;
  readonly query: { readonly kind: Kind; readonly names: readonly string[]; readonly namespace?: string };
  readonly shown: Shown;
}

interface Shown {
  readonly format: Format;
  readonly context: ColumnContext;
  readonly headers: boolean;
}

type Event = 'ADDED' | 'MODIFIED' | 'DELETED';

/**
 * Shows what is there and then everything that changes, until the operator interrupts. A store that goes away is told of and
 * waited for: the view is caught up from a listing, so nothing that differs in the end is missed.
 */
export async function watchResources({ store, query, shown }: Watched, io: CliIo): Promise<void> {
  const interruption = io.interruption();
  const printer = new ChangePrinter(query.names, shown, io);
  const handlers = {
    onSnapshot: ({ entries }: SyncView) => {
      printer.changes([...entries.values()].map((entry) => ({ type: 'put', entry }) as const));
    },
    onChanges: (changes: readonly Change[]) => printer.changes(changes),
    onStale: ({ stale }: SyncView) => {
      io.stderr(stale === undefined ? 'the datastore answers again\n' : `${stale}; waiting for it\n`);
    },
  };
  const ports = { clock: systemClock, random: systemRandom };
  const syncer = startSyncer(store, resourcePrefix(query.kind, query.namespace), handlers, ports);
  await new Promise<void>((resolve) => {
    if (interruption.aborted) resolve();
    else interruption.addEventListener('abort', () => resolve(), { once: true });
  });
  await syncer.close();
}

class ChangePrinter {
  readonly #names: readonly string[];
  readonly #shown: Shown;
  readonly #io: CliIo;
  readonly #known = new Map<string, AnyResource>();
  #widths: readonly number[] | undefined;

  constructor(names: readonly string[], shown: Shown, io: CliIo) {
    this.#names = names;
    this.#shown = shown;
    this.#io = io;
  }

  changes(changes: readonly Change[]): void {
    const events = changes.flatMap((change) => this.#eventOf(change));
    const { format } = this.#shown;
    if (format.as === 'table') this.#table(events, format.columns);
    else for (const event of events) this.#document(event, format);
  }

  #eventOf(change: Change): readonly (readonly [Event, AnyResource])[] {
    const key = change.type === 'put' ? change.entry.key : change.key;
    const before = this.#known.get(key);
    if (change.type === 'delete') {
      this.#known.delete(key);
      return before === undefined ? [] : [['DELETED', before]];
    }
    const read = readStored(change.entry);
    if ('reason' in read) {
      this.#io.stderr(`cannot read ${read.key}: ${read.reason}\n`);
      return [];
    }
    if (this.#names.length > 0 && !this.#names.includes(read.metadata.name)) return [];
    this.#known.set(key, read);
    return [[before === undefined ? 'ADDED' : 'MODIFIED', read]];
  }

  /** The columns are as wide as the first rows need; a longer cell later on pushes its own row alone. */
  #table(events: readonly (readonly [Event, AnyResource])[], columns: readonly Column[]): void {
    const head = ['EVENT', ...columns.map(({ heading }) => heading)];
    const rows = events.map(([event, resource]) => [
      event,
      ...columns.map(({ value }) => value(resource, this.#shown.context)),
    ]);
    const isFirst = this.#widths === undefined;
    this.#widths ??= columnWidths([head, ['MODIFIED'], ...rows]);
    for (const row of isFirst && this.#shown.headers ? [head, ...rows] : rows) {
      this.#io.stdout(formatRow(row, this.#widths));
    }
  }

  #document([event, resource]: readonly [Event, AnyResource], format: Exclude<Format, { as: 'table' }>): void {
    const { kind, metadata } = resource;
    // What is printed is taken for what is there.
    if (event === 'DELETED') this.#io.stderr(`deleted: ${resourceId(kind, metadata.name, metadata.namespace)}\n`);
    else {
      const text = formatDocuments([resource], format, { alone: true });
      this.#io.stdout(format.as === 'yaml' ? `---\n${text}` : text.endsWith('\n') ? text : `${text}\n`);
    }
  }
}
