import type { Change, Entry, Json } from './store.ts';

/** What etcd's answers carry of a key; numbers are decimal strings there. */
export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly mod_revision: string;
}

export interface WatchEvent {
  readonly type: string | number;
  readonly kv: KeyValue;
}

/** Undefined for a value that is no JSON: not ours, and skipped as Calico skips it. An empty one is Calico's old `{}`. */
export function entryOf({ key, value, mod_revision }: KeyValue): Entry | undefined {
  const json = parse(value);
  return json === undefined ? undefined : { key: key.toString(), value: json, revision: Number(mod_revision) };
}

/** An entry that becomes unreadable is gone, just as a listing would not show it. */
export function changeOf({ type, kv }: WatchEvent): Change {
  const entry = type === 'Delete' || type === 'DELETE' || type === 1 ? undefined : entryOf(kv);
  if (entry !== undefined) return { type: 'put', entry };
  return { type: 'delete', key: kv.key.toString(), revision: Number(kv.mod_revision) };
}

function parse(value: Buffer): Json | undefined {
  if (value.length === 0) return {};
  try {
    return JSON.parse(value.toString()) as Json;
  } catch {
    return undefined;
  }
}

/** The first key that does not start with `prefix`: its last octet that can grow, grown. All keys where none can. */
export function rangeEnd(prefix: string): Buffer {
  const octets = Buffer.from(prefix);
  for (let i = octets.length - 1; i >= 0; i--) {
    if (octets[i]! < 0xff) {
      const end = Buffer.from(octets.subarray(0, i + 1));
      end[i]!++;
      return end;
    }
  }
  return Buffer.of(0);
}

/** etcd has no empty key: its range over everything starts at one zero octet. */
export const rangeStart = (prefix: string): Buffer => (prefix === '' ? Buffer.of(0) : Buffer.from(prefix));
