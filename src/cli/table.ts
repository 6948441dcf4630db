const MIN_CELL = 5;
const PADDING = 3;

/** Columns as calicoctl's tabwriter sets them: at least 5 wide, 3 spaces apart, the last one padded too. */
export function formatTabs(rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(rows);
  return rows.map((row) => formatRow(row, widths)).join('');
}

/** One row of such a table, of which the widths of the columns are known. */
export const formatRow = (row: readonly string[], widths: readonly number[]): string =>
  `${row.map((cell, i) => cell.padEnd(Math.max(MIN_CELL, (widths[i] ?? 0) + PADDING))).join('')}\n`;

/** The framed table of `calicoctl node status`: headings in capitals, cells to the left, no lines between rows. */
export function formatFramed(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = headings.map((heading) => heading.toUpperCase());
  const widths = columnWidths([head, ...rows]);
  const border = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (row: readonly string[]): string =>
    `|${widths.map((width, i) => ` ${(row[i] ?? '').padEnd(width)} `).join('|')}|`;
  return `${[border, line(head), border, ...rows.map(line), ...(rows.length > 0 ? [border] : [])].join('\n')}\n`;
}

/** Without padding. */
export function columnWidths(rows: readonly (readonly string[])[]): readonly number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, i) => Math.max(0, ...rows.map((row) => row[i]?.length ?? 0)));
}
