import { expect, test } from 'vitest';
import { AttributeCache } from '../../../bird/rib/attribute-cache.ts';
import { ABSENT } from '../../../bird/rib/int-table.ts';
import { PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { Batch, NO_PEER } from '../../../bird/update/batch.ts';
import type { BatchView } from '../../../bird/update/batch.ts';
import { Member } from '../../../bird/update/member.ts';
import { SharedRibOut } from '../../../bird/update/shared-rib-out.ts';
import { asTold, ToldSets } from '../../../bird/update/told-sets.ts';
import { plainContext } from '../../../bird/wire.ts';

const LIMIT = 4;
const PEER = 7;

test('a slow peer is told of a route that changes once, though as many as it takes at a time change all the time', () => {
  const memory = { prefixes: new PrefixTable(4, 1), attributes: new AttributeCache() };
  const sets = [1, 2, 3].map((med) => memory.attributes.intern({ origin: 'igp', asPath: [], med }));
  for (const set of sets) memory.attributes.retain(set);
  const wanted = new Map<number, number>();
  const wish = {
    target: ABSENT,
    from: NO_PEER,
    forget: () => undefined,
    look: (prefix: number): void => {
      const set = wanted.get(prefix);
      wish.target = set === undefined ? ABSENT : asTold(set);
    },
  };
  const rib = new SharedRibOut({ ...memory, toldSets: new ToldSets(memory.attributes) }, wish, () => undefined);
  rib.isFilled = true;
  const ids = Array.from({ length: LIMIT + 1 }, (_, i) => {
    const prefix = memory.prefixes.intern(i << 8, 0, 0, 0, 24);
    memory.prefixes.retain(prefix);
    return prefix;
  });
  const member = new Member(PEER, rib, memory);
  const [own, others] = [new Batch(), new Batch()];
  const encodedSet = () => ({ block: new Uint8Array(), blockLength: 0, nextHop: undefined });
  const view: BatchView = { prefixes: memory.prefixes, send: plainContext, encodedSet };
  const change = (prefixes: readonly number[], set: number): void => {
    for (const prefix of prefixes) {
      wanted.set(prefix, set);
      rib.touch(prefix);
    }
    rib.tell(100, others);
    others.encode(view);
  };
  const take = (): boolean => {
    const hasMore = member.take(LIMIT, own);
    own.encode(view);
    return hasMore;
  };
  change(ids, sets[0]!);
  while (take());
  expect(member.isApart).toBe(false);
  member.fallBehind();
  change(ids, sets[1]!);
  const last = ids.at(-1)!;
  let turns = 0;
  for (; turns < 20 && member.told(last)?.med !== 2; turns++) {
    take();
    change(ids.slice(0, LIMIT), sets[turns % 2 === 0 ? 2 : 1]!);
  }
  expect(turns).toBeLessThan(5);
});
