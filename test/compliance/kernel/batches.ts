import { expect, test } from 'vitest';
import { formatPrefix, parseIpAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** Many routes at once. */
export function batchesContract(given: () => KernelBench): void {
  test('of a batch, refuses only the bad changes, each at its place and by name', async () => {
    const { kernel, near, route, ours } = given();
    const results = await kernel.writeRoutes([
      { op: 'replace', route: route('10.2.0.0/26') },
      { op: 'replace', route: route('10.2.1.0/26', { hops: [{ ifindex: 9999, onlink: false }] }) },
      { op: 'replace', route: route('10.2.2.0/26') },
      {
        op: 'replace',
        route: route('10.2.3.0/26', {
          hops: [{ gateway: parseIpAddress('77.0.0.1'), ifindex: near.index, onlink: false }],
        }),
      },
    ]);
    expect(results.map((error) => error?.code)).toEqual([undefined, 'ENODEV', undefined, 'ENETUNREACH']);
    expect(results[1]?.message).toContain('10.2.1.0/26');
    expect(results[3]?.message).toContain('via 77.0.0.1');
    const listed = (await ours()).map(({ prefix }) => formatPrefix(prefix));
    expect([...listed].sort()).toEqual(['10.2.0.0/26', '10.2.2.0/26']);
  });

  test('an empty batch is nothing', async () => {
    const { kernel } = given();
    expect(await kernel.writeRoutes([])).toEqual([]);
  });

  test('writes and lists more than fits into one datagram, in order', async () => {
    const { kernel, route, ours } = given();
    const many = Array.from({ length: 1500 }, (_, i) => route(`10.${100 + (i >> 8)}.${i & 255}.0/26`));
    const results = await kernel.writeRoutes(many.map((one) => ({ op: 'replace', route: one })));
    expect(results.filter((error) => error !== undefined)).toEqual([]);
    expect(results).toHaveLength(1500);
    expect(await ours()).toHaveLength(1500);
  });
}
