import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IntQueue } from '../../../bird/rib/int-queue.ts';
import { PathsOut } from '../../../bird/rib/adj-rib-out.ts';
import { AttributeCache } from '../../../bird/rib/attribute-cache.ts';
import { Holders, NOBODY, SEVERAL } from '../../../bird/rib/holders.ts';
import { Lane } from '../../../bird/rib/lane.ts';
import { PathTable } from '../../../bird/rib/path-table.ts';
import { ToldLane } from '../../../bird/rib/told-lane.ts';
import { PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import { parsePrefix } from '../../../src/model/ip.ts';

const memory = (): { readonly prefixes: PrefixTable; readonly attributes: AttributeCache } => ({
  prefixes: new PrefixTable(4, 1),
  attributes: new AttributeCache(canonicalAttributes, 1),
});

describe('attribute sets', () => {
  const set = {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [65001] }],
    nextHop: Uint8Array.of(10, 0, 0, 1),
  } as const;

  test('equal sets are one, and a set nobody holds is gone', () => {
    const { attributes } = memory();
    const id = attributes.intern(set);
    attributes.retain(id);
    expect(attributes.intern({ ...set, nextHop: Uint8Array.of(10, 0, 0, 1) })).toBe(id);
    expect(attributes.size).toBe(1);
    attributes.release(id);
    expect(attributes.size).toBe(0);
    expect(() => attributes.record(id)).toThrow('is not in the cache');
  });

  test('are found by the octets of a message until they are gone', () => {
    const { attributes } = memory();
    const id = attributes.intern(set);
    attributes.retain(id);
    const raw = Uint8Array.of(1, 2, 3);
    attributes.rememberRaw(raw, 3, id);
    expect(attributes.findRaw(raw, 3)).toBe(id);
    expect(attributes.findRaw(raw, 2)).toBe(-1);
    attributes.release(id);
    expect(attributes.findRaw(raw, 3)).toBe(-1);
  });

  test('AS_SET counts one and confederation segments nothing', () => {
    const { attributes } = memory();
    const id = attributes.intern({
      asPath: [
        { type: 'confed-sequence', asns: [1, 2] },
        { type: 'sequence', asns: [65001, 65002] },
        { type: 'set', asns: [7, 8, 9] },
      ],
    });
    expect(attributes.record(id)).toMatchObject({ asPathLength: 3, neighborAs: 65001, localPref: 100, origin: 2 });
  });
});

test('a lane counts received, accepted and stale, and lets go of all it held', () => {
  const held = memory();
  const rib = new Lane(1, held);
  const one = held.prefixes.internPrefix(parsePrefix('10.0.0.0/8'));
  const two = held.prefixes.internPrefix(parsePrefix('11.0.0.0/8'));
  const set = held.attributes.intern({ origin: 'igp' });
  const judged = (rejection: number) => ({ attributes: set, used: set, rejection });
  expect(rib.announce(one, judged(0))).toBe(true);
  expect(rib.announce(one, judged(0))).toBe(false);
  expect(rib.announce(two, judged(3))).toBe(false);
  expect([rib.received, rib.accepted, rib.rejection(two)]).toEqual([2, 1, 3]);
  rib.markStale();
  expect(rib.stale).toBe(2);
  rib.announce(one, judged(0));
  expect([rib.isStale(one), rib.isStale(two)]).toEqual([false, true]);
  expect(rib.judgeAgain(two, judged(0))).toBe(true);
  expect([rib.accepted, rib.isStale(two)]).toEqual([2, true]);
  for (const prefix of rib.prefixes()) rib.withdraw(prefix);
  expect([rib.received, rib.accepted, rib.stale, held.prefixes.size, held.attributes.size]).toEqual([0, 0, 0, 0, 0]);
});

