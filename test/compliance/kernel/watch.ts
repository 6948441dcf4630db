import { expect, test } from 'vitest';
import type { KernelEvent } from '../../../felix/kernel.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** What a watcher is told, and what not. */
export function watchContract(given: () => KernelBench): void {
  test('tells a watcher of links, addresses and routes, until the signal', async () => {
    const { kernel, somebodyElse, eventually, near, route, replace } = given();
    const stop = new AbortController();
    const events: KernelEvent[] = [];
    await kernel.watch((event) => events.push(event), stop.signal);
    const wanted = route('10.2.0.0/26');
    const address = { ifindex: near.index, address: parseInterfaceAddress('10.3.0.1/32'), scope: 0 };
    await replace(wanted, somebodyElse);
    await kernel.addAddress(address);
    await kernel.setLink(near.index, { mtu: 1300 });
    await somebodyElse.writeRoutes([{ op: 'remove', route: wanted }]);
    await kernel.removeAddress(address);
    await kernel.deleteLink('near');
    await eventually(() => events.some((event) => event.kind === 'link' && event.change === 'removed'));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'route', change: 'set', route: wanted }));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'route', change: 'removed', route: wanted }));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'address', change: 'set', address }));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'address', change: 'removed', address }));
    expect(events.some((event) => event.kind === 'link' && event.link.mtu === 1300)).toBe(true);
    expect(events.map(({ kind }) => kind)).not.toContain('overrun');
    const heard = events.length;
    stop.abort();
    await kernel.createLink({ kind: 'veth', name: 'late', peer: { name: 'later' } });
    await kernel.listLinks();
    expect(events).toHaveLength(heard);
  });

  test.each(['10.2.0.0/26', 'fd00:1::/122'])(
    'tells nothing of the route to %s that this port writes, and all that somebody else does with it',
    async (cidr) => {
      const { kernel, somebodyElse, eventually, route, replace } = given();
      const blackhole = route(cidr, { type: 'blackhole', hops: [] });
      const told: string[] = [];
      const note = (event: KernelEvent): void => {
        if (event.kind === 'route' && formatPrefix(event.route.prefix) === cidr) told.push(event.change);
      };
      await kernel.watch(note, new AbortController().signal);
      await replace(blackhole);
      await somebodyElse.writeRoutes([{ op: 'remove', route: blackhole }]);
      await replace(blackhole);
      await kernel.writeRoutes([{ op: 'remove', route: blackhole }]);
      await replace(blackhole, somebodyElse);
      await eventually(() => told.length >= 2);
      expect(told).toEqual(['removed', 'set']);
    },
  );

  test('tells a watcher of neighbours, forwarding entries and sysctls', async () => {
    const { kernel, eventually, near, link } = given();
    const stop = new AbortController();
    const events: KernelEvent[] = [];
    const vxlan = { vni: 4096, port: 4789, learning: false, parentIndex: near.index };
    await kernel.createLink({ kind: 'vxlan', name: 'vxlan.calico', vxlan });
    const { index: ifindex } = await link('vxlan.calico');
    await kernel.watch((event) => events.push(event), stop.signal);
    const mac = '66:00:00:00:00:01';
    const neighbour = {
      kind: 'neighbour',
      ifindex,
      address: parseIpAddress('10.1.0.7'),
      mac,
      permanent: true,
    } as const;
    const fdb = { kind: 'fdb', ifindex, mac, remote: parseIpAddress('10.1.0.2'), permanent: true } as const;
    for (const one of [neighbour, fdb]) await kernel.replaceNeighbour(one);
    for (const one of [neighbour, fdb]) await kernel.removeNeighbour(one);
    for (const name of ['forwarding', 'proxy_arp', 'rp_filter']) {
      await kernel.writeSysctl(`net/ipv4/conf/near/${name}`, '1');
    }
    await kernel.writeSysctl('net/ipv6/conf/near/proxy_ndp', '1');
    await kernel.writeSysctl('net/ipv4/ip_forward', '1');
    await kernel.writeSysctl('net/ipv6/conf/all/forwarding', '1');
    const heard = (wanted: KernelEvent): unknown => expect.objectContaining(wanted);
    const all = { kind: 'sysctl', ifindex: 'all', name: 'forwarding', value: 1 } as const;
    await eventually(() =>
      events.some((event) => event.kind === 'sysctl' && event.family === 6 && event.ifindex === 'all'),
    );
    stop.abort();
    for (const one of [neighbour, fdb])
      expect(events).toContainEqual(heard({ kind: 'neighbour', change: 'set', neighbour: one }));
    expect(events).toContainEqual(heard({ kind: 'neighbour', change: 'removed', neighbour: fdb }));
    // The kernel has forgotten the MAC by then.
    const gone = { ...neighbour, mac: '', permanent: false };
    expect(events).toContainEqual(heard({ kind: 'neighbour', change: 'removed', neighbour: gone }));
    const near4 = { kind: 'sysctl', family: 4, ifindex: near.index, value: 1 } as const;
    for (const name of ['forwarding', 'proxy_arp', 'rp_filter'] as const)
      expect(events).toContainEqual({ ...near4, name });
    expect(events).toContainEqual({ ...near4, family: 6, name: 'proxy_ndp' });
    expect(events).toContainEqual({ ...all, family: 4 });
    expect(events).toContainEqual({ ...all, family: 6 });
  });

  test('a watch whose signal came first never begins', async () => {
    const { kernel, near } = given();
    const events: KernelEvent[] = [];
    await kernel.watch((event) => events.push(event), AbortSignal.abort());
    await kernel.setLink(near.index, { mtu: 1300 });
    expect(events).toEqual([]);
  });

  test('knows nobody behind a port that no socket has', async () => {
    const { kernel } = given();
    expect(await kernel.processOfPort(4_123_456_789)).toBeUndefined();
  });
}
