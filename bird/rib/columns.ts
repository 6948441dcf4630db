/** Columns of numbers, a row for each small integer that names something. */

/**
 * Room is made for twice as many rows, and taken into use by the eighth: of room that nobody has written to the kernel makes no
 * memory. Where there is none the column is copied, and not transferred: the first buffer that is ever detached makes V8 check
 * every access to every typed array for it.
 */
const ROOM = 2;
const STEP = 1.125;

/** At least `rows` long, the new rows `filler`. The column before may be the beginning of the new one: it is not to be used any more. */
export function longer(column: Int32Array<ArrayBuffer>, rows: number, filler: number): Int32Array<ArrayBuffer> {
  const length = rowsFor(rows, column.length);
  const grown = new Int32Array(bufferFor(column, length), 0, length);
  if (grown.buffer !== column.buffer) grown.set(column);
  return filler === 0 ? grown : grown.fill(filler, column.length);
}

/** The same for unsigned numbers; new rows are 0. */
export function longerWords(column: Uint32Array<ArrayBuffer>, rows: number): Uint32Array<ArrayBuffer> {
  const length = rowsFor(rows, column.length);
  const grown = new Uint32Array(bufferFor(column, length), 0, length);
  if (grown.buffer !== column.buffer) grown.set(column);
  return grown;
}

/** The same for octets; new rows are 0. */
export function longerOctets(column: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
  const length = rowsFor(rows, column.length);
  const grown = new Uint8Array(bufferFor(column, length), 0, length);
  if (grown.buffer !== column.buffer) grown.set(column);
  return grown;
}

/** Whether a column is so much longer than it has to be that a shorter copy is worth it: its rows from `rows` on must be unused. */
export const isFarBeyond = (column: { readonly length: number }, rows: number): boolean => column.length > 2 * rows;

const rowsFor = (rows: number, before: number): number => Math.max(rows, Math.ceil((before * STEP) / 8) * 8);

/** The column's own where it has room for so many rows. */
function bufferFor(
  { buffer, BYTES_PER_ELEMENT }: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
  rows: number,
): ArrayBuffer {
  const octets = rows * BYTES_PER_ELEMENT;
  return octets <= buffer.byteLength ? buffer : new ArrayBuffer(Math.max(octets, ROOM * buffer.byteLength));
}
