import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkNlri,
  IPV4_UNICAST,
  IPV6_UNICAST,
  nlriOctets,
  walkNlri,
  writeNlri,
  writePathId,
} from '../../../../bird/bgp-ts/index.ts';
import { bytes } from '../../../support/bgp-bytes.ts';

const families = [
  ['IPv4', IPV4_UNICAST, 32],
  ['IPv6', IPV6_UNICAST, 128],
] as const;

type Entry = readonly [pathId: number, w0: number, w1: number, w2: number, w3: number, length: number];

const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** The bits of a word that a prefix of `length` bits has, by plain arithmetic. */
const kept = (value: number, length: number): number => {
  const bits = Math.min(32, Math.max(0, length));
  return value - (value % 2 ** (32 - bits));
};

describe.each(families)('%s prefixes', (_, family, bits) => {
  const entry = fc.tuple(word, word, word, word, word, fc.nat(bits)).map(([pathId, w0, w1, w2, w3, length]): Entry => {
    const words = [w0, w1, w2, w3].map((value, i) => (i * 32 < bits ? kept(value, length - i * 32) : 0));
    return [pathId, words[0]!, words[1]!, words[2]!, words[3]!, length];
  });

  test.each([false, true])('what is written is walked again, with ADD-PATH %s', (addPath) => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.nat(9), (entries, start) => {
        const octets = entries.reduce((sum, [, , , , , length]) => sum + nlriOctets(length, addPath), 0);
        const target = new Uint8Array(start + octets).fill(0xaa);
        let at = start;
        for (const [pathId, w0, w1, w2, w3, length] of entries) {
          if (addPath) at = writePathId(target, at, pathId);
          at = writeNlri(target, at, w0, w1, w2, w3, length);
        }
        expect(at).toBe(target.length);
        const walked: Entry[] = [];
        const shape = { family, addPath };
        expect(walkNlri(target, start, at, shape, (...found) => walked.push(found))).toBeUndefined();
        expect(checkNlri(target, start, at, shape)).toBeUndefined();
        expect(walked).toEqual(addPath ? entries : entries.map(([, ...rest]) => [0, ...rest]));
      }),
    );
  });

  test.each([false, true])('checkNlri finds the fault that walkNlri finds, with ADD-PATH %s', (addPath) => {
    const shape = { family, addPath };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
        const walked = walkNlri(octets, 0, octets.length, shape, () => undefined);
        expect(checkNlri(octets, 0, octets.length, shape)?.text).toBe(walked?.text);
      }),
      { numRuns: 500 },
    );
  });

  test('host bits are cleared at every length', () => {
    const ones = new Uint8Array(1 + bits / 8).fill(0xff);
    for (let length = 0; length <= bits; length++) {
      ones[0] = length;
      walkNlri(ones, 0, 1 + Math.ceil(length / 8), { family, addPath: false }, (...walked) => {
        const expected = [0, 32, 64, 96].map((start) => kept(0xffff_ffff, length - start));
        expect(walked.slice(1, 5)).toEqual(expected);
      });
    }
  });

  test('a length above the family, an overrun and a lone path identifier are 3/10', () => {
    const walk = (hex: string, addPath = false): unknown => {
      const octets = bytes(hex);
      return walkNlri(octets, 0, octets.length, { family, addPath }, () => undefined);
    };
    expect(walk(`${(bits + 1).toString(16)}${'00'.repeat(17)}`)).toMatchObject({ code: [3, 10] });
    expect(walk('18 0a00')).toMatchObject({ code: [3, 10] });
    expect(walk('00000001', true)).toMatchObject({ code: [3, 10] });
    expect(walk('000000', true)).toMatchObject({ code: [3, 10] });
  });
});

test('a family without plain prefixes cannot be walked, and of one that nobody decodes nothing is judged', () => {
  const shape = { family: { afi: 25, safi: 70 }, addPath: false };
  expect(walkNlri(bytes('00'), 0, 1, shape, () => undefined)).toMatchObject({ code: [3, 10] });
  expect(checkNlri(bytes('00'), 0, 1, shape)).toBeUndefined();
});
