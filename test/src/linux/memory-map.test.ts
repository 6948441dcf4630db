import { expect, test } from 'vitest';
import { unwrittenRegions } from '../../../src/linux/memory-map.ts';

const NODE = '/usr/bin/node';

/** As proc_pid_smaps(5) has one; the lines between are left out. */
const region = (head: string, { anonymous = 0, swap = 0 } = {}): string =>
  [
    head,
    ...['Size: 40 kB', 'Rss: 40 kB', 'Private_Clean: 40 kB', `Anonymous:      ${anonymous} kB`],
    ...[`Swap:           ${swap} kB`, 'SwapPss:        0 kB', 'VmFlags: rd ex mr mw me'],
    '',
  ].join('\n');

const TEXT = `0074a000-03044000 r-xp 0034a000 fe:00 1234      ${NODE}`;

test.each([
  ['code', TEXT, { start: 0x74a000, octets: 0x3044000 - 0x74a000 }],
  [
    'what is read only',
    `7f0011abc000-7f0011abd000 r--p 00000000 fe:00 1234      ${NODE}`,
    { start: 0x7f0011abc000, octets: 0x1000 },
  ],
])('%s of the file', (_, head, expected) => {
  const others = region('7ffd0-7ffd1 rw-p 00000000 00:00 0      [stack]');
  expect(unwrittenRegions(others + region(head) + others, NODE)).toEqual([expected]);
});

test.each([
  ['what may be written to', region(TEXT.replace('r-xp', 'rw-p'))],
  ['what is shared', region(TEXT.replace('r-xp', 'r-xs'))],
  ['what nobody may read', region(TEXT.replace('r-xp', '---p'))],
  ['a region with a page that was written to', region(TEXT, { anonymous: 4 })],
  ['one whose written pages are swapped out', region(TEXT, { swap: 4 })],
  ['one of which the kernel does not tell', `${TEXT}\nSize: 40 kB\n`],
  ['another file', region(`${TEXT}.old`)],
  ['a file that was replaced', region(`${TEXT} (deleted)`)],
  ['no file', region('0074a000-03044000 r-xp 00000000 00:00 0 ')],
  ['nothing', ''],
])('%s is left alone', (_, smaps) => {
  expect(unwrittenRegions(smaps, NODE)).toEqual([]);
});
