import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asStored } from '../../../felix/routes/kernel-route.ts';
import type { KernelHop, KernelRoute, RouteChange } from '../../../felix/routes/kernel-route.ts';
import { BatchWriter } from '../../../felix/netlink/batch-writer.ts';
import { decodeMessages } from '../../../felix/netlink/header.ts';
import { RouteReader, decodeRoute } from '../../../felix/netlink/route-reader.ts';
import { writeRouteChange } from '../../../felix/netlink/route.ts';
import { addressBits, parsePrefix, prefixOf } from '../../../src/model/ip.ts';
import type { IpAddress, IpFamily } from '../../../src/model/ip.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const addressOf = (family: IpFamily): fc.Arbitrary<IpAddress> =>
  fc
    .array(word, { minLength: family === 4 ? 1 : 4, maxLength: family === 4 ? 1 : 4 })
    .map((words) => ({ family, words }));
const anyAddress = fc.oneof(addressOf(4), addressOf(6));

const hop: fc.Arbitrary<KernelHop> = fc.record(
  { gateway: anyAddress, ifindex: fc.integer({ min: 1, max: 0x7fff_ffff }), onlink: fc.boolean() },
  { requiredKeys: ['ifindex', 'onlink'] },
);

const routeOf = (family: IpFamily): fc.Arbitrary<KernelRoute> =>
  fc.record(
    {
      prefix: fc
        .tuple(addressOf(family), fc.integer({ min: 0, max: addressBits(family) }))
        .map(([address, length]) => prefixOf(address, length)),
      table: fc.oneof(fc.constant(254), fc.integer({ min: 1, max: 100_000 })),
      protocol: fc.integer({ min: 0, max: 255 }),
      type: fc.constant('unicast' as const),
      scope: fc.constantFrom(0, 253),
      metric: word,
      tos: fc.integer({ min: 1, max: 255 }),
      hops: fc.array(hop, { maxLength: 5 }),
      source: addressOf(family),
      mtu: fc.integer({ min: 68, max: 65535 }),
    },
    { requiredKeys: ['prefix', 'table', 'protocol', 'type', 'scope', 'metric', 'hops'] },
  );

/** As most of a full table are: over one of two hops, and at times with one thing more than that. */
const plainRoute: fc.Arbitrary<KernelRoute> = fc
  .record({
    prefix: word.map((address) => prefixOf({ family: 4, words: [address] }, 26)),
    table: fc.constant(254),
    protocol: fc.constantFrom(80, 12),
    type: fc.constant('unicast' as const),
    scope: fc.constantFrom(0, 253),
    metric: fc.constantFrom(0, 7),
    hops: fc.boolean().map((onlink) => [{ gateway: { family: 4, words: [7] }, ifindex: 3, onlink }] as const),
    more: fc.constantFrom({}, {}, {}, { tos: 8 }, { mtu: 1400 }, { source: { family: 4, words: [9] } } as const),
  })
  .map(({ more, ...route }) => ({ ...route, ...more }));

/** The bodies of the changes' messages. */
function encode(...changes: readonly RouteChange[]): readonly Uint8Array[] {
  const batch = new BatchWriter(1);
  for (const change of changes) writeRouteChange(batch, change);
  return decodeMessages(batch.finish().octets).map(({ body }) => body);
}

const encodeRoute = (route: KernelRoute): Uint8Array => encode({ op: 'replace', route })[0]!;

describe('a route on the wire', () => {
  test('a list of them holds what each by itself is, of one table', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(routeOf(4), routeOf(6), plainRoute), { maxLength: 20, size: 'max' }), (routes) => {
        const reader = new RouteReader(254);
        for (const route of routes) reader.read(encodeRoute(route));
        const listed = routes.filter(({ table }) => table === 254);
        expect([...reader.list]).toEqual(listed);
        expect(reader.list.size).toBe(listed.length);
      }),
    );
  });

  test('those over one hop share all but their prefix, where nothing else differs', () => {
    const reader = new RouteReader(254);
    const at = (cidr: string, others: Partial<KernelRoute> = {}): Uint8Array => {
      const hops = [{ gateway: { family: 4, words: [7] } as const, ifindex: 3, onlink: true }];
      const base = { table: 254, protocol: 80, type: 'unicast', scope: 0, metric: 0, hops } as const;
      return encodeRoute({ prefix: parsePrefix(cidr), ...base, ...others });
    };
    for (const message of [at('10.0.0.0/26'), at('10.0.0.64/26'), at('10.0.0.128/26', { protocol: 4 })]) {
      reader.read(message);
    }
    const [first, second, third] = [...reader.list.entries()].map(([, body]) => body);
    expect(second).toBe(first);
    expect(third).toEqual({ ...first, protocol: 4 });
  });

  test('is read back as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(routeOf(4), routeOf(6)), (route) => {
        expect(decodeRoute(encodeRoute(route))).toEqual(route);
      }),
    );
  });

  test('cut anywhere, it is an error or a route, never a hang or a crash of another kind', () => {
    fc.assert(
      fc.property(routeOf(6), fc.nat(200), (route, length) => {
        const octets = encodeRoute(route);
        const cut = octets.subarray(0, Math.max(12, octets.length - length));
        try {
          decodeRoute(cut);
        } catch (error) {
          expect((error as Error).message).toMatch(/octets, \d+ are left|neither IPv4 nor IPv6|bounds/);
        }
      }),
    );
  });

  test('a removal in IPv6 names the metric that the kernel put for 0, or it would match any', () => {
    const route = { prefix: parsePrefix('fd00::/64'), table: 254, protocol: 80, metric: 0 };
    const [body] = encode({ op: 'remove', route });
    expect(decodeRoute(body!)).toMatchObject({ metric: 1024, protocol: 80, type: 'unspec', scope: 255 });
    const written = { ...route, type: 'blackhole', scope: 253, hops: [] } as const;
    expect(asStored(written)).toMatchObject({ metric: 1024, scope: 0 });
  });
});
