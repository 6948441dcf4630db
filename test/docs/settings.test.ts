import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { variables } from '../../src/config/variables.ts';

test('every variable that the agent reads stands in docs/settings.md', () => {
  const page = readFileSync('docs/settings.md', 'utf8');
  const missing = Object.values(variables).filter(([name]) => !page.includes(`\`${name}\``));
  expect(missing.map(([name]) => name)).toEqual([]);
});
