/** The tables of docs/metrics.md, made of the catalogue, and its example. `node test/docs/metrics-reference.ts` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { CATALOGUE } from '../../src/metrics/catalogue.ts';
import type { Family } from '../../src/metrics/family.ts';

export const PAGE = 'docs/metrics.md';
export const ALERTS = 'config/metrics/alerts.yaml';
export const GENERATED = /(<!-- made by test\/docs\/metrics-reference\.ts -->\n\n)([^]*)(\n\n<!-- end -->)/;
export const EXAMPLE = /(```yaml\n)([^]*?)(```\n)/;

export const metricsReference = (): string =>
  CATALOGUE.map(([about, families]) => `### ${about}\n\n${table(families)}`).join('\n\n');

const table = (families: readonly Family[]): string =>
  ['| metric | type | labels | meaning |', '|---|---|---|---|', ...families.map(rowOf)].join('\n');

const rowOf = ({ name, type, labels, help }: Family): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

if (import.meta.main) {
  const reference = metricsReference();
  const alerts = readFileSync(ALERTS, 'utf8');
  let page = readFileSync(PAGE, 'utf8');
  for (const [part, text] of [
    [GENERATED, reference],
    [EXAMPLE, alerts],
  ] as const) {
    const [block = '', begin = '', , end = ''] = part.exec(page) ?? [];
    page = page.split(block).join(`${begin}${text}${end}`);
  }
  writeFileSync(PAGE, page);
}
