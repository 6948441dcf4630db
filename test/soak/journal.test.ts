import { expect, test } from 'vitest';
import { Journal } from './journal.ts';

const at = (...times: readonly number[]): (() => number) => {
  const left = [...times];
  return () => left.shift()!;
};

test('the story of a prefix is what was about it, its family, or everything', () => {
  const journal = new Journal(at(1000, 1001, 1002, 1003, 1004, 1005));
  journal.note('is up');
  journal.note('announces', ['11.0.0.0/24', '2001:db8::/48'], {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [65001, 65002] }],
    nextHop: Uint8Array.of(192, 0, 2, 1),
  });
  journal.note('withdraws', ['11.0.1.0/24']);
  journal.note('BoRR', 1);
  journal.note('BoRR', 2);
  journal.note('withdraws', ['11.0.0.0/24']);
  expect(journal.story('11.0.0.0/24')).toEqual([
    '1.000 s is up',
    '1.001 s announces 192.0.2.1 65001 65002 igp',
    '1.003 s BoRR',
    '1.005 s withdraws',
  ]);
  expect(journal.story('2001:db8::/48').at(-1)).toBe('1.004 s BoRR');
});

test('it ends with the last, and the oldest are forgotten', () => {
  let time = 0;
  const journal = new Journal(() => time++);
  journal.note('withdraws', ['11.0.0.0/24']);
  for (let i = 0; i < 10_000; i++) journal.note('withdraws', ['11.0.1.0/24']);
  expect(journal.story('11.0.0.0/24')).toEqual([]);
  expect(journal.story('11.0.1.0/24')).toHaveLength(12);
  expect(journal.story('11.0.1.0/24').at(-1)).toBe('10.000 s withdraws');
});