describe('what a peer was told', () => {
  /** Takes everything that waits; each batch as `attributes: prefixes`. */
  function drain(rib: ToldLane): readonly string[] {
    const batches: string[] = [];
    let current: (number | string)[] = [];
    while (
      rib.take(
        (attributes) => (current = [attributes ?? 'withdraw']),
        (prefix) => current.push(prefix) > 0,
      )
    ) {
      batches.push(`${current[0]}: ${current.slice(1).sort().join()}`);
    }
    return batches;
  }

  function setUp(): { rib: ToldLane; sets: number[]; prefixes: number[]; held: ReturnType<typeof memory> } {
    const held = memory();
    const sets = [1, 2].map((med) => held.attributes.intern({ med }));
    const prefixes = [0, 1, 2, 3].map((i) => held.prefixes.internPrefix(parsePrefix(`10.${i}.0.0/16`)));
    for (const id of sets) held.attributes.retain(id);
    for (const id of prefixes) held.prefixes.retain(id);
    return { rib: new ToldLane(held.prefixes, held.attributes), sets, prefixes, held };
  }

  test('packs by attribute set, withdrawals first', () => {
    const { rib, sets, prefixes } = setUp();
    const [a, b, c, d] = prefixes as [number, number, number, number];
    rib.want(d, sets[0]);
    drain(rib);
    rib.want(a, sets[0]);
    rib.want(b, sets[1]);
    rib.want(c, sets[0]);
    rib.want(d, undefined);
    expect(drain(rib)).toEqual([`withdraw: ${d}`, `${sets[0]}: ${a},${c}`, `${sets[1]}: ${b}`]);
    expect([rib.advertised, rib.hasPending]).toEqual([3, false]);
  });

  test('a change that is taken back before it was sent is never sent', () => {
    const { rib, sets, prefixes } = setUp();
    rib.want(prefixes[0]!, sets[0]);
    drain(rib);
    rib.want(prefixes[0]!, sets[1]);
    rib.want(prefixes[0]!, undefined);
    expect(rib.want(prefixes[0]!, sets[0])).toBe(false);
    expect(drain(rib)).toEqual([]);
  });

  test('a batch that is full goes on with what did not fit', () => {
    const { rib, sets, prefixes } = setUp();
    for (const prefix of prefixes) rib.want(prefix, sets[0]);
    const sizes: number[] = [];
    let size = 0;
    while (
      rib.take(
        () => (size = 0),
        () => size < 3 && ++size > 0,
      )
    ) {
      sizes.push(size);
    }
    expect(sizes).toEqual([3, 1]);
  });

  test('after any changes and refreshes the peer knows what is wanted, and nothing is held that it does not know', () => {
    const changes = fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.constantFrom('', 'sync', 'refresh')), { maxLength: 60 });
    fc.assert(
      fc.property(changes, (list) => {
        const { rib, sets, prefixes, held } = setUp();
        const wanted = new Map<number, number>();
        const knows = new Map<number, number>();
        const sync = (): void => {
          let set: number | undefined;
          while (
            rib.take(
              (attributes) => (set = attributes),
              (prefix) => {
                if (set === undefined) expect(knows.delete(prefix)).toBe(true);
                else knows.set(prefix, set);
                return true;
              },
            )
          );
        };
        for (const [at, choice, then] of list) {
          const prefix = prefixes[at]!;
          const set = sets[choice];
          rib.want(prefix, set);
          if (set === undefined) wanted.delete(prefix);
          else wanted.set(prefix, set);
          if (then === 'sync') sync();
          if (then === 'refresh') for (const id of prefixes) rib.tellAgain(id, wanted.get(id));
        }
        sync();
        expect(knows).toEqual(wanted);
        for (let slot = 0; slot < rib.slots; slot++) rib.letGo(slot);
        for (const id of sets) held.attributes.release(id);
        for (const id of prefixes) held.prefixes.release(id);
        expect([held.attributes.size, held.prefixes.size]).toEqual([0, 0]);
      }),
    );
  });

  test('a refresh tells everything again', () => {
    const { rib, sets, prefixes } = setUp();
    rib.want(prefixes[0]!, sets[0]);
    rib.want(prefixes[1]!, sets[1]);
    drain(rib);
    rib.tellAgain(prefixes[0]!, sets[0]);
    expect(drain(rib)).toContain(`${sets[0]}: ${prefixes[0]}`);
  });
});

test('a refresh does not forget what is to be withdrawn', () => {
  const held = memory();
  const rib = new ToldLane(held.prefixes, held.attributes);
  const [prefix, set] = [held.prefixes.internPrefix(parsePrefix('10.0.0.0/8')), held.attributes.intern({ med: 1 })];
  rib.want(prefix, set);
  const take = (): unknown => {
    let batch: unknown;
    rib.take(
      (attributes) => (batch = attributes ?? 'withdraw'),
      () => true,
    );
    return batch;
  };
  expect(take()).toBe(set);
  rib.want(prefix, undefined);
  rib.tellAgain(prefix, undefined);
  expect([take(), take(), held.prefixes.size]).toEqual(['withdraw', undefined, 0]);
});

