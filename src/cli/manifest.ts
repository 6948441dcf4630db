import { parseAllDocuments } from 'yaml';
import type { ManifestText } from './io.ts';
import { CommandError } from './io.ts';

/** One resource as somebody wrote it, not yet checked. */
export interface ManifestDocument {
  readonly path: string;
  readonly value: unknown;
}

/** Reads YAML, of any number of documents, and JSON, which is YAML; flattens arrays and lists. Throws CommandError. */
export function parseManifest({ path, text }: ManifestText): readonly ManifestDocument[] {
  const documents = parseAllDocuments(text);
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const [sentence = ''] = error.message.split('\n');
      throw new CommandError(`failed to execute command: ${path}: ${sentence.replace(/:$/, '')}`);
    }
    return flatten(toPlain(document, path)).map((value) => ({ path, value }));
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

function flatten(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(flatten);
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items.flatMap(flatten) : [value];
}
