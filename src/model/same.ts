/**
 * Whether two values of plain data say the same: settings that were read or computed anew. A field that is absent and one
 * that is undefined are the same. By comparing and not by text, for whole clusters are compared at every change of anything.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, i) => isSame(each, b[i]));
  if (!isRecord(a) || !isRecord(b) || Array.isArray(b)) return false;
  for (const name in a) if (!isSame(a[name], b[name])) return false;
  for (const name in b) if (b[name] !== undefined && a[name] === undefined) return false;
  return true;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
