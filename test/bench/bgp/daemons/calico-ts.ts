import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { firstLine, inFolder } from '../daemon.ts';
import type { LoadedDaemon } from '../daemon.ts';
import { DAEMON_ASN, PORT, ROUTER_ID } from '../topology.ts';

const PROGRAM = resolve('dist', 'calico-node-ts.mjs');

/** Ours, the speaker alone, from the bundle and with the flags that stand in its first line. */
export const calicoTs: LoadedDaemon = {
  name: 'calico-ts',
  kind: 'router',
  processes: 1,
  version: () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    return `calico-ts ${version} ${firstLine('git', 'rev-parse', '--short', 'HEAD') ?? ''}`.trim();
  },
  configure: (run) => ({
    'speaker.yaml': [
      `asn: ${DAEMON_ASN}`,
      `bgpIdentifier: ${ROUTER_ID}`,
      `listen: [{ address: '${run.addresses.daemon}', port: ${PORT} }]`,
      `socket: ${inFolder(run, 'speaker.sock')}`,
      ...(run.isReflector ? [`clusterId: ${ROUTER_ID}`] : []),
      'peers:',
      ...run.peers.map(
        ({ address, asn, family, isReflectorClient }) =>
          `  - { address: '${address}', asn: ${asn}, passive: true, families: [ipv${family}]` +
          `${isReflectorClient ? ', routeReflectorClient: true' : ''} }`,
      ),
      '',
    ].join('\n'),
  }),
  command: (run) => {
    buildWhereStale();
    return [...asShipped(), PROGRAM, 'speaker', '--config', inFolder(run, 'speaker.yaml')];
  },
};

function buildWhereStale(): void {
  const sources = ['package.json', ...globSync('{src,bird,felix}/**/*.ts')];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > newest) return;
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The first line of the program, `#!/usr/bin/env -S NAME=VALUE node FLAGS`, as it is carried out, by this Node. */
function asShipped(): readonly string[] {
  const [line = ''] = readFileSync(PROGRAM, 'utf8').split('\n', 1);
  const words = line.split(' ').slice(2);
  const at = words.indexOf('node');
  return ['env', ...words.slice(0, at), process.execPath, ...words.slice(at + 1)];
}
