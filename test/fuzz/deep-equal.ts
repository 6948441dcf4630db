/** Whether two records are the same: primitives, arrays, octets, sets and plain objects of these. */
export function deepEqual(a: unknown, b: unknown): boolean {
  // NaN, too, is the same as itself.
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameOctets(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  if (Array.isArray(b) || b instanceof Uint8Array) return false;
  if (a instanceof Set) return b instanceof Set && sameItems(Array.from(a), Array.from(b));
  return sameFields(a as Fields, b as Fields);
}

/** The path of the first place where they differ, and both values there; for the text of a failure. */
export function firstDifference(a: unknown, b: unknown, path = ''): string {
  const fields =
    isPlain(a) && isPlain(b) ? [...new Set([...Object.keys(a as Fields), ...Object.keys(b as Fields)])] : [];
  for (const key of fields) {
    const [left, right] = [(a as Fields)[key], (b as Fields)[key]];
    if (!deepEqual(left, right)) return firstDifference(left, right, `${path}.${key}`);
  }
  return `${path === '' ? 'all' : path.slice(1)}: ${asText(a)} is not ${asText(b)}`;
}

type Fields = Readonly<Record<string, unknown>>;

export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!deepEqual(a[at], b[at])) return false;
  return true;
}

function sameFields(a: Fields, b: Fields): boolean {
  let count = 0;
  for (const key in a) {
    if (!(key in b) || !deepEqual(a[key], b[key])) return false;
    count++;
  }
  for (const key in b)
    if (key in a) count--;
    else return false;
  return count === 0;
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Set);

function asText(value: unknown): string {
  if (value === undefined) return 'undefined';
  const plain = (_: string, part: unknown): unknown => {
    if (part instanceof Uint8Array) return `0x${Buffer.from(part).toString('hex')}`;
    return typeof part === 'bigint' ? `${part}n` : part;
  };
  return JSON.stringify(value, plain).slice(0, 300);
}
