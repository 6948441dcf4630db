import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longer, longerOctets, longerWords } from '../../../bird/rib/columns.ts';

test('a column keeps its rows however often it becomes longer, and the new ones are as they must be', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { minLength: 1, maxLength: 12 }), fc.constantFrom(0, -1), (sizes, filler) => {
      let columns = [new Int32Array(8).fill(filler), new Uint32Array(8), new Uint8Array(8)] as const;
      const expected: number[][] = columns.map((column) => [...column]);
      for (const [i, rows] of sizes.entries()) {
        const [numbers, words, octets] = columns;
        columns = [longer(numbers, rows, filler), longerWords(words, rows), longerOctets(octets, rows)];
        for (const [at, column] of columns.entries()) {
          const known = expected[at]!;
          expect(column.length).toBeGreaterThanOrEqual(rows);
          expect(column.length).toBeGreaterThan(known.length);
          while (known.length < column.length) known.push(at === 0 ? filler : 0);
          expect([...column]).toEqual(known);
          known[known.length - 1] = i + 1;
          column[column.length - 1] = i + 1;
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('is copied only where there is no room for what it shall have', () => {
  let column = new Int32Array(8);
  const buffers = new Set<ArrayBuffer>();
  for (; column.length < 100_000; buffers.add(column.buffer)) column = longer(column, column.length + 1, -1);
  expect(buffers.size).toBeLessThan(17);
});
