import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Holders, NOBODY, SEVERAL } from '../../../bird/rib/holders.ts';

const PREFIXES = 4;
const HOLDERS = 4;

const steps = fc.array(
  fc.record({
    act: fc.constantFrom(
      'add' as const,
      'addNew' as const,
      'addFirst' as const,
      'remove' as const,
      'removeOnly' as const,
    ),
    prefix: fc.nat(PREFIXES - 1),
    holder: fc.nat(HOLDERS - 1),
  }),
  { maxLength: 60 },
);

test('whoever comes and goes: the lists are in order of coming, and who holds anything at all is known', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const holders = new Holders();
      const model: number[][] = Array.from({ length: PREFIXES }, () => []);
      for (const { act, prefix, holder } of list) {
        const own = model[prefix]!;
        const isIn = own.includes(holder);
        const isAlone = own.length === 1 && isIn;
        if (act === 'add') expect(holders.add(prefix, holder)).toBe(!isIn);
        else if (act === 'addFirst') expect(holders.addFirst(prefix, holder)).toBe(own.length === 0);
        else if (act === 'removeOnly') expect(holders.removeOnly(prefix, holder)).toBe(isAlone);
        else if (act === 'remove') holders.remove(prefix, holder);
        else if (!isIn) holders.addNew(prefix, holder);
        const comes = act === 'add' || act === 'addNew' ? !isIn : act === 'addFirst' && own.length === 0;
        const goes = act === 'remove' ? isIn : act === 'removeOnly' && isAlone;
        if (comes) own.push(holder);
        if (goes) own.splice(own.indexOf(holder), 1);
        const [first = NOBODY, ...others] = own;
        expect([holders.all(prefix), holders.only(prefix)]).toEqual([own, others.length > 0 ? SEVERAL : first]);
        for (let each = 0; each < HOLDERS; each++) {
          const others = new Set(model.flat().filter((holding) => holding !== each)).size;
          expect([holders.holdsAny(each), holders.othersThan(each)]).toEqual([model.flat().includes(each), others]);
        }
      }
    }),
    { numRuns: 500 },
  );
});
