import { firstLine, inFolder } from '../daemon.ts';
import type { LoadedDaemon, RunContext } from '../daemon.ts';
import type { LoadPeer } from '../topology.ts';
import { DAEMON_ASN, PORT, ROUTER_ID } from '../topology.ts';

/** BIRD 2: one thread. Without a kernel protocol it installs nothing. */
export const bird: LoadedDaemon = {
  name: 'bird',
  kind: 'router',
  processes: 1,
  version: () => firstLine('bird', '--version')?.replace('BIRD version', 'BIRD'),
  configure: (run) => ({
    'bird.conf': [
      `router id ${ROUTER_ID};`,
      `log "${inFolder(run, 'bird.log')}" { warning, error, fatal, bug };`,
      'protocol device { }',
      ...run.peers.map((peer, i) => protocol(run, peer, i)),
      '',
    ].join('\n'),
  }),
  command: (run) => [
    ...['bird', '-f', '-c', inFolder(run, 'bird.conf')],
    ...['-s', inFolder(run, 'bird.ctl'), '-P', inFolder(run, 'bird.pid')],
  ],
};

const protocol = ({ addresses }: RunContext, peer: LoadPeer, i: number): string =>
  [
    `protocol bgp p${i} {`,
    `  local ${addresses.daemon} port ${PORT} as ${DAEMON_ASN};`,
    `  neighbor ${peer.address} as ${peer.asn};`,
    `  passive on; ${peer.isReflectorClient ? 'rr client;' : ''}`,
    `  ipv${peer.family} { import all; export all; ${peer.isReflectorClient ? '' : 'next hop self;'} };`,
    '}',
  ].join('\n');
