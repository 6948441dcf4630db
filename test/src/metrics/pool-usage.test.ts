import { describe, expect, test } from 'vitest';
import { blockKey } from '../../../src/datastore/keys.ts';
import type { Json } from '../../../src/datastore/store.ts';
import { poolUsage } from '../../../src/metrics/pool-usage.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { resource } from '../../support/resources.ts';

const pool = (name: string, cidr: string) => [name, resource('IPPool', name, { cidr })] as const;
const POOLS = new Map([pool('red', '10.2.0.0/16'), pool('blue', '10.1.0.0/16')]);

/** A /29 of which two addresses are taken, and one was released and rests. */
const block = (cidr: string): Json => ({
  ...{ cidr, affinity: 'host:node-a1', deleted: false, sequenceNumber: 1 },
  allocations: [0, 1, 0, null, null, null, null, null],
  unallocated: [3, 4, 5, 6, 7],
  attributes: [
    { handle_id: 'pod', secondary: {} },
    { handle_id: null, secondary: {}, releasedAt: '2026-01-01T00:00:00Z' },
  ],
  sequenceNumberForAllocation: {},
});

const entriesOf = (blocks: Readonly<Record<string, Json>>) =>
  new Map(
    Object.entries(blocks).map(([cidr, value]) => {
      const key = blockKey(parsePrefix(cidr));
      return [key, { key, value, revision: 1 }];
    }),
  );

describe('how full a pool is, in the blocks of this node', () => {
  test('blocks add up by pool; a pool without a block here is there, with nothing', () => {
    const blocks = ['10.1.0.0/29', '10.1.0.8/29'];
    const entries = entriesOf(Object.fromEntries(blocks.map((cidr) => [cidr, block(cidr)])));
    expect(poolUsage({ entries, blocks: blocks.map((cidr) => parsePrefix(cidr)), pools: POOLS })).toEqual([
      { pool: 'blue', blocks: 2, allocated: 4, cooling: 2, free: 10 },
      { pool: 'red', blocks: 0, allocated: 0, cooling: 0, free: 0 },
    ]);
  });

  test("blocks that are not this node's do not count", () => {
    const entries = entriesOf({ '10.1.0.0/29': block('10.1.0.0/29') });
    expect(poolUsage({ entries, blocks: [], pools: POOLS }).map(({ blocks }) => blocks)).toEqual([0, 0]);
  });

  test.each([
    ['is missing', {}],
    ['cannot be read', { '10.9.0.0/29': { cidr: 'x' } }],
  ])('a block that %s is a block; without a pool around it, of none', (_, stored) => {
    const blocks = [parsePrefix('10.9.0.0/29')];
    expect(poolUsage({ entries: entriesOf(stored), blocks, pools: POOLS })[0]).toEqual({
      ...{ pool: '', blocks: 1, allocated: 0, cooling: 0, free: 0 },
    });
  });
});
