import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { targets as brokenTargets } from '../../fuzz/broken-targets.ts';
import { loadCase, replayCase } from '../../fuzz/case.ts';
import { messageSeeds } from '../../fuzz/corpus.ts';
import { deepEqual } from '../../fuzz/deep-equal.ts';
import { Draft } from '../../fuzz/draft.ts';
import { parseOptions } from '../../fuzz/options.ts';
import type { RunOptions, RunReport } from '../../fuzz/run.ts';
import { runFuzz } from '../../fuzz/run.ts';
import { scheduleOf } from '../../fuzz/schedule.ts';
import { sessionToJson } from '../../fuzz/session.ts';
import { targets } from '../../fuzz/targets/table.ts';
import { bytes, hex } from '../../support/bgp-bytes.ts';

const directory = mkdtempSync(join(tmpdir(), 'calico-ts-fuzz-'));
afterAll(() => rmSync(directory, { recursive: true }));

const module = (path: string): string => new URL(`../../fuzz/${path}`, import.meta.url).href;

function run(changes: Partial<RunOptions>): Promise<RunReport> {
  const options: RunOptions = {
    runs: 4000,
    seed: 7,
    workers: 2,
    target: undefined,
    targetsModule: module('broken-targets.ts'),
    hangMs: 2000,
    caseDirectory: directory,
    ...changes,
  };
  const all = options.targetsModule.endsWith('broken-targets.ts') ? brokenTargets : targets;
  return runFuzz(options, scheduleOf(all, options.target, options.seed));
}

const indexes = ({ failures }: RunReport): number[] => failures.map(({ index }) => index);

describe('inputs', () => {
  test('the same seed and index give the same input, whatever was made before', () => {
    const [one, other] = [scheduleOf(targets, undefined, 5), scheduleOf(targets, undefined, 5)];
    for (let index = 0; index < 300; index++) one.inputOf(index);
    for (const index of [299, 0, 17, 123_456, 2_000_000_000]) {
      expect(hex(one.inputOf(index).octets)).toBe(hex(other.inputOf(index).octets));
      expect(sessionToJson(one.inputOf(index).session)).toEqual(sessionToJson(other.inputOf(index).session));
    }
  });

  test('another seed gives other inputs', () => {
    const inputs = [1, 2].map((seed) => {
      const schedule = scheduleOf(targets, 'message', seed);
      return Array.from({ length: 50 }, (_, index) => hex(schedule.inputOf(index).octets)).join(' ');
    });
    expect(inputs[0]).not.toBe(inputs[1]);
  });

  test('every seed is a whole message whose pieces lie within it', () => {
    for (const { octets, spans } of messageSeeds) {
      expect(octets[16]! * 256 + octets[17]!).toBe(octets.length);
      for (const { start, end } of spans) expect(0 <= start && start <= end && end <= octets.length).toBe(true);
    }
  });

  test('a piece that is doubled or taken out leaves lengths that are true', () => {
    const draft = new Draft();
    // UPDATE: no withdrawn routes, ORIGIN and MED, one prefix.
    const update = bytes('ff'.repeat(16), '0026 02 0000 000b 40010100 80040400000001 180a0001');
    const seed = messageSeeds.find(({ octets }) => hex(octets).endsWith('180a0001') && octets[18] === 2)!;
    expect(update).toHaveLength(38);
    draft.load(seed);
    draft.repair();
    expect(hex(draft.finish())).toBe(hex(seed.octets));
    const attribute = seed.spans.findIndex(({ role }) => role === 2);
    const { start, end } = seed.spans[attribute]!;
    draft.insert(start, seed.octets.slice(start, end), attribute);
    draft.repair();
    const longer = draft.finish();
    expect(longer).toHaveLength(seed.octets.length + end - start);
    expect(longer[17]).toBe(longer.length);
    expect(longer[22]).toBe(seed.octets[22]! + end - start);
    draft.remove(start, end);
    draft.repair();
    expect(hex(draft.finish())).toBe(hex(seed.octets));
  });
});

describe('a target that breaks its promise', () => {
  test('by throwing: each case is saved, is found again by any number of workers, and replays', async () => {
    const [one, two] = [await run({ target: 'throws', workers: 1 }), await run({ target: 'throws', workers: 2 })];
    expect(one.failures.length).toBeGreaterThan(2);
    expect(indexes(two)).toEqual(indexes(one));
    expect(two.outcomes).toEqual(one.outcomes);
    expect(two.inputs).toBe(4000);
    expect(two.failures[0]!.stack).toContain('broken-targets.ts');
    const saved = loadCase(join(directory, `throws-7-${indexes(one)[0]!}.json`));
    expect(saved).toMatchObject({ target: 'throws', seed: 7 });
    expect(replayCase(saved, brokenTargets)).toMatchObject({ kind: 'failure', error: { name: 'RangeError' } });
    expect(replayCase({ ...saved, hex: '00' }, brokenTargets)).toEqual({ kind: 'outcome', outcome: 'ok' });
  }, 60_000);

  test('by never coming back: the worker is replaced, the case is saved, all other inputs are run', async () => {
    const report = await run({ target: 'hangs', seed: 2, runs: 2000 });
    expect(report.inputs).toBe(2000);
    expect(report.failures).toHaveLength(2);
    for (const { index, error } of report.failures) {
      expect(error).toBe('hang: no end after 2000 ms');
      const octets = bytes(loadCase(join(directory, `hangs-2-${index}.json`)).hex);
      expect(octets).toHaveLength(2);
      expect(octets[0]).toBe(7);
    }
  }, 60_000);

  test('by ending its process: the same', async () => {
    const report = await run({ target: 'exits' });
    expect(report.inputs).toBe(4000);
    expect(report.failures.map(({ error }) => error)).toContain('the worker ended');
    expect(readdirSync(directory)).toContain(`exits-7-${indexes(report)[0]!}.json`);
  }, 60_000);
});

test('20,000 inputs over all targets break no promise', async () => {
  const report = await run({ runs: 20_000, seed: 3, targetsModule: module('targets/table.ts'), hangMs: 10_000 });
  expect(report.failures.map(({ target, index, error }) => `${target} ${index}: ${error}`)).toEqual([]);
  expect(report.inputs).toBe(20_000);
  const outcomes = [...report.outcomes.keys()].join();
  for (const deep of [
    'ok update, well',
    'treat-as-withdraw',
    'attribute-discard',
    'fault 2/',
    'fault 3/9',
    'fault 1/3',
  ]) {
    expect(outcomes).toContain(deep);
  }
}, 60_000);

test('records are compared by what they hold', () => {
  const record = (octet: number): unknown => ({ a: [1, { b: Uint8Array.of(octet) }], c: new Set(['1/1']), d: 7n });
  expect(deepEqual(record(1), record(1))).toBe(true);
  expect(deepEqual(record(1), record(2))).toBe(false);
  expect(deepEqual({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(deepEqual([1, 2], [1])).toBe(false);
  expect(deepEqual({}, [])).toBe(false);
});

test('a flag that is wrong is named', () => {
  expect(parseOptions(['--runs', '10_000_000', '--target', 'nlri'])).toMatchObject({
    runs: 10_000_000,
    target: 'nlri',
  });
  expect(() => parseOptions(['--runs', 'many'])).toThrow('--runs is many');
  expect(() => scheduleOf(targets, 'nothing', 1)).toThrow('no target nothing; there are message');
});
