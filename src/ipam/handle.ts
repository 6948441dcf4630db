import type { Json } from '../datastore/store.ts';

/** How many addresses a handle holds in each block, by CIDR; never zero. */
export type HandleCounts = ReadonlyMap<string, number>;

export const handleToJson = (counts: HandleCounts): Json => ({ block: Object.fromEntries(counts), deleted: false });

export function handleFromJson(json: Json): HandleCounts {
  const block = typeof json === 'object' && json !== null && 'block' in json ? json.block : {};
  return new Map(Object.entries(block ?? {}).map(([cidr, count]) => [cidr, Number(count)]));
}

/** Adds `by`, which may be negative. A count that reaches zero is no longer there. */
export function adjusted(counts: HandleCounts, cidr: string, by: number): HandleCounts {
  const next = new Map(counts);
  const count = (counts.get(cidr) ?? 0) + by;
  if (count > 0) next.set(cidr, count);
  else next.delete(cidr);
  return next;
}
