import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withMeasured, withShown } from '../bench/performance-page.ts';
import type { Measured } from '../bench/performance-page.ts';

test('docs/performance.md says what docs/performance.json does: npm run bench:page', () => {
  const page = readFileSync('docs/performance.md', 'utf8');
  const measured = JSON.parse(readFileSync('docs/performance.json', 'utf8')) as Measured;
  expect(page).toBe(withMeasured(page, measured));
});

test('README.md shows some of it', () => {
  const readme = readFileSync('README.md', 'utf8');
  const measured = JSON.parse(readFileSync('docs/performance.json', 'utf8')) as Measured;
  expect(readme).toBe(withShown(readme, measured));
  expect(readme).toContain('| a full table of 1,000,000, s | ');
});
