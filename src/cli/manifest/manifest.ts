import { LineCounter, parseAllDocuments } from 'yaml';
import type { ManifestText } from '../io.ts';
import { CommandError } from '../io.ts';
import { offsetOf } from './manifest-position.ts';

/** One resource as somebody wrote it, not yet checked. */
export interface ManifestDocument {
  readonly value: unknown;
  /** `FILE:LINE` of a field such as `spec.rules[0].action`; of what stands nearest to it where it is missing. */
  readonly where: (field?: string) => string;
}

/** Reads YAML, of any number of documents, and JSON, which is YAML; flattens arrays and lists. Throws CommandError. */
export function parseManifest({ path, text }: ManifestText): readonly ManifestDocument[] {
  const lines = new LineCounter();
  return parseAllDocuments(text, { lineCounter: lines, prettyErrors: false }).flatMap((document) => {
    const place = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
    const [error] = document.errors;
    if (error !== undefined) {
      throw new CommandError(`failed to execute command: ${place(error.pos[0])}: ${error.message}`);
    }
    return flatten(toPlain(document, path), []).map(({ value, at }) => ({
      value,
      where: (field = '') => place(offsetOf(document, at, field)),
    }));
  });
}

function toPlain(document: { toJS(): unknown }, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // An alias without its anchor, or more aliases than anybody means.
    throw new CommandError(`failed to execute command: ${path}: ${(error as Error).message}`);
  }
}

interface Flattened {
  readonly value: unknown;
  readonly at: readonly (string | number)[];
}

function flatten(value: unknown, at: Flattened['at']): readonly Flattened[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((each, i) => flatten(each, [...at, i]));
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  const isList = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
  return isList ? flatten(items, [...at, 'items']) : [{ value, at }];
}
