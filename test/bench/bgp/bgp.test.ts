import { describe, expect, test } from 'vitest';
import { readCommandLine } from '../command-line.ts';
import { merge, NOTHING, withMeasured, withShown } from '../performance-page.ts';
import type { Scenario } from '../scenario.ts';
import { generatorLeads, judgeAims } from './aims.ts';
import { exponent, linearithmic } from './growth-cases.ts';
import { loadNamed, LOADS } from './loads.ts';
import type { LoadRun } from './measure.ts';
import { noiseOf, numberAt, parseResult, reached } from './result.ts';
import type { LoadResult } from './result.ts';
import { figureOf, rowOf, summarize } from './summary.ts';
import { mainTable } from './tables.ts';
import { peersOf } from './topology.ts';

/** A run of S1 that converged within so long, or as `result` says. */
const run = (daemon: string, round: number, result: number | Partial<LoadResult>): LoadRun => ({
  ...{ daemon, load: 'S1', round, noise: 0.01, when: '2026-01-01T00:00:00Z' },
  result: {
    ...{ ok: true, errors: [] },
    ...(typeof result === 'number' ? { phases: [{ name: 'load', ok: true, converged_s: result }] } : { phases: [] }),
    ...(typeof result === 'number' ? {} : result),
  },
});

describe('a summary', () => {
  test('a ratio is the median of the ratios of the rounds, not that of the medians', () => {
    const rows = summarize([
      ...[run('bird', 0, 1), run('calico-ts', 0, 0.5)],
      ...[run('bird', 1, 4), run('calico-ts', 1, 0.8)],
      ...[run('bird', 2, 2), run('calico-ts', 2, 1)],
    ]);
    const converged = figureOf(rowOf(rows, 'S1', 'calico-ts'), 'converged');
    expect(converged).toEqual({ title: 'converged', unit: 's', values: [0.5, 0.8, 1], median: 0.8, ratio: 0.5 });
    expect(judgeAims(rows)[0]).toMatchObject({ load: 'S1', limit: 0.9, measured: 0.5, isReached: true });
  });

  test('a failed run gives no figure: its daemon is shown as failed, and its aim is missed', () => {
    const phases = [{ name: 'load', ok: false, converged_s: 0.001, expected: 1000, present: 999 }];
    const rows = summarize([run('bird', 0, 1), run('calico-ts', 0, { ok: false, errors: ['one is missing'], phases })]);
    expect(rowOf(rows, 'S1', 'calico-ts')).toMatchObject({
      failure: { reached: '99%', errors: ['one is missing'] },
      figures: [],
    });
    expect(mainTable(rows)[1]).toEqual(['S1', 'converged, s', '1.00', 'failed at 99%']);
    expect(judgeAims(rows)[0]).toMatchObject({ isReached: false });
  });

  test('the p99.9 of keepalives is that of all rounds together, and lost sessions are counted', () => {
    const phases = [{ name: 'load', ok: true, converged_s: 1 }];
    const keepalives = (n: number, lost: number, ...worst_ms: number[]): Partial<LoadResult> => ({
      ...{ phases, keepalives: { n, lost, worst_ms } },
    });
    const rows = summarize([
      run('calico-ts', 0, keepalives(900, 0, 80, 3)),
      run('calico-ts', 1, keepalives(1100, 1, 500, 120, 90)),
    ]);
    // The third of 2,000.
    expect(rowOf(rows, 'S1', 'calico-ts')?.keepalives).toEqual({ n: 2000, lost: 1, p999Ms: 90, maxMs: 500 });
    const [late, lost] = judgeAims(rows).slice(-2);
    expect(late).toMatchObject({ measured: 90, isReached: true });
    expect(lost).toMatchObject({ measured: 1, isReached: false });
  });

  test('S6 is measured in the runs of S2', () => {
    const phases = [{ name: 'withdraw', ok: true, converged_s: 0.25 }];
    const rows = summarize([{ ...run('bird', 0, { phases }), load: 'S2' }]);
    expect(figureOf(rowOf(rows, 'S6', 'bird'), 'all withdrawn')?.median).toBe(0.25);
  });

  test('the generator’s lead is on the fastest that did not fail', () => {
    const failed = run('frr', 0, { ok: false, phases: [{ name: 'load', ok: false, converged_s: 0.01 }] });
    const rows = summarize([run('bird', 0, 0.3), run('calico-ts', 0, 0.2), failed, run('relay', 0, 0.08)]);
    const [lead] = generatorLeads(rows);
    expect(lead).toMatchObject({ load: 'S1, relay', fastest: 'calico-ts' });
    expect(lead?.lead).toBeCloseTo(2.5);
  });
});

describe('what the generator says', () => {
  test('is taken only where it is whole', () => {
    expect(() => parseResult('{"ok": true, "errors": []}')).toThrow('phases');
    expect(parseResult('{"ok": true, "errors": [], "phases": []}')).toEqual({ ok: true, errors: [], phases: [] });
  });

  test('a figure that did not come about is undefined, not null or 0', () => {
    const { result } = run('bird', 0, {
      phases: [{ name: 'load', ok: false, converged_s: null }],
      setup: { all_s: 1 },
    });
    expect(numberAt(result, 'load.converged_s')).toBeUndefined();
    expect(numberAt(result, 'load.churn.p50_ms')).toBeUndefined();
    expect(numberAt(result, 'setup.all_s')).toBe(1);
    expect(reached(result)).toBe('0%');
  });

  test('noise is that of the worst phase, until it converged, beyond the grain of the clock', () => {
    const phase = { ok: true, wall_s: 100, foreign_cpu_s: 90 };
    const first = { ...phase, name: 'load', converged_s: 1, foreign_cpu_at_convergence_s: 0.02 };
    const second = { ...phase, name: 'withdraw', converged_s: 1, foreign_cpu_at_convergence_s: 0.52 };
    expect(noiseOf(run('bird', 0, { phases: [first] }).result)).toBe(0);
    expect(noiseOf(run('bird', 0, { phases: [first, second] }).result)).toBeCloseTo(0.5);
  });
});

