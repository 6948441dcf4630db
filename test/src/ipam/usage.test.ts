import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Block } from '../../../src/ipam/block.ts';
import { allocate, disowned, newBlock, release } from '../../../src/ipam/block.ts';
import type { Usage } from '../../../src/ipam/usage.ts';
import { borrowedAddresses, reportOf, usageOf } from '../../../src/ipam/usage.ts';
import {
  addressAt,
  formatIpAddress,
  formatPrefix,
  parseIpAddress,
  parsePrefix,
  prefixContainsAddress,
  prefixOf,
} from '../../../src/model/ip.ts';

const pool = (cidr: string, name = 'p') => ({ name, cidr: parsePrefix(cidr) });
/** `used` addresses, each by a pod of the node that is named for it; the block is n1's. */
const block = (cidr: string, ...used: readonly string[]): Block =>
  used.reduce(
    (filled, node, i) => allocate(filled, 1, { handleId: `h${i}`, secondary: { node, pod: `w${i}` } })[0],
    newBlock({ prefix: parsePrefix(cidr), affinity: 'host:n1', claimedAtMs: 0 }),
  );
const numbers = ({ total, inUse, reserved, free }: Usage): readonly number[] => [total, inUse, reserved, free];

describe('usage', () => {
  test('is told of each pool and its blocks, by address, and the smaller of two pools has the block', () => {
    const blocks = [block('10.0.1.64/26', 'n1'), block('10.0.0.0/26', 'n1', 'n2'), block('10.1.0.0/26')];
    const usages = usageOf([pool('10.1.0.0/16', 'b'), pool('10.0.0.0/16', 'a'), pool('10.0.0.0/8', 'all')], blocks, []);
    expect(usages.map((each) => [each.pool?.name, ...numbers(each)])).toEqual([
      ['all', 2 ** 24, 0, 0, 2 ** 24],
      ['a', 65536, 3, 0, 65533],
      ['b', 65536, 0, 0, 65536],
    ]);
    expect(usages[1]?.blocks.map((each) => [formatPrefix(each.prefix), ...numbers(each)])).toEqual([
      ['10.0.0.0/26', 64, 2, 0, 62],
      ['10.0.1.64/26', 64, 1, 0, 63],
    ]);
  });

  test('of blocks in no pool stands by itself at the end', () => {
    const usages = usageOf([pool('10.0.0.0/16')], [block('10.9.0.0/26', 'n1')], []);
    expect(usages.map((each) => [each.pool?.name, ...numbers(each)])).toEqual([
      ['p', 65536, 0, 0, 65536],
      [undefined, 64, 1, 0, 63],
    ]);
  });

  test('an address that rests is not free', () => {
    const resting = release(block('10.0.0.0/26', 'n1'), [0], { releasedAt: '2026-01-01T00:00:00Z' });
    expect(usageOf([pool('10.0.0.0/26')], [resting], []).map(numbers)).toEqual([[64, 1, 0, 63]]);
  });

  test('whatever reservations overlap, each address is in use, reserved or free', () => {
    const lengths = fc.integer({ min: 22, max: 32 });
    const reservation = fc.tuple(fc.integer({ min: 0, max: 511 }), lengths).map(([offset, length]) => {
      return prefixOf(addressAt(parsePrefix('10.0.0.0/23'), offset), length);
    });
    fc.assert(
      fc.property(fc.array(reservation, { maxLength: 6 }), fc.integer({ min: 0, max: 64 }), (reservations, used) => {
        const one = block('10.0.0.64/26', ...Array.from({ length: used }, () => 'n1'));
        const [told] = usageOf([pool('10.0.0.0/24')], [one], reservations);
        const all = Array.from({ length: 256 }, (_, i) => i);
        const inUse = (i: number): boolean => i >= 64 && i < 64 + used;
        const isReserved = (i: number): boolean =>
          reservations.some((each) => prefixContainsAddress(each, addressAt(parsePrefix('10.0.0.0/24'), i)));
        expect(numbers(told!)).toEqual([
          256,
          used,
          all.filter((i) => !inUse(i) && isReserved(i)).length,
          all.filter((i) => !inUse(i) && !isReserved(i)).length,
        ]);
      }),
    );
  });
});

test('borrowed is what another node uses of a node’s block', () => {
  const blocks = [
    block('10.0.1.0/26', 'n2', 'n1'),
    disowned(block('10.0.2.0/26', 'n2')),
    block('10.0.0.0/26', 'n1', 'n3'),
  ];
  expect(
    borrowedAddresses(blocks).map(({ address, owner, borrower }) => [formatIpAddress(address), owner, borrower]),
  ).toEqual([
    ['10.0.0.1', 'n1', 'n3'],
    ['10.0.1.0', 'n1', 'n2'],
  ]);
});

test('an address is told with its block, pool, holder, rest and reservation', () => {
  const resting = release(block('10.0.0.0/26', 'n1', 'n1'), [1], { releasedAt: '2026-01-01T00:00:00Z' });
  const records = { pools: [pool('10.0.0.0/16')], blocks: [resting], reservations: [parsePrefix('10.0.0.8/29')] };
  const of = (text: string) => reportOf(parseIpAddress(text), records);
  expect(of('10.0.0.0').assignment?.attributes.handleId).toBe('h0');
  expect(of('10.0.0.1')).toEqual({ pool: records.pools[0], block: resting, releasedAt: '2026-01-01T00:00:00Z' });
  expect(of('10.0.0.9')).toEqual({ pool: records.pools[0], block: resting, reservation: parsePrefix('10.0.0.8/29') });
  expect(of('10.0.9.9')).toEqual({ pool: records.pools[0] });
  expect(of('192.0.2.1')).toEqual({});
});
