import type { AnyResource } from '../../resources/index.ts';
import { isKind, kindTable, parseResource, resourceId, unheededFields } from '../../resources/index.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import type { ManifestDocument } from './manifest.ts';

/** Checks a document; `-n` is the namespace of one that names none. Throws InvalidResourceError or CommandError. */
export function checkedDocument(document: ManifestDocument, namespace: string | undefined): AnyResource {
  return parseResource(namespace === undefined ? document.value : inNamespace(document, namespace));
}

function inNamespace({ value, where }: ManifestDocument, namespace: string): unknown {
  const { kind, metadata } = (value ?? {}) as { readonly kind?: unknown; readonly metadata?: unknown };
  if (typeof kind !== 'string' || !isKind(kind) || typeof metadata !== 'object' || metadata === null) return value;
  if (!kindTable[kind].namespaced) throw new CommandError(`${where('kind')}: ${kind} is not namespaced`);
  const { namespace: own } = metadata as { readonly namespace?: unknown };
  if (own === undefined || own === namespace) return { ...(value as object), metadata: { ...metadata, namespace } };
  throw new CommandError(
    `${where('metadata.namespace')}: resource namespace does not match client namespace. ${typeof own === 'string' ? own : JSON.stringify(own)} != ${namespace}`,
  );
}

/** Throws CommandError for kinds that the agent alone writes. */
export function refuseReadOnly({ kind, metadata }: Pick<AnyResource, 'kind' | 'metadata'>, verb: string): void {
  if (kindTable[kind].readOnly !== true) return;
  const operation = verb.charAt(0).toUpperCase() + verb.slice(1);
  throw new CommandError(`operation ${operation} is not supported on ${resourceId(kind, metadata.name)}`);
}

/** Who writes a policy believes that it holds, and who names service ranges that they are announced. */
export function noteUnheeded(resources: readonly AnyResource[], io: CliIo): void {
  for (const kind of new Set(resources.map((resource) => resource.kind))) {
    if (kindTable[kind].inert === true) io.stderr(`note: a ${kind} is stored and checked; nothing goes by it yet\n`);
  }
  for (const field of resources.flatMap(unheededFields)) io.stderr(`note: ${field}\n`);
}