test('a peer that reads nothing costs no more the more its routes flap', () => {
  const held = memory();
  const rib = new ToldLane(held.prefixes, held.attributes);
  const sets = [1, 2].map((med) => held.attributes.intern({ med }));
  for (const set of sets) held.attributes.retain(set);
  const prefix = held.prefixes.internPrefix(parsePrefix('10.0.0.0/8'));
  for (let i = 0; i < 100_000; i++) rib.want(prefix, sets[i % 2]);
  expect(rib.queued).toBeLessThan(2000);
});

test('Holders uses the links of its lists again', () => {
  const holders = new Holders();
  for (let round = 0; round < 10; round++) {
    for (const holder of [1, 2, 3]) holders.add(5, holder);
    for (const holder of [2, 1, 3]) holders.remove(5, holder);
  }
  expect(holders.links).toBe(3);
});

test('IntQueue is a list, however it grows and shrinks', () => {
  const changes = fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { maxLength: 12 });
  fc.assert(
    fc.property(changes, fc.boolean(), (list, isLong) => {
      const queue = new IntQueue();
      const model: number[] = [];
      let next = 0;
      for (const [pushed, taken] of list) {
        for (let i = 0; i < (isLong ? pushed * 10 : pushed); i++) {
          model.push(next);
          queue.push(next++);
        }
        const left = Math.min(isLong ? taken * 12 : taken, model.length);
        expect(Array.from({ length: left }, () => queue.shift())).toEqual(model.splice(0, left));
        expect(queue.size).toBe(model.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('Holders is a Map of sets, whatever the order of coming and going', () => {
  /** Few prefixes, whose lists are long; or many, whose lists are so many that their columns grow, also between two links of one. */
  const changesOf = (prefixes: number) =>
    fc.array(fc.tuple(fc.constantFrom(true, true, false), fc.nat(prefixes), fc.nat(3)), {
      maxLength: 200,
      size: 'max',
    });
  fc.assert(
    fc.property(fc.oneof(changesOf(3), changesOf(40)), (list) => {
      const holders = new Holders();
      const model = new Map<number, Set<number>>();
      for (const [isIn, prefix, holder] of list) {
        const set = model.get(prefix) ?? new Set();
        model.set(prefix, set);
        if (isIn) {
          holders.add(prefix, holder);
          set.add(holder);
        } else {
          holders.remove(prefix, holder);
          set.delete(holder);
        }
        const [only] = set;
        expect(holders.only(prefix)).toBe(set.size > 1 ? SEVERAL : (only ?? NOBODY));
        expect([...holders.all(prefix)].sort()).toEqual([...set].sort());
      }
    }),
  );
});

test('a peer that takes several paths has a row for each, and none for what was withdrawn', () => {
  const { prefixes, attributes } = memory();
  const held = { prefixes, attributes, paths: new PathTable(prefixes) };
  const rib = new PathsOut(held);
  const set = held.attributes.intern({ med: 1 });
  held.attributes.retain(set);
  const prefix = held.prefixes.internPrefix(parsePrefix('10.0.0.0/8'));
  const drain = (): readonly string[] => {
    const batches: string[] = [];
    let sign = '';
    while (
      rib.take(
        (attributes) => (sign = attributes === undefined ? '-' : '+'),
        (_, path) => batches.push(`${sign}${path}`) > 0,
      )
    );
    return batches.sort();
  };
  for (const path of [7, 3]) rib.want(prefix, path, set);
  expect([drain(), rib.pathsOf(prefix), rib.advertised]).toEqual([['+3', '+7'], [3, 7], 2]);
  rib.want(prefix, 7, undefined);
  expect([rib.pathsOf(prefix), drain(), rib.pathsOf(prefix)]).toEqual([[3, 7], ['-7'], [3]]);
  for (let slot = 0; slot < rib.slots; slot++) rib.letGo(slot);
  held.attributes.release(set);
  expect([held.attributes.size, held.prefixes.size]).toEqual([0, 0]);
});
