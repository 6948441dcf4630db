import { InvalidResourceError } from '../../resources/index.ts';
import type { CliIo, ManifestText } from '../io.ts';
import { CommandError } from '../io.ts';
import type { ManifestDocument } from './manifest.ts';
import { parseManifest } from './manifest.ts';

/** What a verb is called in calicoctl's messages. */
export interface VerbWords {
  readonly verb: string;
  readonly past: string;
}

/** One thing to do; `kind` and `id` are for messages. */
export interface BatchItem {
  readonly kind: string;
  readonly id: string;
  run(): Promise<void>;
}

export interface ManifestOptions {
  readonly filename: string;
  readonly recursive?: boolean;
  readonly skipEmpty?: boolean;
  readonly namespace?: string;
}

/** The documents behind `-f`. Throws CommandError where there are none, unless that is allowed. */
export async function readDocuments(io: CliIo, options: ManifestOptions): Promise<readonly ManifestDocument[]> {
  const texts: readonly ManifestText[] = await io.readManifests(options.filename, options.recursive ?? false);
  const documents = texts.flatMap(parseManifest);
  if (documents.length > 0 || options.skipEmpty === true) return documents;
  throw new CommandError(`no resources specified in file ${options.filename}`);
}

/** What a document that has not been checked calls itself. */
export function describeDocument({ value }: ManifestDocument): { readonly kind: string; readonly id: string } {
  const { kind, metadata } = (value ?? {}) as {
    readonly kind?: unknown;
    readonly metadata?: { readonly name?: unknown };
  };
  const word = typeof kind === 'string' ? kind : 'unknown';
  const name = metadata?.name;
  return { kind: word, id: `${word}(${typeof name === 'string' ? name : ''})` };
}

/** Runs `use`, and tells the faults that it finds in the document with the file and the line of each. */
export async function withPosition<T>(document: ManifestDocument, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw error instanceof InvalidResourceError ? new CommandError(positioned(error, document)) : error;
  }
}

function positioned({ faults }: InvalidResourceError, { where }: ManifestDocument): string {
  const [only] = faults;
  if (faults.length === 1 && only !== undefined) return `${where(only.field)}: error with field ${only.message}`;
  return [
    'error with the following fields:',
    ...faults.map((fault) => `-  ${where(fault.field)}: ${fault.message}`),
  ].join('\n');
}

/** Does all items, one after the other, whatever becomes of each; reports as calicoctl does. Throws CommandError. */
export async function runBatch(items: readonly BatchItem[], { verb, past }: VerbWords, io: CliIo): Promise<void> {
  const errors: string[] = [];
  for (const item of items) {
    await item.run().catch((error: unknown) => {
      const sentence = (error as Error).message;
      // With several resources a sentence must say whose it is.
      errors.push(items.length === 1 || sentence.includes(item.id) ? sentence : `${item.id}: ${sentence}`);
    });
  }
  const [kind, ...otherKinds] = [...new Set(items.map((item) => item.kind))];
  const quoted = kind === undefined || otherKinds.length > 0 ? '' : `'${kind}' `;
  const done = items.length - errors.length;
  if (errors.length === 0) {
    io.stdout(`Successfully ${past} ${done} ${quoted}resource(s)\n`);
    return;
  }
  if (done > 0) {
    io.stdout(`Partial success: ${past} the first ${done} out of ${items.length} ${quoted}resources:\n`);
    throw new CommandError(`hit error: [${errors.join(' ')}]`);
  }
  const what = items.length === 1 ? `${quoted}resource` : `any ${quoted}resources`;
  throw new CommandError(`failed to ${verb} ${what}: [${errors.join(' ')}]`);
}
