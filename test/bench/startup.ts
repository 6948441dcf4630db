/** `npm run bench -- startup`: how long calicoctl-ts takes from the shell's point of view. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI_NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { manifest } from '../support/resources.ts';
import { median } from './rounds.ts';
import { atMost } from './scenario.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

const PROGRAM = join('dist', 'calicoctl-ts.mjs');
const AIM_MS = 150;

interface Command {
  readonly args: readonly string[];
  readonly datastore: 'file' | 'etcd';
  /** What it ends with. */
  readonly exitCode: number;
}

const command = (typed: string, datastore: Command['datastore'] = 'file', exitCode = 0): Command => ({
  args: [PROGRAM, ...typed.split(' ')],
  datastore,
  exitCode,
});

/** What is typed; the first is the floor under all others. */
const COMMANDS: readonly Command[] = [
  { args: ['-e', '0'], datastore: 'file', exitCode: 0 },
  command('--help'),
  command('version --client'),
  command('get bgppeers'),
  command('get bgppeers -o yaml'),
  command('ipam show'),
  { ...command('__complete -- get bgppeers'), args: [PROGRAM, '__complete', '--', 'get', 'bgppeers', ''] },
  // Nobody listens; what an agent would answer is not its start.
  command('node status --socket /nowhere', 'file', 2),
  ...(HAS_ETCD ? [command('get bgppeers', 'etcd')] : []),
];

type Environments = Readonly<Record<Command['datastore'], NodeJS.ProcessEnv>>;

export const startup: Scenario = {
  name: 'startup',
  run: async ({ rounds }: BenchOptions): Promise<Report> => {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
    const directory = mkdtempSync(join(tmpdir(), 'calico-ts-bench-'));
    const etcd = HAS_ETCD ? await EtcdServer.start() : undefined;
    try {
      const environments: Environments = {
        file: { ...process.env, CALICO_FILE_DATASTORE: join(directory, 'store') },
        etcd: { ...process.env, DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: etcd?.endpoint ?? '' },
      };
      const file = join(directory, 'peer.json');
      writeFileSync(file, JSON.stringify(manifest('BGPPeer', 'tor-a', { peerIP: '10.0.0.1', asNumber: 65001 })));
      milliseconds(command(`apply -f ${file}`), environments);
      if (etcd !== undefined) milliseconds(command(`apply -f ${file}`, 'etcd'), environments);
      const samples = COMMANDS.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, each] of COMMANDS.entries()) samples[i]!.push(milliseconds(each, environments));
      }
      return report(samples, rounds);
    } finally {
      await etcd?.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** From the start of the process to its end. Throws where it fails. */
function milliseconds({ args, datastore, exitCode }: Command, environments: Environments): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...CLI_NODE_FLAGS, ...args], {
    env: environments[datastore],
    encoding: 'utf8',
  });
  const took = performance.now() - startedAt;
  if (status !== exitCode) throw new Error(`${args.join(' ')} ended with ${status ?? 'a signal'}: ${stderr}`);
  return took;
}

function report(samples: readonly (readonly number[])[], rounds: number): Report {
  const named = COMMANDS.map(({ args, datastore }, i) => ({
    command: `${args.join(' ').replace(PROGRAM, 'calicoctl-ts')}${datastore === 'etcd' ? ', etcd' : ''}`,
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
    aims: named.slice(1).map(({ command, ms }) => atMost(command, median(ms), [AIM_MS, 'ms'])),
  };
}
