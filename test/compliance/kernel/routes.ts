import { expect, test } from 'vitest';
import { MAIN_TABLE, SCOPE, asStored, sameRoute } from '../../../felix/routes/kernel-route.ts';
import type { KernelEvent } from '../../../felix/kernel.ts';
import type { KernelHop, KernelRoute } from '../../../felix/routes/kernel-route.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** One route at a time: what is written is what is listed, in place and by key. */
export function routesContract(given: () => KernelBench): void {
  test.each<[string, (bench: KernelBench) => KernelRoute]>([
    ['a gateway', ({ route }) => route('10.2.0.0/26')],
    [
      'a gateway that is onlink, with an MTU',
      ({ route, near }) =>
        route('10.2.0.0/26', {
          mtu: 1380,
          hops: [{ gateway: parseIpAddress('172.30.2.11'), ifindex: near.index, onlink: true }],
        }),
    ],
    [
      'a link alone',
      ({ route, near }) => route('10.2.0.5/32', { scope: SCOPE.link, hops: [{ ifindex: near.index, onlink: false }] }),
    ],
    ['a preferred source', ({ route }) => route('10.2.0.0/26', { source: parseIpAddress('10.1.0.1') })],
    ['a metric', ({ route }) => route('10.2.0.0/26', { metric: 1024 })],
    ['a blackhole', ({ route }) => route('10.2.0.0/26', { type: 'blackhole', hops: [] })],
    ['the default route', ({ route }) => route('0.0.0.0/0')],
    [
      'several hops',
      ({ route, near, far }) =>
        route('10.2.0.0/26', {
          hops: [
            { gateway: parseIpAddress('10.1.0.2'), ifindex: near.index, onlink: false },
            { gateway: parseIpAddress('10.9.0.3'), ifindex: far.index, onlink: true },
          ],
        }),
    ],
    [
      'gateways of the other family (RFC 8950)',
      ({ route, near, far }) =>
        route('10.2.0.0/26', {
          hops: [
            { gateway: parseIpAddress('fe80::9'), ifindex: far.index, onlink: false },
            { gateway: parseIpAddress('2001:db8::2'), ifindex: near.index, onlink: true },
          ],
        }),
    ],
    [
      'IPv6 with a gateway',
      ({ route, near }) =>
        route('fd00:1::/122', {
          hops: [{ gateway: parseIpAddress('2001:db8::2'), ifindex: near.index, onlink: false }],
        }),
    ],
    [
      'IPv6 over several hops',
      ({ route, near }) =>
        route('fd00:1::/122', {
          hops: ['2001:db8::2', '2001:db8::3'].map((text) => ({
            gateway: parseIpAddress(text),
            ifindex: near.index,
            onlink: false,
          })),
        }),
    ],
    [
      'IPv6 over a link alone',
      ({ route, near }) =>
        route('fd00:1::5/128', { scope: SCOPE.link, hops: [{ ifindex: near.index, onlink: false }] }),
    ],
    ['an IPv6 blackhole', ({ route }) => route('fd00:1::/122', { type: 'blackhole', hops: [] })],
    ...(['unreachable', 'prohibit'] as const).flatMap((type): [string, (bench: KernelBench) => KernelRoute][] => [
      [`an IPv4 route that says ${type}`, ({ route }) => route('10.2.0.0/26', { type, hops: [] })],
      [`an IPv6 route that says ${type}`, ({ route }) => route('fd00:1::/122', { type, hops: [] })],
    ]),
    [
      'IPv6 onlink, with an MTU',
      ({ route, near }) =>
        route('fd00:1::/122', {
          mtu: 1300,
          hops: [{ gateway: parseIpAddress('2001:db8:9::1'), ifindex: near.index, onlink: true }],
        }),
    ],
    ['IPv6 with a metric', ({ route, hop6 }) => route('fd00:1::/122', { metric: 512, hops: hop6() })],
  ])('lists a route as it was written: %s', async (_, make) => {
    const bench = given();
    const { kernel, ours, replace } = bench;
    const wanted = make(bench);
    await replace(wanted);
    const listed = await ours();
    expect(listed).toHaveLength(1);
    expect(listed[0]).toEqual(asStored(wanted));
    expect(sameRoute(listed[0]!, asStored(wanted))).toBe(true);
    expect(await kernel.writeRoutes([{ op: 'remove', route: wanted }])).toEqual([undefined]);
    expect(await ours()).toEqual([]);
  });

  test('lists an IPv6 route with a preferred source, once the link has made sure that nobody else has the address', async () => {
    const { kernel, eventually, route, hop6, ours } = given();
    const wanted = route('fd00:1::/122', { source: parseIpAddress('2001:db8::1'), hops: hop6() });
    await eventually(async () => (await kernel.writeRoutes([{ op: 'replace', route: wanted }]))[0] === undefined);
    expect(await ours()).toEqual([asStored(wanted)]);
  });

  test.each([
    ['10.2.0.0/26', '172.30.2.11'],
    ['fd00:1::/122', '2001:db8::9'],
  ])('replaces %s in place, from blackhole to gateway and back, whoever made it', async (cidr, gateway) => {
    const { kernel, somebodyElse, eventually, near, route, ours, replace } = given();
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
    const { kernel, route, ours, replace } = given();
    const elsewhere = route(cidr, { table, type: 'blackhole', hops: [] });
    expect([...(await kernel.listRoutes(table))]).toEqual([]);
    await replace(elsewhere);
    expect([...(await kernel.listRoutes(table))]).toEqual([asStored(elsewhere)]);
    expect(await ours()).toEqual([]);
    expect(await kernel.writeRoutes([{ op: 'remove', route: { ...elsewhere, table: MAIN_TABLE } }])).toEqual([
      undefined,
    ]);
    expect([...(await kernel.listRoutes(table))]).toHaveLength(1);
    expect(await kernel.writeRoutes([{ op: 'remove', route: elsewhere }])).toEqual([undefined]);
    expect([...(await kernel.listRoutes(table))]).toEqual([]);
  });

  test('keeps routes of different metrics apart, and removes only the one asked for', async () => {
    const { kernel, route, ours, replace } = given();
    await replace(route('10.2.0.0/26', { metric: 512 }));
    await replace(route('10.2.0.0/26', { metric: 1024 }));
    expect(await kernel.writeRoutes([{ op: 'remove', route: route('10.2.0.0/26', { metric: 1024 }) }])).toEqual([
      undefined,
    ]);
    expect((await ours()).map(({ metric }) => metric)).toEqual([512]);
  });

  test('removing a route that is not there, or that is of another protocol, succeeds and removes nothing', async () => {
    const { kernel, route, ours, replace } = given();
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

  test.each<[string, string, string, Partial<KernelHop>]>([
    ['ENETUNREACH', '10.2.0.0/26', 'a gateway that its subnet led to', { gateway: parseIpAddress('10.1.0.2') }],
    ['ENETDOWN', '10.2.0.0/26', 'a gateway that is onlink', { gateway: parseIpAddress('10.9.0.2'), onlink: true }],
    ['ENETDOWN', '10.2.0.5/32', 'the link alone', {}],
    ['ENETDOWN', 'fd00:1::/122', 'a gateway that is onlink', { gateway: parseIpAddress('fe80::9'), onlink: true }],
    ['ENETDOWN', 'fd00:1::5/128', 'the link alone', {}],
  ])('refuses with %s a route to %s over a link that is down: %s', async (...[code, cidr, , hop]) => {
    const { kernel, near, route, ours } = given();
    await kernel.setLink(near.index, { up: false });
    const wanted = route(cidr, { hops: [{ onlink: false, ...hop, ifindex: near.index }] });
    expect((await kernel.writeRoutes([{ op: 'replace', route: wanted }]))[0]?.code).toBe(code);
    expect(await ours()).toEqual([]);
  });

  test('resolves by the longest prefix, then by the lowest metric', async () => {
    const { kernel, near, route, replace } = given();
    const by = (last: number, metric = 0) => ({
      metric,
      hops: [{ gateway: parseIpAddress(`10.1.0.${last}`), ifindex: near.index, onlink: false }],
    });
    for (const wanted of [
      route('10.2.0.0/26', by(3, 20)),
      route('10.2.0.0/16', by(2)),
      route('10.2.0.0/26', by(4, 10)),
      route('10.2.0.0/26', by(5, 30)),
    ])
      await replace(wanted);
    expect(await kernel.resolve(parseIpAddress('10.2.0.9'))).toMatchObject({ gateway: parseIpAddress('10.1.0.4') });
    expect(await kernel.resolve(parseIpAddress('10.2.1.9'))).toMatchObject({ gateway: parseIpAddress('10.1.0.2') });
  });

  test('resolves an address on the link, one behind a gateway, and one that no route leads to', async () => {
    const { kernel, near, route, replace } = given();
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
}
