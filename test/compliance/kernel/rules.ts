import { expect, test } from 'vitest';
import type { KernelRule } from '../../../felix/kernel.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** Rules that send packets to a table. */
export function rulesContract(given: () => KernelBench): void {
  test.each<[string, KernelRule]>([
    ['everything', { family: 4, priority: 100, table: 77, protocol: 80 }],
    ['a source', { family: 4, priority: 101, table: 1000, protocol: 80, from: parsePrefix('10.2.0.0/16') }],
    ['an IPv6 destination', { family: 6, priority: 102, table: 77, protocol: 80, to: parsePrefix('fd00:1::/64') }],
    [
      'a mark, a source and a destination',
      {
        ...{ family: 4, priority: 103, table: 77, protocol: 80, mark: { value: 0x1_0000, mask: 0xf_0000 } },
        ...{ from: parsePrefix('10.2.0.0/26'), to: parsePrefix('10.3.0.0/26') },
      },
    ],
  ])('lists a rule as it was added, for %s; adds and removes it twice', async (_, rule) => {
    const { kernel } = given();
    const listed = async () => (await kernel.listRules()).filter(({ protocol }) => protocol === 80);
    const other: KernelRule = { ...rule, priority: 999 };
    await kernel.addRule(other);
    await kernel.addRule(rule);
    await kernel.addRule(rule);
    const byPriority = (await listed()).toSorted((a, b) => a.priority - b.priority);
    expect(byPriority).toEqual([rule, other]);
    await kernel.removeRule(rule);
    await kernel.removeRule(rule);
    expect(await listed()).toEqual([other]);
  });
}
