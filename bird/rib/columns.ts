/** Columns of numbers, a row for each small integer that names something. */

/**
 * A longer column is longer by this share: half as much costs little copying and leaves little unused. Copied, and not
 * transferred: the first buffer that is ever detached makes V8 check every access to every typed array for it.
 */
const GROWTH = 1.5;

/** At least `rows` long, the new rows `filler`. */
export function longer(column: Int32Array<ArrayBuffer>, rows: number, filler: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(rowsFor(rows, column.length));
  grown.set(column);
  return filler === 0 ? grown : grown.fill(filler, column.length);
}

/** The same for unsigned numbers; new rows are 0. */
export function longerWords(column: Uint32Array<ArrayBuffer>, rows: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(rowsFor(rows, column.length));
  grown.set(column);
  return grown;
}

/** The same for octets; new rows are 0. */
export function longerOctets(column: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(rowsFor(rows, column.length));
  grown.set(column);
  return grown;
}

/** Whether a column is so much longer than it has to be that a shorter copy is worth it: its rows from `rows` on must be unused. */
export const isFarBeyond = (column: { readonly length: number }, rows: number): boolean => column.length > 2 * rows;

const rowsFor = (rows: number, before: number): number => Math.max(rows, Math.ceil((before * GROWTH) / 8) * 8);
