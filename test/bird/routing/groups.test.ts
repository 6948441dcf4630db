/** Peers that are told together, and those that are not for a while. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ExportGroup } from '../../../bird/update/export-group.ts';
import { Member } from '../../../bird/update/member.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = Array.from({ length: 8 }, (_, i) => `10.0.${i}.0/24`);

/** A peer that gives, and three that see the same of us. */
function setUp(): RoutingBench {
  const addresses = ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5'];
  const b = new RoutingBench(addresses.map((address, i) => ({ address, remoteAsn: 65001 + i })));
  b.sync();
  return b;
}

// eslint-disable-next-line max-params -- who, what, and how it is marked
const announce = (b: RoutingBench, at: number, prefixes: readonly string[], mark = 1): void => {
  for (const prefix of prefixes) b.announce(at, prefix, { attributes: attributesOf(mark) });
  b.settle();
};
const sizes = (b: RoutingBench): readonly number[] => b.told.map(({ size }) => size);
function behind(b: RoutingBench, at: number): number {
  const adjRibOut = b.peers[at]!.adjRibOut[4];
  return adjRibOut instanceof Member ? adjRibOut.behind : Number.NaN;
}

test('the same octets go to all of a group, and none to whom the routes came from', () => {
  const b = setUp();
  announce(b, 0, P);
  b.tell([0, 1, 2, 3]);
  expect(sizes(b)).toEqual([0, 8, 8, 8]);
  expect(new Set(b.together.map(({ buffer }) => buffer)).size).toBe(1);
  expect(b.peers.map(({ adjRibOut }) => adjRibOut[4].advertised)).toEqual([0, 8, 8, 8]);
});

test('what two peers give in one batch goes to each without its own', () => {
  const b = setUp();
  announce(b, 0, P.slice(0, 4));
  announce(b, 1, P.slice(4), 2);
  b.tell([0, 1, 2, 3]);
  expect(sizes(b)).toEqual([4, 4, 8, 8]);
});

describe('a peer without room', () => {
  test('is waited for, and where nobody waits any more left behind; then it catches up alone', () => {
    const b = setUp();
    announce(b, 0, P);
    expect(b.tell([0, 2, 3])).toEqual({ hasMore: false, waitingFor: 1 });
    expect(sizes(b)).toEqual([0, 0, 0, 0]);
    b.tell([0, 2, 3], true);
    expect(sizes(b)).toEqual([0, 0, 8, 8]);
    expect(b.peers[1]!.adjRibOut[4].advertised).toBe(0);
    b.sync();
    expect(sizes(b)).toEqual([0, 8, 8, 8]);
    b.together.length = 0;
    announce(b, 0, P.slice(0, 1), 2);
    b.tell([0, 1, 2, 3]);
    expect(b.together).toHaveLength(3);
  });

  test('looks on at each row, so that a turn of its group has fewer of them', () => {
    const many = Array.from({ length: 12_000 }, (_, i) => `10.${1 + (i >> 8)}.${i & 255}.0/24`);
    const b = setUp();
    announce(b, 0, many);
    expect(b.tell([0, 1, 2, 3]).hasMore).toBe(false);
    announce(b, 0, many, 2);
    expect(b.tell([0, 2, 3], true).hasMore).toBe(true);
    while (b.tell([0, 2, 3], true).hasMore);
    expect([sizes(b), behind(b, 1)]).toEqual([[0, 12_000, 12_000, 12_000], 12_000]);
  });

  test('costs no more the more its routes change, and hears nothing of what was taken back', () => {
    const b = setUp();
    announce(b, 0, P);
    b.sync();
    for (let i = 0; i < 50; i++) {
      announce(b, 0, P, 1 + ((i + 1) % 2));
      b.tell([0, 2, 3], true);
      expect(behind(b, 1)).toBeLessThanOrEqual(P.length);
    }
    const messages = b.octets[1]!.length;
    expect(behind(b, 1)).toBe(0);
    b.sync();
    expect([b.octets[1]!.length, sizes(b)]).toEqual([messages, [0, 8, 8, 8]]);
  });

  test('is not left behind where nobody has room: there is nobody to wait less', () => {
    const b = setUp();
    announce(b, 0, P);
    expect(b.tell([], true)).toEqual({ hasMore: false, waitingFor: 0 });
    b.tell([0, 1, 2, 3]);
    expect(sizes(b)).toEqual([0, 8, 8, 8]);
  });

  test('may go, and leaves nothing', () => {
    const b = setUp();
    announce(b, 0, P);
    b.tell([2, 3], true);
    b.down(1);
    announce(b, 0, P, 2);
    b.tell([0, 2, 3]);
    b.sync();
    expect(b.held()).toEqual([0, 0, 0]);
  });
});

