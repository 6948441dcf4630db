import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IPAM_CONFIG_KEY, resourceKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { createIpam, PoolsExhaustedError } from '../../../src/ipam/index.ts';
import { formatIpAddress, parseIpAddress, parsePrefix, prefixContainsAddress } from '../../../src/model/ip.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';

const ports = { clock: systemClock, random: () => 0 };
const reserve = (store: MemoryStore, name: string, reservedCIDRs: unknown) =>
  store.create(resourceKey({ plural: 'ipreservations', name }), { spec: { reservedCIDRs } as never });

describe.each([
  ['10.65.0.0/29', 30, '10.65.0.0/30', '10.65.0.5'],
  ['fd00::/125', 126, 'fd00::/126', 'fd00::5'],
])('with %s kept back in part', (cidr, ...[blockSize, whole, single]) => {
  const pools = [pool(cidr, blockSize)];

  test('neither a claimed block nor a borrowed place gives what is reserved', async () => {
    const store = new MemoryStore();
    await reserve(store, 'r1', [whole]);
    await reserve(store, 'r2', [single]);
    const ipam = createIpam(store, ports);
    const got = await assign(ipam, 'n1', 'h1', pools, 2);
    const borrowed = await assign(ipam, 'n2', 'h2', pools, 9);
    expect([...got.texts, ...borrowed.texts].sort()).toEqual(
      [4, 6, 7].map((last) => single.replace(/5$/, String(last))).sort(),
    );
    await expect(assign(ipam, 'n1', 'h3', pools)).rejects.toThrow(PoolsExhaustedError);
    expect(await checkInvariants(store)).toBe(3);
  });

  test('what was assigned before stays, and is not given again once it is free', async () => {
    const store = new MemoryStore();
    const ipam = createIpam(store, ports);
    await assign(ipam, 'n1', 'h1', pools, 8);
    await reserve(store, 'r', [cidr]);
    expect(await ipam.assignmentsOf('h1')).toHaveLength(8);
    await ipam.releaseByHandle('h1');
    await expect(assign(ipam, 'n1', 'h2', pools)).rejects.toThrow(PoolsExhaustedError);
    await store.delete(resourceKey({ plural: 'ipreservations', name: 'r' }));
    expect((await assign(ipam, 'n1', 'h2', pools)).texts).toHaveLength(1);
  });
});

test('a reserved place keeps its turn in the queue', async () => {
  const store = new MemoryStore();
  const ipam = createIpam(store, ports);
  const pools = [pool('10.65.0.0/30', 30)];
  await reserve(store, 'r', ['10.65.0.0', '10.65.0.2']);
  expect((await assign(ipam, 'n1', 'h1', pools, 4)).texts).toEqual(['10.65.0.1', '10.65.0.3']);
  await store.delete(resourceKey({ plural: 'ipreservations', name: 'r' }));
  expect((await assign(ipam, 'n1', 'h2', pools, 4)).texts).toEqual(['10.65.0.0', '10.65.0.2']);
});

test('from a reservation that cannot be read nothing is guessed', async () => {
  const store = new MemoryStore();
  await reserve(store, 'r', ['10.65.0.0/33']);
  await expect(assign(createIpam(store, ports), 'n1', 'h1', [pool('10.65.0.0/29', 30)])).rejects.toThrow(
    "/calico/resources/v3/projectcalico.org/ipreservations/r spec.reservedCIDRs = '10.65.0.0/33'",
  );
});

test('whatever is reserved, and of whatever size the blocks, all that is free is given and nothing else', async () => {
  const shapes = fc.constantFrom<[string, number]>(
    ...['10.64.0.0', 'fd00::'].flatMap((first) =>
      [0, 1, 2, 4, 6].flatMap((bits) => {
        const total = first.includes(':') ? 128 : 32;
        return [0, 1, 2].map((more): [string, number] => [`${first}/${total - bits - more}`, total - bits]);
      }),
    ),
  );
  const networks = fc.array(fc.record({ place: fc.nat(255), length: fc.nat(6) }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(shapes, networks, fc.nat(3), async ([cidr, blockSize], some, nodes) => {
      const store = new MemoryStore();
      await store.create(IPAM_CONFIG_KEY, { strict_affinity: false });
      const [v6, { length }] = [cidr.includes(':'), parsePrefix(cidr)];
      const total = v6 ? 128 : 32;
      const reserved = some.map((one) => {
        const address = v6 ? `fd00::${one.place.toString(16)}` : `10.64.0.${one.place}`;
        return `${address}/${total - one.length}`;
      });
      await reserve(store, 'r', reserved);
      const masked = some.map((one) => ({ first: one.place - (one.place % 2 ** one.length), size: 2 ** one.length }));
      const free = Array.from({ length: 2 ** (total - length) }, (_, place) => place).filter(
        (place) => !masked.some(({ first, size }) => place >= first && place < first + size),
      );
      const got = new Set<string>();
      for (let i = 0; i <= nodes; i++) {
        const ipam = createIpam(store, ports);
        const texts = await assign(ipam, `n${i}`, `h${i}`, [pool(cidr, blockSize)], 2 ** (total - length)).then(
          ({ texts }) => texts,
          (error: unknown) => {
            if (!(error instanceof PoolsExhaustedError)) throw error;
            return [];
          },
        );
        for (const text of texts) {
          expect(got.has(text)).toBe(false);
          got.add(text);
        }
      }
      const expected = free.map((place) => (v6 ? `fd00::${place.toString(16)}` : `10.64.0.${place}`));
      const texts = expected.map((text) => formatIpAddress(parseIpAddress(text)));
      expect([...got].sort()).toEqual(texts.sort());
      for (const text of got) expect(prefixContainsAddress(parsePrefix(cidr), parseIpAddress(text))).toBe(true);
      await checkInvariants(store);
    }),
    { numRuns: 120 },
  );
});
