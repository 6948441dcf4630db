import { crc32 } from 'node:zlib';
import type { Change, Entry, Json } from './store.ts';

/**
 * The file store's journal as bytes. A line is `<crc32, 8 hex digits> <JSON>\n`; JSON holds no raw newline, so a line
 * that was cut short by a crash lacks its newline or fails its checksum, and nothing after it was ever acknowledged.
 */

export const JOURNAL_VERSION = 2;
/** In its lines there is one change each; all else is as now. */
export const JOURNAL_VERSION_OF_SINGLES = 1;

/** The first line. The `bodyOctets` that follow are the entries at `revision`, then the changes after `compacted`. */
export interface JournalHeader {
  readonly version: number;
  /** Chosen at random when the directory is made: a wiped and re-made directory is another history. */
  readonly history: string;
  readonly compacted: number;
  readonly revision: number;
  readonly entries: number;
  readonly bodyOctets: number;
}

/** One entry or change: revision, key, and a value unless it is a deletion. Changes that are one write are a list of them in one line. */
interface Row {
  readonly r: number;
  readonly k: string;
  readonly v?: Json;
}

export interface Line {
  readonly json: unknown;
  /** Where the next line starts. */
  readonly end: number;
}

export function encodeLine(json: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  return Buffer.concat([Buffer.from(`${checksum(text)} `), text, Buffer.from('\n')]);
}

export const encodeEntry = ({ key, value, revision }: Entry): Buffer =>
  encodeLine({ r: revision, k: key, v: value } satisfies Row);

/** What was written as one is one line: no cut leaves a part of it. */
export function encodeChanges(changes: readonly Change[]): Buffer {
  const rows = changes.map(rowOf);
  return encodeLine(rows.length === 1 ? rows[0] : rows);
}

const rowOf = (change: Change): Row =>
  change.type === 'delete'
    ? { r: change.revision, k: change.key }
    : { r: change.entry.revision, k: change.entry.key, v: change.entry.value };

/** The line that starts at `start`; undefined where it is incomplete or its checksum is wrong. */
export function lineAt(octets: Buffer, start: number): Line | undefined {
  const newline = octets.indexOf(10, start);
  if (newline < start + 10) return undefined;
  const text = octets.subarray(start + 9, newline);
  if (octets.toString('latin1', start, start + 9) !== `${checksum(text)} `) return undefined;
  return { json: JSON.parse(text.toString()) as unknown, end: newline + 1 };
}

/** All good lines from `start`; `damaged` where a bad line is followed by a good one, which no crash of a writer makes. */
export function readLines(octets: Buffer, start: number): { lines: Line[]; end: number; damaged: boolean } {
  const lines: Line[] = [];
  let end = start;
  for (let line = lineAt(octets, end); line !== undefined; line = lineAt(octets, end)) {
    lines.push(line);
    end = line.end;
  }
  return { lines, end, damaged: goodLineAfter(octets, end) };
}

function goodLineAfter(octets: Buffer, bad: number): boolean {
  for (let newline = octets.indexOf(10, bad); newline >= 0; newline = octets.indexOf(10, newline + 1)) {
    if (lineAt(octets, newline + 1) !== undefined) return true;
  }
  return false;
}

export const changesOf = ({ json }: Line): readonly Change[] =>
  (Array.isArray(json) ? (json as readonly Row[]) : [json as Row]).map(changeOf);

function changeOf({ r, k, v }: Row): Change {
  return v === undefined
    ? { type: 'delete', key: k, revision: r }
    : { type: 'put', entry: { key: k, value: v, revision: r } };
}

const checksum = (text: Buffer): string => crc32(text).toString(16).padStart(8, '0');
