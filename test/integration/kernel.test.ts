import { afterEach, describe, expect, test } from 'vitest';
import type { Kernel } from '../../felix/kernel.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { MAIN_TABLE } from '../../felix/routes/kernel-route.ts';
import { createLinuxKernel } from '../../felix/linux-kernel.ts';
import { parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { kernelCompliance } from '../compliance/kernel.ts';
import { addConntrackEntry, conntrackEntries, plainConnection } from '../support/conntrack-entries.ts';
import type { Connection } from '../support/conntrack-entries.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const opened: { readonly kernel: Kernel; readonly netns: TestNetns }[] = [];

function open(): { readonly kernel: Kernel; readonly netns: TestNetns } {
  const netns = makeNetns('ctk-kernel');
  const one = { kernel: createLinuxKernel({ netns: netns.path }), netns };
  opened.push(one);
  return one;
}

const others: Kernel[] = [];

afterEach(async () => {
  await Promise.all(others.splice(0).map((kernel) => kernel.close()));
  for (const { kernel, netns } of opened.splice(0)) {
    await kernel.close();
    netns.remove();
  }
});

describe.runIf(isRoot || process.env['CI'] !== undefined)('with root', () => {
  kernelCompliance('Linux', () => {
    const { kernel, netns } = open();
    const somebodyElse = createLinuxKernel({ netns: netns.path });
    others.push(somebodyElse);
    const connections = {
      give: (connection: Connection) => addConntrackEntry(netns, connection),
      list: () => conntrackEntries(netns),
    };
    return Promise.resolve({ kernel, somebodyElse, eventually, connections });
  });

  test('connections of an address are forgotten in every conntrack zone', async () => {
    const { kernel, netns } = open();
    await addConntrackEntry(netns, plainConnection('udp', '10.8.0.5', '10.1.0.2'), 7);
    await addConntrackEntry(netns, plainConnection('udp', '10.8.0.6', '10.1.0.2'), 7);
    expect(await kernel.flushConntrack([parseIpAddress('10.8.0.5')])).toBe(1);
    expect(conntrackEntries(netns)).toEqual(['udp 10.8.0.6 > 10.1.0.2, 10.1.0.2 > 10.8.0.6']);
  });

  test('iproute2 reads our routes as we meant them, and we read those of iproute2', async () => {
    const { kernel, netns } = open();
    netns.run('ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
    netns.run('ip', 'link', 'set', 'near', 'up');
    netns.run('ip', 'link', 'set', 'far', 'up');
    netns.run('ip', 'address', 'add', '10.1.0.1/24', 'dev', 'near');
    const near = (await kernel.listLinks()).find(({ name }) => name === 'near')!.index;
    const common = { table: MAIN_TABLE, protocol: 80, scope: 0, metric: 0 } as const;
    const hop = { gateway: parseIpAddress('172.30.2.11'), ifindex: near, onlink: true };
    await kernel.writeRoutes([
      { op: 'replace', route: { ...common, prefix: parsePrefix('10.2.0.0/26'), type: 'blackhole', hops: [] } },
      {
        op: 'replace',
        route: { ...common, prefix: parsePrefix('10.2.0.64/26'), type: 'unicast', hops: [hop], mtu: 1380 },
      },
    ]);
    const shown = netns
      .run('ip', 'route')
      .split('\n')
      .map((line) => line.trim());
    expect(shown).toContain('blackhole 10.2.0.0/26 proto 80');
    expect(shown).toContain('10.2.0.64/26 via 172.30.2.11 dev near proto 80 onlink mtu 1380');
    netns.run(
      'ip',
      'route',
      'add',
      '10.3.0.0/24',
      'proto',
      'bird',
      'metric',
      '32',
      'nexthop',
      'via',
      '10.1.0.2',
      'nexthop',
      'via',
      '10.1.0.3',
    );
    netns.run('ip', '-6', 'route', 'add', 'unreachable', 'fd00::/64', 'proto', 'static');
    const routes = await kernel.listRoutes();
    expect(routes).toContainEqual({
      ...common,
      prefix: parsePrefix('10.3.0.0/24'),
      protocol: 12,
      type: 'unicast',
      metric: 32,
      hops: ['10.1.0.2', '10.1.0.3'].map((text) => ({ gateway: parseIpAddress(text), ifindex: near, onlink: false })),
    });
    expect(routes).toContainEqual({
      ...common,
      prefix: parsePrefix('fd00::/64'),
      protocol: 4,
      type: 'unreachable',
      metric: 1024,
      hops: [],
    });
  });

  test('an event names the port of who did it, and the port its process, also that of a second socket', async () => {
    const { kernel, netns } = open();
    netns.run('ip', 'link', 'set', 'lo', 'up');
    const ports: number[] = [];
    const stop = new AbortController();
    await kernel.watch((event) => {
      if (event.kind === 'route' && event.change === 'removed' && event.by !== undefined) ports.push(event.by);
    }, stop.signal);
    const route: KernelRoute = {
      ...{ prefix: parsePrefix('10.2.0.0/26'), table: MAIN_TABLE, protocol: 80, scope: 0, metric: 0 },
      ...{ type: 'blackhole', hops: [] },
    };
    const doers = [1, 2].map(() => createLinuxKernel({ netns: netns.path }));
    for (const doer of doers) {
      await doer.writeRoutes([{ op: 'replace', route }]);
      await doer.writeRoutes([{ op: 'remove', route }]);
    }
    await eventually(() => ports.length >= 2);
    expect(new Set(ports).size).toBe(2);
    for (const port of ports) expect(await kernel.processOfPort(port)).toMatchObject({ pid: process.pid });
    await Promise.all(doers.map((doer) => doer.close()));
    await kernel.writeRoutes([{ op: 'replace', route }]);
    netns.run('ip', 'route', 'del', 'blackhole', '10.2.0.0/26');
    await eventually(() => ports.length >= 3);
    expect(await kernel.processOfPort(ports[2]!)).toBeUndefined();
    stop.abort();
  });

  test('a watcher that is too slow hears of an overrun, and of what comes after it', async () => {
    const { kernel, netns } = open();
    netns.run('ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
    netns.run('ip', 'link', 'set', 'near', 'up');
    const kinds = new Set<string>();
    const stop = new AbortController();
    await kernel.watch(({ kind }) => kinds.add(kind), stop.signal);
    // One blocking command: our event loop stands still while events pile up.
    const flood =
      'for i in $(seq 0 29999); do echo "route add blackhole 11.$((i>>14)).$(((i>>6)&255)).$(((i&63)<<2))/30"; done';
    netns.run('bash', '-c', `${flood} | ip -batch -`);
    await eventually(() => kinds.has('overrun'));
    kinds.clear();
    netns.run('ip', 'link', 'set', 'near', 'mtu', '1300');
    await eventually(() => kinds.has('link'));
    stop.abort();
  });

  test('after close() every call is refused, and a missing namespace is named', async () => {
    const { kernel } = open();
    await kernel.close();
    await expect(kernel.listLinks()).rejects.toMatchObject({ code: 'EBADF' });
    expect(() => createLinuxKernel({ netns: '/var/run/netns/ctk-nowhere' })).toThrow(
      /network namespace \/var\/run\/netns\/ctk-nowhere: open \/var\/run\/netns\/ctk-nowhere: ENOENT/,
    );
  });

  test('a link name or a MAC that is none is refused with field and value', async () => {
    const { kernel } = open();
    const before = await kernel.listLinks();
    const veth = { kind: 'veth', name: 'near', peer: { name: 'far' } } as const;
    await expect(kernel.createLink({ ...veth, name: 'longer-than-fifteen' })).rejects.toThrow(
      "link name = 'longer-than-fifteen': is not 1 to 15 octets",
    );
    await expect(kernel.createLink({ ...veth, mac: 'zz' })).rejects.toThrow("mac = 'zz': is not an Ethernet address");
    await expect(kernel.createLink({ ...veth, peer: { name: 'far', netns: '/nowhere' } })).rejects.toThrow(
      'create veth link near: open /nowhere: ENOENT',
    );
    expect(await kernel.listLinks()).toEqual(before);
  });
});
