import { CommandError } from './io.ts';
import { isFields, isSameJson } from './same-json.ts';

export const PATCH_TYPES = ['strategic', 'merge', 'json'] as const;
export type PatchType = (typeof PATCH_TYPES)[number];

/**
 * `document` after `patch`. A merge patch is RFC 7386's: null removes, lists are replaced. No list of Calico's kinds has a merge
 * key, so the strategic one differs by its `$patch` directive alone. A JSON patch is RFC 6902's. Throws CommandError.
 */

export function applyPatch(document: unknown, patch: unknown, type: PatchType): unknown {
  if (type === 'json') {
    if (!Array.isArray(patch)) throw new CommandError('a JSON patch is a list of operations');
    return patch.reduce<unknown>(applyOperation, structuredClone(document));
  }
  if (!isFields(patch)) throw new CommandError(`a ${type} patch is an object such as {"spec": {"asNumber": 65001}}`);
  return merged(document, patch, type === 'strategic');
}

function merged(target: unknown, patch: unknown, directives: boolean): unknown {
  if (!isFields(patch)) return patch;
  const { $patch: directive, ...fields } = patch;
  if (directives && directive === 'replace') return fields;
  if (directives && directive === 'delete') return undefined;
  const result: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(directives ? fields : patch)) {
    const next = value === null ? undefined : merged(result[name], value, directives);
    if (next === undefined) Reflect.deleteProperty(result, name);
    else result[name] = next;
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

function applyOperation(document: unknown, operation: unknown): unknown {
  const { op, path, from = '', value } = checkedOperation(operation);
  switch (op) {
    case 'add':
      return put(document, path, { value, insert: true });
    case 'replace':
      lookUp(document, path);
      return put(document, path, { value, insert: false });
    case 'remove':
      return take(document, path);
    case 'move': {
      const moved = lookUp(document, from);
      return put(take(document, from), path, { value: moved, insert: true });
    }
    case 'copy':
      return put(document, path, { value: structuredClone(lookUp(document, from)), insert: true });
    case 'test': {
      const found = lookUp(document, path);
      if (isSameJson(found, value)) return document;
      throw new CommandError(`test of ${path} = '${JSON.stringify(found)}': is not ${JSON.stringify(value)}`);
    }
    default:
      throw new CommandError(`op = '${op}': is not one of add, remove, replace, move, copy, test`);
  }
}

function checkedOperation(operation: unknown): Operation {
  const { op, path, from } = isFields(operation) ? operation : {};
  const isPointer = (text: unknown): text is string =>
    typeof text === 'string' && (text === '' || text.startsWith('/'));
  if (typeof op !== 'string' || !isPointer(path) || (['move', 'copy'].includes(op) && !isPointer(from))) {
    throw new CommandError(
      `${JSON.stringify(operation)} is no operation such as {"op": "replace", "path": "/spec/node", "value": "n1"}`,
    );
  }
  return operation as Operation;
}

/** RFC 6901. */
const tokens = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

const missing = (pointer: string): CommandError => new CommandError(`${pointer}: there is nothing of that name`);

function lookUp(document: unknown, pointer: string): unknown {
  return tokens(pointer).reduce<unknown>((at, token) => {
    const next: unknown =
      Array.isArray(at) && /^\d+$/.test(token)
        ? at[Number(token)]
        : isFields(at) && Object.hasOwn(at, token)
          ? at[token]
          : undefined;
    if (next === undefined) throw missing(pointer);
    return next;
  }, document);
}

interface Put {
  readonly value: unknown;
  /** In a list: before the one that is there. */
  readonly insert: boolean;
}

/** Changes `document`, which is a copy of ours. */

function put(document: unknown, pointer: string, { value, insert }: Put): unknown {
  if (pointer === '') return value;
  const { parent, last } = parentOf(document, pointer);
  if (!Array.isArray(parent)) (parent as Record<string, unknown>)[last] = value;
  else if (last === '-') parent.push(value);
  else if (/^\d+$/.test(last) && Number(last) <= parent.length) parent.splice(Number(last), insert ? 0 : 1, value);
  else throw missing(pointer);
  return document;
}

function take(document: unknown, pointer: string): unknown {
  lookUp(document, pointer);
  if (pointer === '') return undefined;
  const { parent, last } = parentOf(document, pointer);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(parent, last);
  return document;
}

function parentOf(document: unknown, pointer: string): { readonly parent: object; readonly last: string } {
  const parent = lookUp(document, pointer.slice(0, pointer.lastIndexOf('/')));
  if (typeof parent !== 'object' || parent === null) throw missing(pointer);
  return { parent, last: tokens(pointer).at(-1)! };
}
