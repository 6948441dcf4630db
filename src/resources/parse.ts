import { nearest } from '../model/nearest.ts';
import { invalidField, invalidResource, wording } from './invalid-resource.ts';
import { API_VERSION } from './kind.ts';
import { isKind, KINDS, kindTable } from './table.ts';
import type { AnyResource } from './table.ts';

/** Checks a document against its kind's schema and fills in the defaults. Throws InvalidResourceError with all faults. */
export function parseResource(input: unknown): AnyResource {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalidField('document', input, 'is not an object with apiVersion, kind, metadata and spec');
  }
  const { apiVersion, kind } = input as { readonly apiVersion?: unknown; readonly kind?: unknown };
  if (apiVersion !== API_VERSION) throw invalidField('apiVersion', apiVersion ?? '', `is not ${API_VERSION}`);
  if (typeof kind !== 'string' || !isKind(kind)) throw invalidField('kind', kind ?? '', notAKind(String(kind)));
  const parsed = kindTable[kind].schema().safeParse(input, { error: wording });
  if (!parsed.success) throw invalidResource(parsed.error, input);
  return parsed.data;
}

function notAKind(word: string): string {
  const meant = nearest(word, KINDS, Math.max(1, Math.floor(word.length / 4)));
  return `is not a kind that is supported${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}
