import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeRevision, Ledger } from '../../../src/datastore/ledger.ts';
import type { Change, Write } from '../../../src/datastore/store.ts';

const key = fc.constantFrom('/a', '/b', '/c');
const revision = fc.integer({ min: 1, max: 12 });
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ type: fc.constant('create' as const), key, value: fc.nat(9) }),
  fc.record({ type: fc.constant('update' as const), key, value: fc.nat(9), revision }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('delete' as const), key, revision }),
);
/** What is to be done as one: no key twice. */
const unit = fc.uniqueArray(write, { selector: (one) => one.key, minLength: 1, maxLength: 3 });

/** One after the other, each applied before the next is decided; gives what each came to. */
const play = (ledger: Ledger, units: readonly (readonly Write[])[]): readonly (readonly Change[] | Error)[] =>
  units.map((writes) => {
    try {
      const changes = ledger.decide(writes);
      for (const change of changes) ledger.apply(change);
      return changes;
    } catch (error) {
      return error as Error;
    }
  });

test('writes that are decided in a row come to what they come to one after the other, and nothing is applied', () => {
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 8 }), fc.array(unit, { maxLength: 12 }), (earlier, row) => {
      const [one, other] = [new Ledger(), new Ledger()];
      play(one, earlier);
      play(other, earlier);
      const before = other.revision;
      const decided = other.decideEach(row);
      expect(other.revision).toBe(before);
      expect(decided).toEqual(play(one, row));
      for (const changes of decided) if (!(changes instanceof Error)) for (const change of changes) other.apply(change);
      expect(other.list('/')).toEqual(one.list('/'));
    }),
  );
});

test('of writes that are one, all are done or none; the first that may not be done says why', () => {
  const ledger = new Ledger();
  play(ledger, [[{ type: 'create', key: '/a', value: 1 }]]);
  const writes: readonly Write[] = [
    { type: 'update', key: '/a', value: 2, revision: 1 },
    { type: 'delete', key: '/missing' },
    { type: 'create', key: '/a', value: 3 },
  ];
  expect(() => ledger.decide(writes)).toThrow('/missing does not exist');
  const changes = ledger.decide([writes[0]!, { type: 'create', key: '/b', value: 1 }]);
  expect(changes.map(changeRevision)).toEqual([2, 3]);
});
