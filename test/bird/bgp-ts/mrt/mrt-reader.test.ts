import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_OCTETS, MrtReader } from '../../../../bird/bgp-ts/mrt/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';
import { mrt, samples } from './samples.ts';

const records = samples.map(({ octets }) => octets);
const file = bytes(...records.map(hex));
const wanted = records.map(hex);

interface Cut {
  readonly found: readonly string[];
  readonly said?: readonly string[];
  readonly end: string | undefined;
}

function cut(chunks: readonly Uint8Array[], reader = new MrtReader()): Cut {
  const found: string[] = [];
  const said: string[] = [];
  for (const chunk of chunks) {
    const memory = Uint8Array.from(chunk);
    reader.push(memory);
    memory.fill(0xee);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.kind === 'frame') found.push(hex(next.bytes));
      else said.push(next.text);
    }
  }
  return { found, ...(said.length > 0 && { said }), end: reader.end() };
}

describe('MrtReader', () => {
  test('finds the same records wherever a file is split', () => {
    for (let at = 0; at <= file.length; at++) {
      expect(cut([file.subarray(0, at), file.subarray(at)])).toEqual({ found: wanted, end: undefined });
    }
  });

  test('and in chunks of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (size) => {
        const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
          file.subarray(i * size, (i + 1) * size),
        );
        expect(cut(chunks)).toEqual({ found: wanted, end: undefined });
      }),
    );
  });

  test('takes records larger than its first buffer, in small chunks', () => {
    const large = mrt(11, 0, 'ab'.repeat(200_000));
    const stream = Uint8Array.from([...records[0]!, ...large, ...records[1]!]);
    const chunks = Array.from({ length: Math.ceil(stream.length / 1000) }, (_, i) =>
      stream.subarray(i * 1000, (i + 1) * 1000),
    );
    expect(cut(chunks)).toEqual({ found: [wanted[0], hex(large), wanted[1]], end: undefined });
  });

  test('says at the end that a record is not all there', () => {
    const [first] = records;
    for (let end = 1; end < first!.length; end++) {
      const text = `the file ends within a record, ${end} octets of it are there`;
      expect(cut([first!.subarray(0, end)])).toEqual({ found: [], end: text });
    }
    expect(cut([])).toEqual({ found: [], end: undefined });
  });

  test('stops at a record longer than its limit as soon as the header is there, and for good', () => {
    const [first] = records;
    const long = mrt(11, 0, '00'.repeat(89));
    const limited = new MrtReader(100);
    expect(cut([first!, long.subarray(0, 11)], limited)).toMatchObject({ found: [hex(first!)] });
    const text = 'a record of 101 octets is longer than 100';
    expect(cut([long.subarray(11, 12)], limited)).toEqual({ found: [], said: [text], end: text });
    expect(cut([long.subarray(12), first!], limited)).toEqual({ found: [], end: text });
    const fits = mrt(11, 0, '00'.repeat(88));
    expect(cut([fits], new MrtReader(100))).toEqual({ found: [hex(fits)], end: undefined });
  });

  test('a file of noise is stopped at 16 MiB', () => {
    expect(MAX_RECORD_OCTETS).toBe(16 * 1024 * 1024);
    expect(cut([bytes('00000000 0000 0000 00fffff4')]).end).toBe(
      'the file ends within a record, 12 octets of it are there',
    );
    expect(cut([bytes('00000000 0000 0000 00fffff5')]).end).toBe('a record of 16777217 octets is longer than 16777216');
    expect(cut([bytes('ff'.repeat(12))]).end).toBe('a record of 4294967307 octets is longer than 16777216');
  });
});
