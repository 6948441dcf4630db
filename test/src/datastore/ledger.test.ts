import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Request } from '../../../src/datastore/ledger.ts';
import { Ledger } from '../../../src/datastore/ledger.ts';
import type { Change } from '../../../src/datastore/store.ts';

const key = fc.constantFrom('/a', '/b', '/c');
const revision = fc.integer({ min: 1, max: 12 });
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('create' as const), key, value: fc.nat(9) }),
  fc.record({ type: fc.constant('update' as const), key, value: fc.nat(9), revision }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('delete' as const), key, revision }),
);

const attempt = (work: () => Change): Change | Error => {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
};

test('requests that are decided together come to what they come to one after the other, and nothing is applied', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 8 }), fc.array(request, { maxLength: 12 }), (earlier, together) => {
      const [one, other] = [new Ledger(), new Ledger()];
      const play = (ledger: Ledger, requests: readonly Request[]): readonly (Change | Error)[] =>
        requests.map((each) => {
          const decided = attempt(() => ledger.decide(each));
          if (!(decided instanceof Error)) ledger.apply(decided);
          return decided;
        });
      play(one, earlier);
      play(other, earlier);
      const before = other.revision;
      const decided = other.decideAll(together);
      expect(other.revision).toBe(before);
      expect(decided).toEqual(play(one, together));
      for (const change of decided) if (!(change instanceof Error)) other.apply(change);
      expect(other.list('/')).toEqual(one.list('/'));
    }),
  );
});
