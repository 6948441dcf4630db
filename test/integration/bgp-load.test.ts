/** The runner and the generator of `npm run bench -- bgp`: they tell a right daemon from a wrong one, and leave nothing. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bird } from '../bench/bgp/daemons/bird.ts';
import { calicoTs } from '../bench/bgp/daemons/calico-ts.ts';
import { relay, relayWith } from '../bench/bgp/daemons/relay.ts';
import type { LoadedDaemon } from '../bench/bgp/daemon.ts';
import { generatorProgram } from '../bench/bgp/generator-program.ts';
import type { Load } from '../bench/bgp/loads.ts';
import { sweepLeftovers } from '../bench/bgp/leftovers.ts';
import { loadNamed } from '../bench/bgp/loads.ts';
import { numberAt } from '../bench/bgp/result.ts';
import type { LoadResult } from '../bench/bgp/result.ts';
import { FOLDER_PREFIX, runOnce } from '../bench/bgp/run.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';

/** A loaded machine has 20 s for what takes milliseconds; a daemon that drops something is known after 3. */
const PATIENCE = { stall: 3, quiet: 0.3 };
const small = { ...loadNamed('S1'), options: { prefixes: 1000, monitors: 2 } };
const load = (options: Load['options'], more: Partial<Load> = {}): Load => ({ ...small, options, ...more });
const run = (daemon: LoadedDaemon, what: Load): Promise<LoadResult> => runOnce(daemon, what, PATIENCE);

/** Namespaces and folders of this process's runs; other runners' are not ours to judge. */
const leftovers = (): readonly string[] => [
  ...(existsSync('/run/netns') ? readdirSync('/run/netns') : []).filter(
    (name) => /^ctb(\d+)[dg]$/.exec(name)?.[1] === `${process.pid}`,
  ),
  ...readdirSync(tmpdir()).filter((name) => name.startsWith(`${FOLDER_PREFIX}${process.pid}-`)),
];

describe.skipIf(!isRoot)('a BGP load', { timeout: 120_000 }, () => {
  beforeAll(() => void generatorProgram());
  afterAll(() => expect(leftovers()).toEqual([]));

  describe('on our own speaker and on BIRD: every prefix, AS_PATH and next hop comes', () => {
    for (const daemon of [calicoTs, bird].filter((each) => each.version() !== undefined)) {
      test.each<[string, Load]>([
        ['from 1 to 2, and withdrawn', load({ prefixes: 1000, monitors: 2, phases: 'load,withdraw' })],
        ['IPv6', load({ prefixes: 500 }, { family: 6 })],
        ['the same from 3, the best path', load({ injectors: 3, prefixes: 300, stride: 0 })],
        [
          'a reflector of 6 clients',
          load({ injectors: 5, prefixes: 20, mix: 'pod26', pack: 20 }, { role: 'reflector' }),
        ],
        ['a member of a mesh', load({ injectors: 5, prefixes: 20, mix: 'pod26', pack: 20 }, { role: 'mesh' })],
        [
          'readers that stop for 2 s',
          load({ monitors: 4, prefixes: 500, deaf: 2, 'deaf-secs': 2, 'deaf-rest': 0.1, phases: 'load,withdraw,deaf' }),
        ],
      ])(`${daemon.name}: %s`, async (_, what) => {
        const result = await run(daemon, what);
        expect(result.errors).toEqual([]);
        expect(result.ok).toBe(true);
        expect(result.keepalives?.lost).toBe(0);
        // One a second; the others are over before.
        if (String(what.options['phases']).includes('deaf')) expect(result.keepalives?.n).toBeGreaterThan(0);
      });
    }
  });

  describe('on a relay that does all right', () => {
    test.each<[string, Load]>([
      ['route reflector', load({ injectors: 5, prefixes: 500, mix: 'pod26', pack: 50 }, { role: 'reflector' })],
      [
        'many to many, withdrawn, again',
        load({ injectors: 20, prefixes: 200, monitors: 3, phases: 'load,withdraw,load' }),
      ],
      ['prefixes shared by chance', load({ injectors: 4, prefixes: 1000, stride: 1000 })],
      ['churn', load({ prefixes: 1000, phases: 'load,churn', 'churn-rate': 200, 'churn-secs': 1, 'churn-hold': 0.3 })],
      [
        'readers that stop',
        load({ monitors: 3, prefixes: 500, deaf: 1, 'deaf-secs': 1, phases: 'load,withdraw,deaf' }),
      ],
    ])('%s: passes', async (_, what) => {
      const result = await run(relay, what);
      expect(result.errors).toEqual([]);
      expect(result.ok).toBe(true);
    });
  });

  describe('on one that does one thing wrong', () => {
    test.each([
      ['drops a prefix', 'drop:999', 'not reached'],
      ['invents a prefix', 'extra:900', 'unknown_prefixes'],
      ['does not put its AS first', 'noprepend:50', 'bad_as_path'],
      ['changes an AS_PATH', 'path:50', 'bad_as_path'],
      ['leaves the next hop', 'nexthop:50', 'bad_next_hop'],
      ['loses communities', 'communities:50', 'bad_origin_or_communities'],
    ])('%s: fails', async (_, fault, said) => {
      const result = await run(relayWith('relay', { fault }), small);
      expect(result.ok).toBe(false);
      if (said === 'not reached') expect(result.errors.join()).toContain(said);
      else expect(numberAt(result, `verify.${said}`)).toBeGreaterThan(0);
    });

    test('passes on every path, not the best: fails', async () => {
      expect((await run(relay, load({ injectors: 3, prefixes: 3000, stride: 0 }))).ok).toBe(false);
    });

    test('tells iBGP peers of a mesh what it heard of another: fails', async () => {
      const result = await run(relay, load({ injectors: 3, prefixes: 100, mix: 'pod26' }, { role: 'mesh' }));
      expect(result.ok).toBe(false);
      expect(result.errors.join()).toContain('a route of one iBGP peer was told to another');
    });

    test('a daemon that does not start: a result with its words, no hang', async () => {
      const result = await run({ ...bird, configure: () => ({ 'bird.conf': 'nonsense;' }) }, small);
      expect(result.ok).toBe(false);
      expect(result.errors.join()).toContain('the daemon ended with 1');
      expect(result.errors.join()).toContain('syntax error');
    });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'interrupted by %s: no process is left, nor a namespace',
    async (signal) => {
      const command = [
        'test/bench/main.ts',
        'S5',
        '--daemons',
        'relay',
        '--rounds',
        '1',
        '--quiet-wait',
        '0',
        '--load',
        'churn-secs=60',
      ];
      const runner = spawn(process.execPath, command, { stdio: 'ignore' });
      const spaces = [`ctb${runner.pid}d`, `ctb${runner.pid}g`];
      await eventually(() => {
        expect(pidsIn(spaces[0]!)).toHaveLength(1);
        expect(pidsIn(spaces[1]!)).toHaveLength(1);
      });
      const pids = spaces.flatMap(pidsIn);
      const ended = new Promise((done) => runner.once('exit', done));
      runner.kill(signal);
      await ended;
      await eventually(() => expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]));
      // Who is killed cannot clean up; the next runner does.
      if (signal === 'SIGKILL') sweepLeftovers();
      expect(spaces.filter((name) => existsSync(`/run/netns/${name}`))).toEqual([]);
    },
  );
});

function pidsIn(namespace: string): readonly string[] {
  if (!existsSync(`/run/netns/${namespace}`)) return [];
  return execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).split('\n').filter(Boolean);
}
