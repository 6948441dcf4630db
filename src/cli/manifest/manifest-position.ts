import type { Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isNode, isSeq } from 'yaml';

/** Where in the text a field of the resource at `path` stands; missing ones stand where their parent does. */

export function offsetOf(document: Document, path: readonly (string | number)[], field: string): number {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  const start = isNode(node) ? node : document.contents;
  return start === null ? 0 : offsetIn(start, field, document);
}

function offsetIn(node: Node, field: string, document: Document): number {
  const here = node.range?.[0] ?? 0;
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(target)) {
    const [whole = '', index = ''] = /^\[(\d+)\]\.?/.exec(field) ?? [];
    const item: unknown = whole === '' ? undefined : target.items[Number(index)];
    return isNode(item) ? offsetIn(item, field.slice(whole.length), document) : here;
  }
  if (!isMap(target) || field === '') return here;
  const pair = pairOf(target.items, field);
  if (pair === undefined) return here;
  const rest = field.slice(keyOf(pair).length).replace(/^\./, '');
  const keyOffset = isNode(pair.key) ? (pair.key.range?.[0] ?? here) : here;
  // The key's line also for a value that is a block of its own: there people look for it.
  if (rest === '' || !isNode(pair.value)) return keyOffset;
  const deeper = offsetIn(pair.value, rest, document);
  return deeper === (pair.value.range?.[0] ?? 0) && !rest.startsWith('[')
    ? nearest(pair, rest, { deeper, keyOffset })
    : deeper;
}

/** The first line below a key is no better place for what is missing there than the key itself. */
function nearest(pair: Pair, rest: string, at: { readonly deeper: number; readonly keyOffset: number }): number {
  const isThere = isMap(pair.value) && pairOf(pair.value.items, rest) !== undefined;
  return isThere ? at.deeper : at.keyOffset;
}

/** Keys may hold dots themselves, as those of labels do: the longest that fits is meant. */
function pairOf(pairs: readonly Pair[], field: string): Pair | undefined {
  return pairs
    .filter((pair) => {
      const key = keyOf(pair);
      return field === key || field.startsWith(`${key}.`) || field.startsWith(`${key}[`);
    })
    .sort((a, b) => keyOf(b).length - keyOf(a).length)[0];
}

const keyOf = ({ key }: Pair): string => String(isNode(key) ? key.toJSON() : key);
