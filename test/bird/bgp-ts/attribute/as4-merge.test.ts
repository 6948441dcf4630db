import { describe, expect, test } from 'vitest';
import type { AsSegment, PathAttributes } from '../../../../bird/bgp-ts/index.ts';
import { asPathLength, decodeAttributes, encodeAttributes, formatAsPath } from '../../../../bird/bgp-ts/index.ts';
import { mergeAs4 } from '../../../../bird/bgp-ts/attribute/as4-merge.ts';
import { context, hex } from '../../../support/bgp-bytes.ts';

const sequence = (...asns: number[]): AsSegment => ({ type: 'sequence', asns });
const set = (...asns: number[]): AsSegment => ({ type: 'set', asns });
const confederation = (...asns: number[]): AsSegment => ({ type: 'confed-sequence', asns });
const trans = 23456;

describe('AS_PATH and AS4_PATH, RFC 6793 §4.2.3', () => {
  test.each([
    ['AS4_PATH covers all', [sequence(trans, trans)], [sequence(70000, 80000)], [sequence(70000, 80000)]],
    ['two-octet ASes came after it', [sequence(1, 2, trans)], [sequence(70000)], [sequence(1, 2, 70000)]],
    [
      'a set counts one',
      [sequence(1), set(2, 3), sequence(trans)],
      [sequence(70000)],
      [sequence(1), set(2, 3), sequence(70000)],
    ],
    ['AS4_PATH is longer and ignored', [sequence(1)], [sequence(70000, 80000)], [sequence(1)]],
    [
      'confederations count nothing',
      [confederation(9), sequence(1, trans)],
      [sequence(70000)],
      [confederation(9), sequence(1, 70000)],
    ],
    ['AS4_PATH is empty', [sequence(1, 2)], [], [sequence(1, 2)]],
  ] as const)('%s', (...row) => {
    const [, asPath, as4Path, merged] = row;
    expect(mergeAs4({ asPath, as4Path })).toEqual({ asPath: merged });
  });

  test('somebody with two octets aggregated: both AS4 attributes are ignored', () => {
    const aggregator = { asn: 5, address: 1 };
    const wire = {
      asPath: [sequence(1, trans)],
      as4Path: [sequence(70000)],
      aggregator,
      as4Aggregator: { asn: 70000, address: 2 },
    };
    expect(mergeAs4(wire)).toEqual({ asPath: wire.asPath, aggregator });
  });

  test('AS_TRANS aggregated: AS4_AGGREGATOR says who it was', () => {
    const as4Aggregator = { asn: 70000, address: 1 };
    expect(mergeAs4({ aggregator: { asn: trans, address: 1 }, as4Aggregator })).toEqual({ aggregator: as4Aggregator });
  });

  test.each([
    ['small ASes only', { asPath: [sequence(1, 2)], aggregator: { asn: 3, address: 4 } }, ['02', '07']],
    ['a large AS in the path', { asPath: [confederation(64512), sequence(70000, 2)] }, ['02', '11']],
    ['a large AS aggregated', { asPath: [], aggregator: { asn: 70000, address: 4 } }, ['02', '07', '12']],
  ] as const)('to a two-octet peer and back nothing is lost: %s', (_, attributes: PathAttributes, codes) => {
    const session = context({ fourOctetAs: false, external: false });
    const block = encodeAttributes(attributes, session);
    const found: string[] = [];
    for (let at = 0; at < block.length; at += 3 + block[at + 2]!) found.push(hex(block.subarray(at + 1, at + 2)));
    expect(found).toEqual(codes);
    expect(decodeAttributes(block, 0, block.length, session)).toMatchObject({ attributes, faults: [] });
  });
});

test('a set is one hop and fits one segment, a sequence is cut', () => {
  const asns = Array.from({ length: 300 }, (_, i) => i + 1);
  const written = (type: 'sequence' | 'set' | 'confed-set'): number =>
    encodeAttributes({ asPath: [{ type, asns }] }, context()).length;
  expect(written('sequence')).toBe(4 + 2 * 2 + 300 * 4);
  expect(() => written('set')).toThrow('a set of 300 AS numbers does not fit a segment');
  expect(() => written('confed-set')).toThrow('does not fit a segment');
});

test('a path reads as operators write it, and its length is what the decision counts', () => {
  const path = [confederation(65100), sequence(1, 2), set(3, 4), { type: 'confed-set', asns: [5] } as const];
  expect(formatAsPath(path)).toBe('(65100) 1 2 {3,4} [5]');
  expect(asPathLength(path)).toBe(3);
  expect(formatAsPath([])).toBe('');
});
