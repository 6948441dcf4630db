/** `npm run bench:page -- [FILE...]`: takes what benchmarks wrote (.cache/bench) into docs/performance.json, and writes docs/performance.md and a table of README.md. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { merge, NOTHING, withMeasured, withShown } from './performance-page.ts';
import type { Measured, Written } from './performance-page.ts';

const PAGE = 'docs/performance.md';
const FIGURES = 'docs/performance.json';
const README = 'README.md';

const files = process.argv.length > 2 ? process.argv.slice(2) : globSync('.cache/bench/*.json').sort();
const before = existsSync(FIGURES) ? (JSON.parse(readFileSync(FIGURES, 'utf8')) as Measured) : NOTHING;
const measured = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Written).reduce<Measured>(merge, before);
writeFileSync(FIGURES, `${JSON.stringify(measured, undefined, 1)}\n`);
writeFileSync(PAGE, withMeasured(readFileSync(PAGE, 'utf8'), measured));
writeFileSync(README, withShown(readFileSync(README, 'utf8'), measured));
console.log(`${PAGE}: ${measured.rows.length} rows, taken from ${files.join(', ')}`);
