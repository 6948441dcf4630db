import { expect, test } from 'vitest';
import { formatFramed, formatTabs } from '../../../src/cli/table.ts';

test('a table of resources is set as by Go’s tabwriter: at least 5 wide, 3 apart, the last column padded', () => {
  const rows = [
    ['NAME', 'CIDR', 'SELECTOR'],
    ['ippool-name1', '10.0.1.0/24', "foo == 'bar'"],
  ];
  expect(formatTabs(rows)).toBe(
    ['NAME           CIDR          SELECTOR       ', "ippool-name1   10.0.1.0/24   foo == 'bar'   ", ''].join('\n'),
  );
  expect(
    formatTabs([
      ['N', ''],
      ['x', 'y'],
    ]),
  ).toBe('N         \nx    y    \n');
  expect(formatTabs([])).toBe('');
});

test('a status table is framed, with cells to the left', () => {
  const headings = ['Peer address', 'Peer type', 'State', 'Since', 'Info'];
  expect(formatFramed(headings, [['10.0.0.2', 'node-to-node mesh', 'up', '23:27:03', 'Established']])).toBe(
    `+--------------+-------------------+-------+----------+-------------+
| PEER ADDRESS | PEER TYPE         | STATE | SINCE    | INFO        |
+--------------+-------------------+-------+----------+-------------+
| 10.0.0.2     | node-to-node mesh | up    | 23:27:03 | Established |
+--------------+-------------------+-------+----------+-------------+
`,
  );
  expect(formatFramed(['A'], [])).toBe('+---+\n| A |\n+---+\n');
});
