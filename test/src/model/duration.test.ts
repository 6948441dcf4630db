import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration, roughDuration } from '../../../src/model/duration.ts';

describe('durations as Go writes them', () => {
  test.each([
    ['120s', 120_000, '2m0s'],
    ['2m0s', 120_000, '2m0s'],
    ['1h', 3_600_000, '1h0m0s'],
    ['1h2m3.5s', 3_723_500, '1h2m3.5s'],
    ['1500ms', 1500, '1.5s'],
    ['250ms', 250, '250ms'],
    ['3us', 0.003, '3µs'],
    ['7ns', 0.000007, '7ns'],
    ['.5s', 500, '500ms'],
    ['0', 0, '0s'],
    ['0s', 0, '0s'],
  ])('%s is %d ms and is written %s', (text, ms, canonical) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
    expect(formatDuration(parseDuration(text))).toBe(canonical);
  });

  test.each(['', '120', 's', '-5s', '5 s', '5s ', '5s6', '1x', '1s,2s', '1.2.3s'])("'%s' is refused", (text) => {
    expect(() => parseDuration(text, 'spec.maxRestartTime')).toThrow(
      `spec.maxRestartTime = '${text}': is not a duration such as 120s or 2m0s`,
    );
  });

  test('what was formatted is parsed back', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBeCloseTo(ms, 3);
      }),
    );
  });
});

test.each([
  [-5, '0 s'],
  [1499, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '120 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
])('%d ms are roughly %s', (ms, text) => expect(roughDuration(ms)).toBe(text));
