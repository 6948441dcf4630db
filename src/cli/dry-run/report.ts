import type { Entry } from '../../datastore/store.ts';
import type { AnyResource } from '../../resources/index.ts';
import { InvalidResourceError, parseResource, readStored, resourceId } from '../../resources/index.ts';
import type { Paint } from '../colour.ts';
import { fieldChanges, leavesOf, showValue } from './fields.ts';
import type { DryChange } from './store.ts';

type Mark = '+' | '-' | '~' | '=';

const COLOURS = { '+': 'green', '-': 'red', '~': 'yellow', '=': 'none' } as const;

/** What a command would have done: a paragraph for each resource, and what it comes to. */
export function formatDryRun(changes: readonly DryChange[], paint: Paint): string {
  const paragraphs = changes.filter(({ before, after }) => before !== undefined || after !== undefined).map(paragraph);
  const count = (mark: Mark): number => paragraphs.filter(({ mark: own }) => own === mark).length;
  const lines = paragraphs.flatMap(({ lines: own }) =>
    own.map(([mark, text]) => paint(COLOURS[mark], `${mark} ${text}`)),
  );
  const sum = `${count('+')} would be created, ${count('~')} changed, ${count('-')} deleted, ${count('=')} left as they are`;
  return [...lines, `dry run: ${sum}; nothing was written`].map((line) => `${line}\n`).join('');
}

interface Paragraph {
  readonly mark: Mark;
  readonly lines: readonly (readonly [Mark, string])[];
}

function paragraph({ key, before, after }: DryChange): Paragraph {
  const [was, is] = [before, after].map(view);
  const title = titleOf(is ?? was, key);
  if (was === undefined) return { mark: '+', lines: [['+', title], ...whole(is, '+')] };
  if (is === undefined) return { mark: '-', lines: [['-', title], ...whole(was, '-')] };
  const fields = fieldChanges(was, is);
  if (fields.length === 0) return { mark: '=', lines: [['=', title]] };
  return { mark: '~', lines: [['~', title], ...fields.map(({ mark, text }) => [mark, `  ${text}`] as const)] };
}

/** With its defaults, so that they are no difference; as it lies there where it cannot be read. */
function view(entry: Entry | undefined): unknown {
  if (entry === undefined) return undefined;
  const read = readStored(entry);
  return withoutStamps('reason' in read ? entry.value : read);
}

function withoutStamps(value: unknown): unknown {
  const { metadata = {} } = value as { readonly metadata?: Readonly<Record<string, unknown>> };
  const kept = Object.entries(metadata).filter(([name]) => !STAMPS.includes(name));
  return { ...(value as object), metadata: Object.fromEntries(kept) };
}

const STAMPS = ['uid', 'creationTimestamp', 'resourceVersion', 'generation'];

function titleOf(value: unknown, key: string): string {
  const { kind, metadata } = value as Partial<AnyResource>;
  return kind === undefined || metadata === undefined ? key : resourceId(kind, metadata.name, metadata.namespace);
}

/** All that somebody chose: what is at its default, or said by the title, is left out. */
function whole(value: unknown, mark: Mark): Paragraph['lines'] {
  const chosen = withoutDefaults(value);
  return leavesOf(chosen).map(([path, leaf]) => [mark, `  ${path}: ${showValue(leaf)}`] as const);
}

const SAID = ['apiVersion', 'kind', 'status'];

function withoutDefaults(value: unknown): object {
  const { metadata, spec, ...rest } = value as { readonly metadata?: object; readonly spec?: object };
  const labels = Object.entries(metadata ?? {}).filter(([name]) => name !== 'name' && name !== 'namespace');
  const chosen = Object.entries(spec ?? {}).filter(([name]) => !isDefault(value, spec ?? {}, name));
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => !SAID.includes(name))),
    metadata: Object.fromEntries(labels),
    spec: Object.fromEntries(chosen),
  };
}

/** A field that comes back by itself when it is taken away is at its default. */
function isDefault(value: unknown, spec: object, name: string): boolean {
  const less = Object.fromEntries(Object.entries(spec).filter(([own]) => own !== name));
  try {
    return fieldChanges(parseResource({ ...(value as object), spec: less }).spec, spec).length === 0;
  } catch (error) {
    if (error instanceof InvalidResourceError) return false;
    throw error;
  }
}