describe('peers', () => {
  test('addresses go on past 255, AS numbers with them; a watcher speaks of the other family', () => {
    const peers = peersOf(loadNamed('S7'));
    expect(peers).toHaveLength(511);
    expect(peers[255]).toMatchObject({ address: '198.19.1.0', asn: 100_255, role: 'injector', family: 4 });
    expect(peers[510]).toMatchObject({ address: '198.19.192.10', asn: 70_009, role: 'watcher', family: 6 });
  });

  test('in a mesh the injectors are iBGP peers and no clients, the monitor stands outside', () => {
    const peers = peersOf(loadNamed('M1'));
    expect(peers[999]).toMatchObject({ asn: 64_512, isReflectorClient: false });
    expect(peers[1000]).toMatchObject({ asn: 65_001, role: 'monitor' });
    expect(peersOf(loadNamed('M1rr'))[1000]).toMatchObject({ asn: 64_512, isReflectorClient: true });
  });

  test('no two have one address, under any load', () => {
    for (const load of LOADS) {
      const addresses = peersOf(load).map(({ address }) => address);
      expect(new Set(addresses).size, load.name).toBe(addresses.length);
    }
  });
});

test('growth: a line is a line, a square a square, and n log n lies between', () => {
  expect(exponent([2, 3, 20], [10, 50, 100])).toBeCloseTo(1);
  expect(exponent([1, 9, 100], [10, 30, 100])).toBeCloseTo(2);
  expect(linearithmic([100_000, 1_000_000])).toBeCloseTo(1.079, 3);
});

describe('the command line', () => {
  const scenario = (name: string, least: number): Scenario => ({
    ...{ name, rounds: { standard: 3, least } },
    run: () => ({ heading: [], table: [], results: {} }),
  });
  const scenarios = [scenario('codec', 5), scenario('bgp', 1), scenario('growth', 1)];
  const read = (typed: string): ReturnType<typeof readCommandLine> =>
    readCommandLine(typed.split(' ').filter(Boolean), scenarios);
  const names = (typed: string): readonly string[] => read(typed).chosen.map(({ name }) => name);

  test('a load alone is bgp with it; with a scenario it is for that', () => {
    expect(names('')).toEqual(['codec', 'bgp', 'growth']);
    expect(names('S2 S5')).toEqual(['bgp']);
    expect(read('S2 S5').options.loads).toEqual(['S2', 'S5']);
    expect(names('bgp S2')).toEqual(['bgp']);
    expect(names('growth S2')).toEqual(['growth']);
  });

  test.each([
    ['S11', "scenario 'S11' is unknown; known: codec, bgp, growth; of bgp: G1, G2, S1"],
    ['--rounds x', '--rounds x: a whole number is wanted'],
    ['codec bgp --rounds 3', '--rounds 3: a whole number of 5 or more is wanted'],
    ['bgp --rounds 0', '--rounds 0: a whole number of 1 or more is wanted'],
    ['bgp growth --json x', '--json FILE takes one scenario at a time'],
    ['S2 --load prefixes', '--load prefixes: OPTION=VALUE is wanted'],
  ])('%s is refused: %s', (typed, said) => expect(() => read(typed)).toThrow(said));
});

describe('the page', () => {
  const page = 'before\n<!-- made by test/bench/page.ts -->\nold\n<!-- by hand again -->\nafter\n';
  const written = (converged: number) => ({
    scenario: 'bgp',
    versions: { bird: 'BIRD 2' },
    rows: summarize([run('bird', 0, converged)]),
  });

  test('a newer measurement of a load on a daemon takes the place of the older, others stay', () => {
    const once = merge(NOTHING, { ...written(1), rows: summarize([run('bird', 0, 1), run('frr', 0, 5)]) });
    const twice = merge(once, written(2));
    expect(twice.rows.map(({ daemon, figures }) => [daemon, figures[0]?.median])).toEqual([
      ['bird', 2],
      ['frr', 5],
    ]);
  });

  test('what is written by hand stays', () => {
    const made = withMeasured(page, merge(NOTHING, written(1)));
    expect(made).toMatch(/^before\n/);
    expect(made).toMatch(/\nafter\n$/);
    expect(made).not.toContain('old');
    expect(() => withMeasured('nothing', NOTHING)).toThrow('docs/performance.md has no');
    expect(() => withShown('nothing', NOTHING)).toThrow('README.md has no');
  });

  test('README shows medians by the names of the daemons: a gap where nothing was measured, and what failed', () => {
    const rows = [
      ...summarize([run('bird', 0, 1), run('frr', 0, 5)]),
      { ...summarize([run('frr', 0, 5)])[0]!, load: 'S9', figures: [] },
    ];
    const lines = withShown(page, { ...NOTHING, versions: { bird: 'BIRD 2', frr: 'FRR 8' }, rows }).split('\n');
    expect(lines).toContain('|  | BIRD 2 | FRR 8 |');
    expect(lines).toContain('| 100,000 prefixes from one peer to another, s | 1.00 | 5.00 |');
    expect(lines).toContain('| a new peer gets a table of 1,000,000, s |  | failed |');
  });
});
