export interface FieldChange {
  readonly mark: '+' | '-' | '~';
  /** `spec.ipipMode: Never → Always` */
  readonly text: string;
}

/** The fields that differ between two plain values in the order of `after`; those that are gone come last. */
export function fieldChanges(before: unknown, after: unknown): readonly FieldChange[] {
  const was = new Map(leavesOf(before));
  const is = new Map(leavesOf(after));
  const paths = [...is.keys(), ...[...was.keys()].filter((path) => !is.has(path))];
  return paths.flatMap((path): readonly FieldChange[] => {
    const [old, now] = [was, is].map((leaves) => (leaves.has(path) ? showValue(leaves.get(path)) : undefined));
    if (old === now) return [];
    if (now === undefined) return [{ mark: '-', text: `${path}: ${String(old)}` }];
    if (old === undefined) return [{ mark: '+', text: `${path}: ${now}` }];
    return [{ mark: '~', text: `${path}: ${old} → ${now}` }];
  });
}

/** Every path to something that is no object; a list of plain values is one thing, it is read as a whole. */
export function leavesOf(value: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value) && value.some((each) => typeof each === 'object')) {
    return value.flatMap((each, i) => leavesOf(each, `${path}[${i}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return value === undefined ? [] : [[path, value]];
  const fields = Object.entries(value);
  // An empty object may mean something by being there; around everything it means nothing.
  if (fields.length === 0) return path.includes('.') ? [[path, value]] : [];
  return fields.flatMap(([name, field]) => leavesOf(field, join(path, name)));
}

const join = (path: string, name: string): string => {
  if (!/^[\w-]+$/.test(name)) return `${path}['${name}']`;
  return path === '' ? name : `${path}.${name}`;
};

/** Texts bare where nothing is lost by it. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return value === '' || /[\n\t]|^\s|\s$|^"/.test(value) ? JSON.stringify(value) : value;
  return Array.isArray(value) ? `[${value.map(showValue).join(', ')}]` : JSON.stringify(value);
}
