import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSame } from '../../../src/model/same.ts';

/** The same by its text: fields in one order, and none that is undefined. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const { data } = fc.letrec<{ data: unknown }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0, 1, '', 'a', true, false, null),
    fc.array(tie('data'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(tie('data'), fc.constant(undefined)), { maxKeys: 3 }),
  ),
}));

test('whatever is compared: the same where its text is', () => {
  fc.assert(
    fc.property(data, data, (a, b) => isSame(a, b) === (text(a) === text(b))),
    { numRuns: 2000 },
  );
});

test('a copy is the same, whatever the order of its fields, until one value is another', () => {
  const copy = (value: unknown): unknown => JSON.parse(text(value)) as unknown;
  fc.assert(fc.property(data, (value) => isSame(value, copy(value))));
  expect(isSame({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1 })).toBe(true);
  expect(isSame({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 3 }], a: 1 })).toBe(false);
});

test.each([
  ['an absent field and an undefined one', { a: 1 }, { a: 1, b: undefined }, true],
  ['a longer list', [1], [1, 2], false],
  ['a list and its look-alike', [1], { 0: 1 }, false],
  ['nothing and no fields', null, {}, false],
])('%s', (...[, a, b, same]) => {
  expect([isSame(a, b), isSame(b, a)]).toEqual([same, same]);
});
