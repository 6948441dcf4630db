import { beforeEach, describe, expect, test } from 'vitest';
import { MAIN_TABLE, SCOPE, asStored, sameRoute } from '../../felix/kernel.ts';
import type { Kernel, KernelEvent, KernelLink, KernelRoute, KernelRule } from '../../felix/kernel.ts';
import { connectionText, plainConnection } from '../support/conntrack-entries.ts';
import type { Connection } from '../support/conntrack-entries.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';

export interface KernelCase {
  /** A kernel with nothing but `lo`, which is down, and what its modules put into every namespace. */
  readonly kernel: Kernel;
  /** Another process's way to the same one. */
  readonly somebodyElse: Pick<Kernel, 'writeRoutes'>;
  /** Waits until the condition holds; the real kernel's events and carriers take a moment. */
  readonly eventually: (condition: () => boolean | Promise<boolean>) => Promise<void>;
  readonly connections: {
    readonly give: (connection: Connection) => Promise<void>;
    /** In the words of connectionText, sorted. */
    readonly list: () => readonly string[];
  };
}

/** What every Kernel must do. `open` gives a fresh one for each test. */
export function kernelCompliance(name: string, open: () => Promise<KernelCase>): void {
  describe(`${name} keeps the kernel's contract`, () => {
    let kernel: Kernel;
    let somebodyElse: KernelCase['somebodyElse'];
    let eventually: KernelCase['eventually'];
    let connections: KernelCase['connections'];
    let near: KernelLink;
    let far: KernelLink;

    const link = async (wanted: string): Promise<KernelLink> => {
      const found = (await kernel.listLinks()).find((one) => one.name === wanted);
      if (found === undefined) throw new Error(`no link ${wanted}`);
      return found;
    };

    const route = (cidr: string, fields: Partial<KernelRoute> = {}): KernelRoute => ({
      prefix: parsePrefix(cidr),
      table: MAIN_TABLE,
      protocol: 80,
      type: 'unicast',
      scope: SCOPE.universe,
      metric: 0,
      hops: [{ gateway: parseIpAddress('10.1.0.2'), ifindex: near.index, onlink: false }],
      ...fields,
    });

    const hop6 = (): KernelRoute['hops'] => [
      { gateway: parseIpAddress('2001:db8::2'), ifindex: near.index, onlink: false },
    ];

    /** Without what the kernel adds by itself. */
    const ours = async (): Promise<readonly KernelRoute[]> =>
      (await kernel.listRoutes()).filter(({ protocol }) => protocol === 80 || protocol === 12);

    const replace = async (wanted: KernelRoute, by: KernelCase['somebodyElse'] = kernel): Promise<void> => {
      expect(await by.writeRoutes([{ op: 'replace', route: wanted }])).toEqual([undefined]);
    };

    beforeEach(async () => {
      ({ kernel, somebodyElse, eventually, connections } = await open());
      await kernel.createLink({
        kind: 'veth',
        name: 'near',
        mtu: 1400,
        mac: 'ee:ee:ee:ee:ee:ee',
        peer: { name: 'far' },
      });
      near = await link('near');
      far = await link('far');
      await kernel.setLink(near.index, { up: true });
      await kernel.setLink(far.index, { up: true });
      await kernel.addAddress({ ifindex: near.index, address: parseInterfaceAddress('10.1.0.1/24'), scope: 0 });
      await kernel.addAddress({ ifindex: near.index, address: parseInterfaceAddress('2001:db8::1/64'), scope: 0 });
    });

    test.each<[string, (hop: number, other: number) => KernelRoute]>([
      ['a gateway', () => route('10.2.0.0/26')],
      [
        'a gateway that is onlink, with an MTU',
        (ifindex) =>
          route('10.2.0.0/26', {
            mtu: 1380,
            hops: [{ gateway: parseIpAddress('172.30.2.11'), ifindex, onlink: true }],
          }),
      ],
      ['a link alone', (ifindex) => route('10.2.0.5/32', { scope: SCOPE.link, hops: [{ ifindex, onlink: false }] })],
      ['a preferred source', () => route('10.2.0.0/26', { source: parseIpAddress('10.1.0.1') })],
      ['a metric', () => route('10.2.0.0/26', { metric: 1024 })],
      ['a blackhole', () => route('10.2.0.0/26', { type: 'blackhole', hops: [] })],
      ['the default route', () => route('0.0.0.0/0')],
      [
        'several hops',
        (ifindex, other) =>
          route('10.2.0.0/26', {
            hops: [
              { gateway: parseIpAddress('10.1.0.2'), ifindex, onlink: false },
              { gateway: parseIpAddress('10.9.0.3'), ifindex: other, onlink: true },
            ],
          }),
      ],
      [
        'gateways of the other family (RFC 8950)',
        (ifindex, other) =>
          route('10.2.0.0/26', {
            hops: [
              { gateway: parseIpAddress('fe80::9'), ifindex: other, onlink: false },
              { gateway: parseIpAddress('2001:db8::2'), ifindex, onlink: true },
            ],
          }),
      ],
      [
        'IPv6 with a gateway',
        (ifindex) =>
          route('fd00:1::/122', { hops: [{ gateway: parseIpAddress('2001:db8::2'), ifindex, onlink: false }] }),
      ],
      [
        'IPv6 over several hops',
        (ifindex) =>
          route('fd00:1::/122', {
            hops: ['2001:db8::2', '2001:db8::3'].map((text) => ({
              gateway: parseIpAddress(text),
              ifindex,
              onlink: false,
            })),
          }),
      ],
      [
        'IPv6 over a link alone',
        (ifindex) => route('fd00:1::5/128', { scope: SCOPE.link, hops: [{ ifindex, onlink: false }] }),
      ],
      ['an IPv6 blackhole', () => route('fd00:1::/122', { type: 'blackhole', hops: [] })],
      ...(['unreachable', 'prohibit'] as const).flatMap((type): [string, () => KernelRoute][] => [
        [`an IPv4 route that says ${type}`, () => route('10.2.0.0/26', { type, hops: [] })],
        [`an IPv6 route that says ${type}`, () => route('fd00:1::/122', { type, hops: [] })],
      ]),
      [
        'IPv6 onlink, with an MTU',
        (ifindex) =>
          route('fd00:1::/122', {
            mtu: 1300,
            hops: [{ gateway: parseIpAddress('2001:db8:9::1'), ifindex, onlink: true }],
          }),
      ],
      ['IPv6 with a metric', () => route('fd00:1::/122', { metric: 512, hops: hop6() })],
    ])('lists a route as it was written: %s', async (_, make) => {
      const wanted = make(near.index, far.index);
      await replace(wanted);
      const listed = await ours();
      expect(listed).toHaveLength(1);
      expect(listed[0]).toEqual(asStored(wanted));
      expect(sameRoute(listed[0]!, asStored(wanted))).toBe(true);
      expect(await kernel.writeRoutes([{ op: 'remove', route: wanted }])).toEqual([undefined]);
      expect(await ours()).toEqual([]);
    });

    test('lists an IPv6 route with a preferred source, once the link has made sure that nobody else has the address', async () => {
      const wanted = route('fd00:1::/122', { source: parseIpAddress('2001:db8::1'), hops: hop6() });
      await eventually(async () => (await kernel.writeRoutes([{ op: 'replace', route: wanted }]))[0] === undefined);
      expect(await ours()).toEqual([asStored(wanted)]);
    });

    test.each([
      ['10.2.0.0/26', '172.30.2.11'],
      ['fd00:1::/122', '2001:db8::9'],
    ])('replaces %s in place, from blackhole to gateway and back, whoever made it', async (cidr, gateway) => {
      const blackhole = route(cidr, { type: 'blackhole', hops: [], protocol: 12 });
      const via = route(cidr, { hops: [{ gateway: parseIpAddress(gateway), ifindex: near.index, onlink: true }] });
      const events: KernelEvent[] = [];
      await kernel.watch((event) => events.push(event), new AbortController().signal);
      for (const wanted of [blackhole, via, blackhole]) {
        await replace(wanted, somebodyElse);
        expect(await ours()).toEqual([asStored(wanted)]);
      }
      const changes = (): readonly string[] =>
        events.flatMap((event) => (event.kind === 'route' && event.route.prefix.length > 20 ? [event.change] : []));
      await eventually(() => changes().length >= 3);
      // At no moment was there no route.
      expect(changes().filter((change) => change === 'removed')).toEqual([]);
    });

    test.each([
      ['10.2.0.0/26', 1000],
      ['fd00:1::/122', 1000],
      ['10.2.0.0/26', 77],
    ])('keeps %s in table %i, which was not there before, apart from table main', async (cidr, table) => {
      const elsewhere = route(cidr, { table, type: 'blackhole', hops: [] });
      expect(await kernel.listRoutes(table)).toEqual([]);
      await replace(elsewhere);
      expect(await kernel.listRoutes(table)).toEqual([asStored(elsewhere)]);
      expect(await ours()).toEqual([]);
      expect(await kernel.writeRoutes([{ op: 'remove', route: { ...elsewhere, table: MAIN_TABLE } }])).toEqual([
        undefined,
      ]);
      expect(await kernel.listRoutes(table)).toHaveLength(1);
      expect(await kernel.writeRoutes([{ op: 'remove', route: elsewhere }])).toEqual([undefined]);
      expect(await kernel.listRoutes(table)).toEqual([]);
    });

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

    test('keeps routes of different metrics apart, and removes only the one asked for', async () => {
      await replace(route('10.2.0.0/26', { metric: 512 }));
      await replace(route('10.2.0.0/26', { metric: 1024 }));
      expect(await kernel.writeRoutes([{ op: 'remove', route: route('10.2.0.0/26', { metric: 1024 }) }])).toEqual([
        undefined,
      ]);
      expect((await ours()).map(({ metric }) => metric)).toEqual([512]);
    });

    test('removing a route that is not there, or that is of another protocol, succeeds and removes nothing', async () => {
      const theirs = route('10.2.0.0/26', { protocol: 12 });
      await replace(theirs);
      const results = await kernel.writeRoutes([
        { op: 'remove', route: route('10.2.0.0/26') },
        { op: 'remove', route: route('10.77.0.0/26') },
        { op: 'remove', route: route('fd00:77::/122') },
      ]);
      expect(results).toEqual([undefined, undefined, undefined]);
      expect(await ours()).toEqual([theirs]);
    });

    test('of a batch, refuses only the bad changes, each at its place and by name', async () => {
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
      expect(await kernel.writeRoutes([])).toEqual([]);
    });

    test('writes and lists more than fits into one datagram, in order', async () => {
      const many = Array.from({ length: 1500 }, (_, i) => route(`10.${100 + (i >> 8)}.${i & 255}.0/26`));
      const results = await kernel.writeRoutes(many.map((one) => ({ op: 'replace', route: one })));
      expect(results.filter((error) => error !== undefined)).toEqual([]);
      expect(results).toHaveLength(1500);
      expect(await ours()).toHaveLength(1500);
    });

    test('shows a link as it was made and as it was set', async () => {
      expect(near).toMatchObject({
        kind: 'veth',
        mtu: 1400,
        mac: 'ee:ee:ee:ee:ee:ee',
        up: false,
        peerIndex: far.index,
      });
      await kernel.setLink(near.index, { mtu: 1300, mac: '02:00:00:00:00:09' });
      expect(await link('near')).toMatchObject({ mtu: 1300, mac: '02:00:00:00:00:09', up: true });
      await eventually(async () => (await link('near')).running);
      await kernel.setLink(near.index, { up: false });
      expect(await link('near')).toMatchObject({ up: false, running: false });
    });

    test('renames a link, which keeps its index, and tells it; a name that is taken is refused', async () => {
      const names: string[] = [];
      await kernel.setLink(near.index, { up: false });
      await kernel.watch((event) => {
        if (event.kind === 'link' && event.link.index === near.index) names.push(event.link.name);
      }, new AbortController().signal);
      await kernel.setLink(near.index, { name: 'nearer' });
      await eventually(() => names.includes('nearer'));
      expect(await link('nearer')).toMatchObject({ index: near.index, kind: 'veth', mtu: 1400 });
      await expect(kernel.setLink(near.index, { name: 'far' })).rejects.toMatchObject({
        code: 'EEXIST',
        message: expect.stringContaining(`link ${near.index} name far`) as string,
      });
      expect(await link('far')).toMatchObject({ index: far.index });
    });

    test.each(['dummy', 'ipip'] as const)(
      'makes a %s link that is down, or names it and says that this kernel has no such kind',
      async (kind) => {
        const error: unknown = await kernel
          .createLink({ kind, name: 'made', mtu: 1400 })
          .catch((thrown: unknown) => thrown);
        if (error === undefined) expect(await link('made')).toMatchObject({ kind, mtu: 1400, up: false });
        else expect(error).toMatchObject({ code: 'EOPNOTSUPP', message: expect.stringContaining('made') as string });
      },
    );

    test('makes a VXLAN link with all that it was asked for', async () => {
      const vxlan = {
        vni: 4096,
        port: 4789,
        learning: false,
        parentIndex: near.index,
        local: parseIpAddress('10.1.0.1'),
      };
      await kernel.createLink({ kind: 'vxlan', name: 'vxlan.calico', mtu: 1350, mac: '66:00:00:00:00:01', vxlan });
      const made = await link('vxlan.calico');
      expect(made).toMatchObject({ kind: 'vxlan', mtu: 1350, mac: '66:00:00:00:00:01', up: false, vxlan });
    });

    test('refuses a second link of a name, and deletes by name once and for all', async () => {
      await expect(kernel.createLink({ kind: 'veth', name: 'near', peer: { name: 'x' } })).rejects.toMatchObject({
        code: 'EEXIST',
        message: expect.stringContaining('near') as string,
      });
      await replace(route('10.2.0.0/26'));
      await kernel.deleteLink('near');
      await kernel.deleteLink('near');
      // A kernel with ipip has a tunl0 in every namespace by itself.
      expect((await kernel.listLinks()).map((one) => one.name).filter((name) => name !== 'tunl0')).toEqual(['lo']);
      expect(await ours()).toEqual([]);
    });

    test('names a link that is not there', async () => {
      await expect(kernel.setLink(9999, { up: true })).rejects.toMatchObject({ code: 'ENODEV' });
      await expect(
        kernel.addAddress({ ifindex: 9999, address: parseInterfaceAddress('10.3.0.1/32'), scope: 0 }),
      ).rejects.toMatchObject({ code: 'ENODEV', message: expect.stringContaining('10.3.0.1/32') as string });
    });

    test.each(['10.3.0.1/32', 'fd00:3::1/128'])('adds and removes address %s, twice each', async (text) => {
      const address = { ifindex: near.index, address: parseInterfaceAddress(text), scope: 0 };
      const there = async (): Promise<boolean> =>
        (await kernel.listAddresses()).some((one) => formatPrefix(one.address) === text && one.ifindex === near.index);
      await kernel.addAddress(address);
      await kernel.addAddress(address);
      expect(await there()).toBe(true);
      await kernel.removeAddress(address);
      await kernel.removeAddress(address);
      expect(await there()).toBe(false);
    });

    test.each(['10.1.0.7', '2001:db8::7'])('replaces and removes the permanent neighbour %s', async (text) => {
      const neighbour = (mac: string) =>
        ({ kind: 'neighbour', ifindex: near.index, address: parseIpAddress(text), mac, permanent: true }) as const;
      const listed = async () => (await kernel.listNeighbours(near.index)).filter(({ permanent }) => permanent);
      await kernel.replaceNeighbour(neighbour('66:00:00:00:00:01'));
      await kernel.replaceNeighbour(neighbour('66:00:00:00:00:02'));
      expect(await listed()).toEqual([neighbour('66:00:00:00:00:02')]);
      await kernel.removeNeighbour(neighbour('66:00:00:00:00:02'));
      await kernel.removeNeighbour(neighbour('66:00:00:00:00:02'));
      expect(await listed()).toEqual([]);
    });

    test('replaces and removes the forwarding entries of a VXLAN link', async () => {
      const vxlan = { vni: 4096, port: 4789, learning: false, parentIndex: near.index };
      await kernel.createLink({ kind: 'vxlan', name: 'vxlan.calico', vxlan });
      const { index: ifindex } = await link('vxlan.calico');
      const entry = (remote: string) =>
        ({ kind: 'fdb', ifindex, mac: '66:00:00:00:00:01', remote: parseIpAddress(remote), permanent: true }) as const;
      await kernel.replaceNeighbour(entry('10.1.0.2'));
      await kernel.replaceNeighbour(entry('10.1.0.3'));
      expect(await kernel.listNeighbours(ifindex)).toEqual([entry('10.1.0.3')]);
      expect((await kernel.listNeighbours(near.index)).filter(({ kind }) => kind === 'fdb')).toEqual([]);
      await kernel.removeNeighbour(entry('10.1.0.3'));
      await kernel.removeNeighbour(entry('10.1.0.3'));
      expect(await kernel.listNeighbours(ifindex)).toEqual([]);
    });

    test('resolves an address on the link, one behind a gateway, and one that no route leads to', async () => {
      await replace(route('10.2.0.0/26'));
      const onLink = await kernel.resolve(parseIpAddress('10.1.0.9'));
      expect(onLink).toEqual({ type: 'unicast', ifindex: near.index, source: parseIpAddress('10.1.0.1') });
      expect(await kernel.resolve(parseIpAddress('10.2.0.9'))).toEqual({
        type: 'unicast',
        ifindex: near.index,
        gateway: parseIpAddress('10.1.0.2'),
        source: parseIpAddress('10.1.0.1'),
      });
      expect(await kernel.resolve(parseIpAddress('99.0.0.1'))).toBeUndefined();
      expect(await kernel.resolve(parseIpAddress('fd99::1'))).toBeUndefined();
    });

    test('tells a watcher of links, addresses and routes, until the signal', async () => {
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

    test('knows nobody behind a port that no socket has', async () => {
      expect(await kernel.processOfPort(4_123_456_789)).toBeUndefined();
    });

    describe('forgets connections', () => {
      const [pod, other] = ['10.8.0.5', '10.8.0.6'];
      const service = { protocol: 'udp', from: '10.1.0.9', to: '10.96.0.10', answersTo: '10.1.0.9' } as const;
      const ofPod: readonly Connection[] = [
        plainConnection('udp', pod, '10.1.0.2'),
        plainConnection('tcp', pod, '10.1.0.3'),
        plainConnection('udp', '10.1.0.4', pod),
        plainConnection('tcp', '10.1.0.4', pod),
        { ...service, answersFrom: pod },
        { ...plainConnection('tcp', pod, '198.51.100.1'), answersTo: '10.1.0.1' },
      ];
      const ofOthers: readonly Connection[] = [
        plainConnection('udp', other, '10.1.0.2'),
        plainConnection('tcp', other, '10.1.0.3'),
        plainConnection('udp', '10.1.0.5', other),
        { ...service, from: '10.1.0.8', answersFrom: other },
        plainConnection('tcp', 'fd00::5', 'fd00::6'),
      ];
      const texts = (all: readonly Connection[]): readonly string[] => all.map(connectionText).sort();

      beforeEach(async () => {
        for (const one of [...ofPod, ...ofOthers]) await connections.give(one);
      });

      test('of one address, UDP and TCP, either way and through NAT, and no others', async () => {
        expect(connections.list()).toEqual(texts([...ofPod, ...ofOthers]));
        expect(await kernel.flushConntrack([parseIpAddress(pod)])).toBe(ofPod.length);
        expect(connections.list()).toEqual(texts(ofOthers));
        expect(await kernel.flushConntrack([parseIpAddress(pod)])).toBe(0);
      });

      test('of an IPv6 address', async () => {
        expect(await kernel.flushConntrack([parseIpAddress('fd00::6')])).toBe(1);
        expect(connections.list()).toHaveLength(ofPod.length + ofOthers.length - 1);
      });

      test('of many addresses at once', async () => {
        const many = Array.from({ length: 20 }, (_, i) => parseIpAddress(`10.99.0.${i}`));
        const addresses = [...many, parseIpAddress(pod), parseIpAddress('fd00::5')];
        expect(await kernel.flushConntrack(addresses)).toBe(ofPod.length + 1);
        expect(connections.list()).toEqual(texts(ofOthers.slice(0, -1)));
      });

      test('of none', async () => {
        expect(await kernel.flushConntrack([])).toBe(0);
        expect(connections.list()).toHaveLength(ofPod.length + ofOthers.length);
      });
    });

    test('a watch whose signal came first never begins', async () => {
      const events: KernelEvent[] = [];
      await kernel.watch((event) => events.push(event), AbortSignal.abort());
      await kernel.setLink(near.index, { mtu: 1300 });
      expect(events).toEqual([]);
    });

    test('reads back a sysctl as written, and names one that is not there', async () => {
      await kernel.writeSysctl('net/ipv4/conf/near/proxy_arp', '1');
      expect(await kernel.readSysctl('net/ipv4/conf/near/proxy_arp')).toBe('1');
      const missing = 'net/ipv4/conf/nowhere/proxy_arp';
      const refusal = { code: 'ENOENT', message: expect.stringContaining(missing) as string };
      await expect(kernel.readSysctl(missing)).rejects.toMatchObject(refusal);
      await expect(kernel.writeSysctl(missing, '1')).rejects.toMatchObject(refusal);
    });
  });
}
