import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Kernel } from '../../../felix/kernel.ts';
import { MAIN_TABLE } from '../../../felix/routes/kernel-route.ts';
import { createLinuxKernel } from '../../../felix/linux-kernel.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { TestNetns } from '../../support/netns.ts';
import { makeNetns } from '../../support/netns.ts';

let netns: TestNetns;
let kernel: Kernel;

beforeEach(() => {
  netns = makeNetns('ctg-kernel');
  kernel = createLinuxKernel({ netns: netns.path });
});

afterEach(async () => {
  await kernel.close();
  netns.remove();
});

test('tunl0: made or adopted, with its address, MTU and an onlink route', async () => {
  await kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  await kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  const { index } = (await kernel.listLinks()).find(({ name }) => name === 'tunl0')!;
  await kernel.setLink(index, { mtu: 1400, up: true });
  await kernel.addAddress({ ifindex: index, address: parseInterfaceAddress('10.65.0.1/32'), scope: 0 });
  const hops = [{ gateway: parseIpAddress('172.30.2.11'), ifindex: index, onlink: true }];
  const prefix = parsePrefix('10.65.1.0/26');
  const route = { prefix, table: MAIN_TABLE, protocol: 80, type: 'unicast', scope: 0, metric: 0, hops } as const;
  expect(await kernel.writeRoutes([{ op: 'replace', route }])).toEqual([undefined]);
  expect(netns.run('ip', 'route')).toContain('10.65.1.0/26 via 172.30.2.11 dev tunl0 proto 80 onlink');
  expect(netns.run('ip', 'link', 'show', 'tunl0')).toContain('mtu 1400');
  expect([...(await kernel.listRoutes())]).toContainEqual(route);
  expect((await kernel.listLinks()).find(({ name }) => name === 'tunl0')).toMatchObject({
    ...{ index, kind: 'ipip', mtu: 1400, up: true },
  });
});

test('tunl0: path MTU discovery, which the kernel leaves off, is switched on and off; nothing else of it changes', async () => {
  await kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  const tunl0 = async () => (await kernel.listLinks()).find(({ name }) => name === 'tunl0')!;
  const { index, pmtuDiscovery, ...before } = await tunl0();
  expect(pmtuDiscovery).toBe(false);
  await kernel.setLink(index, { pmtuDiscovery: true, mtu: 1400, up: true });
  expect(await tunl0()).toEqual({ ...before, index, pmtuDiscovery: true, mtu: 1400, up: true, running: true });
  expect(netns.run('ip', 'tunnel', 'show', 'tunl0')).toBe('tunl0: any/ip remote any local any ttl inherit\n');
  await kernel.setLink(index, { pmtuDiscovery: false });
  expect((await tunl0()).pmtuDiscovery).toBe(false);
});
