/** `npm run interop` writes docs/interop.md from what the last run of the tests kept; with `--check` it only compares. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonColumn } from './features.ts';
import { formatPage } from './table.ts';

const COLUMNS = join('.cache', 'interop');
const PAGE = join('docs', 'interop.md');

const columns = (existsSync(COLUMNS) ? readdirSync(COLUMNS).sort() : []).map(
  (name) => JSON.parse(readFileSync(join(COLUMNS, name), 'utf8')) as DaemonColumn,
);
const page = formatPage(columns);
if (!process.argv.includes('--check')) {
  writeFileSync(PAGE, page);
} else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
  process.stderr.write(`${PAGE} is not what the tests found: npm run interop\n`);
  process.exitCode = 1;
}
