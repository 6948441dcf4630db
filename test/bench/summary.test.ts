import { expect, test } from 'vitest';
import { atMost } from './scenario.ts';
import { formatSummary } from './summary.ts';

test('the summary has a line for each scenario, and names what failed and what was missed', () => {
  const aims = [atMost('ADD', 0.9, [1, 'times']), atMost('DEL', 1.25, [1, 'times'])];
  const text = formatSummary([
    { name: 'cni', seconds: 12.4, aims, wrong: [] },
    { name: 'codec', seconds: 3, aims: [], wrong: ['it came to nothing'] },
  ]);
  expect(text.split('\n')).toEqual([
    'scenario  took s  aims reached',
    '--------  ------  ------------  ------',
    'cni           12        1 of 2  ok',
    'codec          3                FAILED',
    '',
    'missed: cni: DEL: 1.25, at most 1 times',
  ]);
});