describe('a peer that moves to another group', () => {
  /** Another view of us that comes to the same. */
  const exportFilters = [{ name: 'none', rules: [{ family: 4, action: 'reject', match: { community: 77 } }] }] as const;

  test('hears nothing where nothing differs, also while the new group is being filled', () => {
    const b = setUp();
    announce(b, 0, P);
    b.sync();
    const before = b.octets[2]!.length;
    b.adjust(2, { exportFilters });
    for (let i = 0; i < 3; i++) {
      b.pump(2);
      b.routing.settle(1);
    }
    b.sync();
    expect([b.octets[2]!.length - before, b.told[2]!.size]).toEqual([0, 8]);
  });

  test('has withdrawn what the old group was told, however far its rows reach beyond those of the new', () => {
    const b = setUp();
    const many = Array.from({ length: 40 }, (_, i) => `10.1.${i}.0/24`);
    announce(b, 0, many);
    // Alone in its group, which is told nothing more when it leaves.
    b.adjust(2, { exportFilters });
    b.sync();
    for (const prefix of many) b.withdraw(0, prefix);
    b.settle();
    b.adjust(2, { exportFilters: [{ ...exportFilters[0], name: 'another' }] });
    b.sync();
    expect([sizes(b), b.held()]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('hears everything again where it has asked for that, though its policy changes meanwhile', () => {
    const b = setUp();
    announce(b, 0, P);
    b.sync();
    b.routing.refresh(b.peers[2]!, 4);
    // BoRR is said, and nothing of what follows.
    b.routing.nextRefresh(b.peers[2]!, 4);
    b.told[2]!.clear();
    b.adjust(2, { exportFilters });
    b.sync();
    expect(b.told[2]!.size).toBe(8);
  });
});

describe('a peer that moves to a group that is told another next hop of the same routes', () => {
  const THEIRS = '10,8,0,1';
  const hopOf = (b: RoutingBench, at: number): readonly string[] => [
    ...new Set([...b.told[at]!.values()].map(({ nextHop }) => String(nextHop))),
  ];

  test('is told it, and told ours again when it comes back', () => {
    const b = setUp();
    announce(b, 0, P);
    b.sync();
    const ours = hopOf(b, 2);
    b.adjust(2, { nextHop: 'keep' });
    b.sync();
    expect([hopOf(b, 2), hopOf(b, 3)]).toEqual([[THEIRS], ours]);
    b.adjust(2, { nextHop: 'auto' });
    b.sync();
    expect([hopOf(b, 2), sizes(b), b.held()]).toEqual([ours, [0, 8, 8, 8], [0, 0, 0]]);
  });

  test('keeps what it was told as it was told, where it has no room meanwhile', () => {
    const b = setUp();
    announce(b, 0, P);
    b.sync();
    const ours = hopOf(b, 2);
    announce(b, 0, P.slice(0, 4), 2);
    b.tell([0, 1, 3], true);
    b.adjust(2, { nextHop: 'keep' });
    announce(b, 0, P.slice(0, 4), 1);
    b.tell([0, 1, 3], true);
    expect(hopOf(b, 2)).toEqual(ours);
    b.sync();
    expect([hopOf(b, 2), b.held()]).toEqual([[THEIRS], [0, 0, 0]]);
  });
});

describe('what only looks different to us is not said', () => {
  test('a MED that stays in its AS (RFC 4271 §5.1.4)', () => {
    const b = setUp();
    for (const med of [1, 2]) {
      for (const prefix of P) b.announce(0, prefix, { attributes: attributesOf(1, { med }) });
      b.sync();
      expect([b.octets[2]!.length, sizes(b)]).toEqual([1, [0, 8, 8, 8]]);
    }
    expect(b.held()).toEqual([0, 0, 0]);
  });

  /** One outside that gives, one within, and one outside that is told. */
  const mixed = (): RoutingBench => {
    const b = new RoutingBench([
      { address: '10.9.0.2', remoteAsn: 65001 },
      { address: '10.9.0.3', remoteAsn: 64512 },
      { address: '10.9.0.4', remoteAsn: 65003 },
    ]);
    b.sync();
    return b;
  };

  test('the same path by another peer of ours, which is no other to those outside', () => {
    const b = mixed();
    for (const from of [0, 1]) {
      b.withdraw(1 - from, P[0]!);
      announce(b, from, P.slice(0, 1));
      b.sync();
      expect([b.octets[2]!.length, b.has(2, P[0]!)]).toEqual([1, ['1']]);
    }
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test.each([1, 2])(
    'nor does it keep anything from the prefixes that come with it, where %i of two are not new',
    (known) => {
      const b = mixed();
      announce(b, 0, P.slice(0, known));
      b.sync();
      for (const prefix of P.slice(0, 2)) b.announce(1, prefix, { attributes: attributesOf(1, { localPref: 200 }) });
      b.sync();
      expect([sizes(b), b.held()]).toEqual([
        [2, 0, 2],
        [0, 0, 0],
      ]);
    },
  );
});

describe('a bug in the export of one route', () => {
  afterEach(() => vi.restoreAllMocks());

  /** The second call of a method throws. */
  const breakSecond = (method: 'told' | 'encodedSet'): void => {
    const original = Reflect.get(ExportGroup.prototype, method) as (...given: readonly unknown[]) => number;
    let calls = 0;
    vi.spyOn(ExportGroup.prototype, method as 'told').mockImplementation(function (this: ExportGroup, ...given) {
      if (++calls === 2) throw new Error('a bug');
      return Reflect.apply(original, this, given);
    });
  };

  test.each(['told', 'encodedSet'] as const)('in %s costs that route alone', (method) => {
    const b = setUp();
    // One by one another set, so that each is looked at and encoded by itself.
    for (const [i, prefix] of P.slice(0, 3).entries()) b.announce(0, prefix, { attributes: attributesOf(i + 1) });
    b.settle();
    breakSecond(method);
    expect(() => b.tell([0, 1, 2, 3])).toThrow('a bug');
    expect(b.has(2, P[0]!)).toEqual(['1']);
    vi.restoreAllMocks();
    const { octets } = b;
    const before = octets[2]!.length;
    announce(b, 1, P.slice(4), 9);
    b.sync();
    expect([P[0]!, P[1]!, P[2]!, P[4]!].map((prefix) => b.has(2, prefix))).toEqual([['1'], [], ['3'], ['9']]);
    expect(octets[2]!.length - before).toBeLessThanOrEqual(2);
    expect(b.routing.attributes.size).toBeGreaterThan(0);
    expect(b.held()).toEqual([0, 0, 0]);
  });
});

test('a route that comes to be of another peer is withdrawn from that one, and told to whose it was', () => {
  const b = setUp();
  announce(b, 1, P.slice(0, 1), 1);
  b.sync();
  expect(sizes(b)).toEqual([1, 0, 1, 1]);
  announce(b, 0, P.slice(0, 1), 1);
  b.sync();
  expect(b.peers.map(({ adjRibOut }) => adjRibOut[4].advertised)).toEqual(sizes(b));
  b.withdraw(0, P[0]!);
  b.withdraw(1, P[0]!);
  b.sync();
  expect([sizes(b), b.held()]).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0],
  ]);
});
