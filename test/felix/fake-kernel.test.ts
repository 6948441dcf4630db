import { expect, test } from 'vitest';
import { MAIN_TABLE } from '../../felix/routes/kernel-route.ts';
import type { KernelEvent } from '../../felix/kernel.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { kernelCompliance } from '../compliance/kernel.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

kernelCompliance('the fake kernel', () => {
  const kernel = new FakeKernel();
  return Promise.resolve({
    kernel,
    somebodyElse: kernel.somebodyElse(),
    eventually: async (condition) => {
      expect(await condition()).toBe(true);
    },
    connections: {
      give: (connection) => {
        kernel.givenConnection(connection);
        return Promise.resolve();
      },
      list: () => kernel.connections(),
    },
  });
});

const blackhole = (cidr: string): KernelRoute => ({
  prefix: parsePrefix(cidr),
  table: MAIN_TABLE,
  protocol: 80,
  type: 'blackhole',
  scope: 0,
  metric: 0,
  hops: [],
});

test('fails what it was told to fail, as often as it was told, and writes the rest', async () => {
  const kernel = new FakeKernel();
  kernel.failNext('writeRoutes', { matching: '10.2.1.0/26', code: 'ENOMEM' });
  const changes = ['10.2.0.0/26', '10.2.1.0/26'].map((cidr) => ({ op: 'replace', route: blackhole(cidr) }) as const);
  expect((await kernel.writeRoutes(changes)).map((error) => error?.code)).toEqual([undefined, 'ENOMEM']);
  expect([...(await kernel.listRoutes())]).toEqual([blackhole('10.2.0.0/26')]);
  expect(await kernel.writeRoutes(changes)).toEqual([undefined, undefined]);
});

test('a route that somebody else deletes is gone, and heard of', async () => {
  const kernel = new FakeKernel();
  const events: KernelEvent[] = [];
  await kernel.watch((event) => events.push(event), new AbortController().signal);
  kernel.givenRoute(blackhole('10.2.0.0/26'));
  kernel.loseRoute(blackhole('10.2.0.0/26'));
  expect([...(await kernel.listRoutes())]).toEqual([]);
  expect(events.map((event) => event.kind === 'route' && event.change)).toEqual(['set', 'removed']);
});
