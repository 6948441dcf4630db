import { existsSync, readFileSync } from 'node:fs';

/** What a process notes before and after each thing that it asks of IPAM; times are of the clock that all processes share. */
export type Note =
  | { readonly did: 'ask'; readonly handle: string }
  | { readonly did: 'got'; readonly handle: string; readonly ip: string; readonly at: number }
  | { readonly did: 'none'; readonly handle: string }
  | { readonly did: 'free'; readonly handle: string; readonly at: number }
  | { readonly did: 'freed'; readonly handle: string };

export interface Ledger {
  /** What it was told is its own, and has not begun to give back. */
  readonly held: ReadonlyMap<string, string>;
  /** Asked or given back without an answer: it was killed, or etcd did not say. */
  readonly doubtful: ReadonlySet<string>;
  readonly asked: number;
  readonly freed: number;
  /** From the answer to the begin of the release, or on. */
  readonly spans: readonly {
    readonly handle: string;
    readonly ip: string;
    readonly from: number;
    readonly to: number;
  }[];
}

/** A line that a kill has cut short is left out: it told nobody anything. */
export function readLedger(path: string): Ledger {
  const held = new Map<string, { readonly ip: string; readonly from: number }>();
  const doubtful = new Set<string>();
  const spans: Ledger['spans'][number][] = [];
  const known = new Set<string>();
  let freed = 0;
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  for (const note of lines.flatMap(noteOf)) {
    const { handle } = note;
    known.add(handle);
    if (note.did === 'ask') doubtful.add(handle);
    else if (note.did === 'got') {
      doubtful.delete(handle);
      held.set(handle, { ip: note.ip, from: note.at });
    } else if (note.did === 'none') doubtful.delete(handle);
    else if (note.did === 'free') {
      const span = held.get(handle);
      if (span !== undefined) spans.push({ handle, ip: span.ip, from: span.from, to: note.at });
      held.delete(handle);
      doubtful.add(handle);
    } else {
      doubtful.delete(handle);
      freed++;
    }
  }
  for (const [handle, { ip, from }] of held) spans.push({ handle, ip, from, to: Infinity });
  const ips = new Map([...held].map(([handle, { ip }]) => [handle, ip]));
  return { held: ips, doubtful, asked: known.size, freed, spans };
}

function noteOf(line: string): readonly Note[] {
  try {
    return [JSON.parse(line) as Note];
  } catch {
    return [];
  }
}
