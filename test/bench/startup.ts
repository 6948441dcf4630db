/** `npm run bench -- startup`: how long calicoctl-ts takes from the shell's point of view. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { manifest } from '../support/resources.ts';
import { median } from './rounds.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const PROGRAM = join('dist', 'calicoctl-ts.mjs');
const AIM_MS = 150;

/** What is typed; the first is the floor under all others. */
const COMMANDS: readonly (readonly string[])[] = [
  ['-e', '0'],
  [PROGRAM, '--help'],
  [PROGRAM, 'version', '--client'],
  [PROGRAM, 'get', 'bgppeers'],
  [PROGRAM, 'get', 'bgppeers', '-o', 'yaml'],
  [PROGRAM, '__complete', '--', 'get', 'bgppeers', ''],
];

export const startup: Scenario = {
  name: 'startup',
  run: ({ rounds }: BenchOptions): Report => {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
    const directory = mkdtempSync(join(tmpdir(), 'calico-ts-bench-'));
    try {
      const env = { ...process.env, CALICO_FILE_DATASTORE: join(directory, 'store') };
      const file = join(directory, 'peer.json');
      writeFileSync(file, JSON.stringify(manifest('BGPPeer', 'tor-a', { peerIP: '10.0.0.1', asNumber: 65001 })));
      milliseconds([PROGRAM, 'apply', '-f', file], env);
      const samples = COMMANDS.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, args] of COMMANDS.entries()) samples[i]!.push(milliseconds(args, env));
      }
      return report(samples, rounds);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** From the start of the process to its end. Throws where it fails. */
function milliseconds(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...NODE_FLAGS, ...args], { env, encoding: 'utf8' });
  const took = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`);
  return took;
}

function report(samples: readonly (readonly number[])[], rounds: number): Report {
  const named = COMMANDS.map((args, i) => ({
    command: args.join(' ').replace(PROGRAM, 'calicoctl-ts'),
    ms: samples[i]!,
  }));
  const [floor] = named;
  return {
    heading: [
      `startup: ${rounds} rounds; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      `aim: below ${AIM_MS} ms; the floor is a Node that does nothing`,
    ],
    table: [
      ['command', 'median ms', 'least ms', 'above the floor'],
      ...named.map(({ command, ms }) => [
        command.replace('-e 0', 'node -e 0'),
        formatFigure(median(ms)),
        formatFigure(Math.min(...ms)),
        formatFigure(Math.max(0, median(ms) - median(floor!.ms))),
      ]),
    ],
    results: { node: process.version, processor: cpus()[0]?.model, rounds, commands: named },
  };
}
