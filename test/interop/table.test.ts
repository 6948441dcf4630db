import { expect, test } from 'vitest';
import { formatPage } from './table.ts';

test('a page tells what was tried, what the daemon lacks and what nobody tried', () => {
  const page = formatPage([
    { daemon: 'BIRD 2.0.12', outcomes: { session: 'yes', ipv4: 'yes' } },
    { daemon: 'ExaBGP 4.2.21', outcomes: { session: 'yes', ipv4: { lacks: 'it has no table' } } },
    { daemon: 'GoBGP 3.10.0', outcomes: { refresh: { lacks: 'it never asks', partly: true } } },
  ]);
  expect(page).toContain('|  | BIRD 2.0.12 | ExaBGP 4.2.21 | GoBGP 3.10.0 |');
  expect(page).toContain('| session up, iBGP and eBGP | yes | yes | not tried |');
  expect(page).toContain('| IPv4 routes both ways | yes | no [1] | not tried |');
  expect(page).toContain('| IPv6 routes both ways | not tried | not tried | not tried |');
  expect(page).toContain('| route refresh both ways | not tried | not tried | partly [2] |');
  expect(page).toContain('1. ExaBGP 4.2.21: it has no table\n2. GoBGP 3.10.0: it never asks');
});
