import { describe, expect, test } from 'vitest';
import { allocate, newBlock } from '../../../src/ipam/block.ts';
import type { Block } from '../../../src/ipam/block.ts';
import type { IpamPool, Search } from '../../../src/ipam/plan.ts';
import { blockAt, blockCount, indexOf, inOrder, nextCandidate, startIndex } from '../../../src/ipam/plan.ts';
import { NO_RESERVATIONS, Reservations } from '../../../src/ipam/reservations.ts';
import { formatPrefix, parsePrefix } from '../../../src/model/ip.ts';

const pool = (cidr: string, blockSize: number): IpamPool => ({ name: 'p', cidr: parsePrefix(cidr), blockSize });
const NOW = Date.UTC(2026, 0, 1);
const block = (cidr: string, host: string, ageMs: number): Block =>
  newBlock({ prefix: parsePrefix(cidr), affinity: `host:${host}`, claimedAtMs: NOW - ageMs });
const search = (pools: readonly IpamPool[], blocks: readonly Block[], tried: readonly string[] = []): Search => ({
  node: 'n1',
  pools,
  blocks,
  isTried: (prefix) => tried.includes(formatPrefix(prefix)),
  nowMs: NOW,
  reservations: NO_RESERVATIONS,
});

describe.each([
  ['192.168.0.0/16', 26, 1024n, '192.168.255.192/26'],
  ['fd00:10::/48', 122, 1n << 74n, 'fd00:10:0:ffff:ffff:ffff:ffff:ffc0/122'],
])('pool %s', (cidr, ...[blockSize, count, last]) => {
  const p = pool(cidr, blockSize);

  test('counts its blocks and finds each by its index', () => {
    expect(blockCount(p)).toBe(count);
    expect(formatPrefix(blockAt(p, 0n))).toBe(`${cidr.split('/')[0]!}/${blockSize}`);
    expect(formatPrefix(blockAt(p, count - 1n))).toBe(last);
    expect(indexOf(p, blockAt(p, count - 5n))).toBe(count - 5n);
  });

  test('gives the same node the same first block, and a hundred nodes nearly all another one', () => {
    const starts = Array.from({ length: 100 }, (_, i) => startIndex(`node-${i}`, p));
    expect(starts).toEqual(Array.from({ length: 100 }, (_, i) => startIndex(`node-${i}`, p)));
    expect(new Set(starts).size).toBeGreaterThan(85);
  });
});

test("the search goes from the node's own start once around the pool", () => {
  const p = pool('10.0.0.0/24', 26);
  const found: string[] = [];
  for (;;) {
    const candidate = nextCandidate(search([p], [], found));
    if (candidate === undefined) break;
    found.push(formatPrefix(candidate.prefix));
  }
  expect([...found].sort()).toEqual(['10.0.0.0/26', '10.0.0.128/26', '10.0.0.192/26', '10.0.0.64/26']);
  const made = found.map((cidr) => block(cidr, 'other', 0));
  expect(inOrder(p, { node: 'n1', blocks: made }).map(({ prefix }) => formatPrefix(prefix))).toEqual(found);
});

test('the second pool is searched when the first is full', () => {
  const pools = [pool('10.0.0.0/26', 26), pool('10.1.0.0/26', 26)];
  expect(nextCandidate(search(pools, [block('10.0.0.0/26', 'other', 0)]))).toEqual({
    kind: 'new',
    prefix: parsePrefix('10.1.0.0/26'),
  });
});

test('an empty block of another host is taken after a minute, not before, and never one in use', () => {
  const p = pool('10.0.0.0/26', 26);
  const old = block('10.0.0.0/26', 'other', 60_000);
  const [used] = allocate(old, 1, { handleId: 'h', secondary: {} });
  expect(nextCandidate(search([p], [old]))).toEqual({ kind: 'reclaim', prefix: old.prefix, host: 'other' });
  expect(nextCandidate(search([p], [block('10.0.0.0/26', 'other', 59_999)]))).toBeUndefined();
  expect(nextCandidate(search([p], [used]))).toBeUndefined();
  expect(nextCandidate(search([p], [block('10.0.0.0/26', 'n1', 90_000)]))).toBeUndefined();
});

test('a block of another size, of an earlier pool, is never overlapped', () => {
  const p = pool('10.0.0.0/25', 26);
  const candidate = nextCandidate(search([p], [block('10.0.0.64/28', 'other', 0)]));
  expect(candidate?.prefix).toEqual(parsePrefix('10.0.0.0/26'));
  expect(nextCandidate(search([p], [block('10.0.0.0/24', 'other', 0)]))).toBeUndefined();
});

describe('reservations', () => {
  const kept = (...cidrs: readonly string[]): Reservations => new Reservations(cidrs.map((cidr) => parsePrefix(cidr)));
  const found = (pools: readonly IpamPool[], reservations: Reservations, blocks: readonly Block[] = []) => {
    const next = nextCandidate({ ...search(pools, blocks), reservations });
    return next && formatPrefix(next.prefix);
  };

  test('a block that one or several of them keep back is not claimed, one with a place left is', () => {
    const p = [pool('10.0.0.0/29', 30)];
    expect(found(p, kept('10.0.0.0/30'))).toBe('10.0.0.4/30');
    expect(found(p, kept('10.0.0.0/31', '10.0.0.2/32', '10.0.0.3/32'))).toBe('10.0.0.4/30');
    expect(found(p, kept('10.0.0.0/31', '10.0.0.2/32', '10.0.0.4/30'))).toBe('10.0.0.0/30');
    expect(found(p, kept('10.0.0.0/28'))).toBeUndefined();
  });

  test('nor is an empty one of another host taken over', () => {
    const others = [block('10.0.0.0/30', 'n2', 99_999), block('10.0.0.4/30', 'n2', 99_999)];
    expect(found([pool('10.0.0.0/29', 30)], kept('10.0.0.0/30'), others)).toBe('10.0.0.4/30');
  });

  test.each(['fd00:10::/48', 'fd00:10:1::/64'])(
    'all but the last block of %s are leapt over, wherever a node starts',
    (cidr) => {
      const p = pool(cidr, 122);
      const last = blockAt(p, blockCount(p) - 1n);
      // Every half of what is left, down to the last block.
      const halves = Array.from({ length: 122 - p.cidr.length }, (_, i) => {
        const length = p.cidr.length + i + 1;
        return formatPrefix(blockAt({ ...p, blockSize: length }, blockCount({ ...p, blockSize: length }) - 2n));
      });
      expect(found([p], kept(...halves))).toBe(formatPrefix(last));
    },
  );
});
