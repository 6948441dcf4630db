import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withMeasured } from '../bench/performance-page.ts';
import type { Measured } from '../bench/performance-page.ts';

test('docs/performance.md says what docs/performance.json does: npm run bench:page', () => {
  const page = readFileSync('docs/performance.md', 'utf8');
  const measured = JSON.parse(readFileSync('docs/performance.json', 'utf8')) as Measured;
  expect(page).toBe(withMeasured(page, measured));
});
