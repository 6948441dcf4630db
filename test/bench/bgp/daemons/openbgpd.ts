import { existsSync } from 'node:fs';
import { firstLine, inFolder } from '../daemon.ts';
import type { LoadedDaemon, RunContext } from '../daemon.ts';
import type { LoadPeer } from '../topology.ts';
import { DAEMON_ASN, PORT, ROUTER_ID } from '../topology.ts';

const BGPD = '/usr/sbin/bgpd';

/** OpenBGPD: parent, session engine, decision engine and RTR engine; memory is that of all four. */
export const openbgpd: LoadedDaemon = {
  name: 'openbgpd',
  kind: 'router',
  processes: 4,
  version: () => (existsSync(BGPD) ? firstLine(BGPD, '-V') : undefined),
  configure: (run) => ({
    'bgpd.conf': [
      ...[`AS ${DAEMON_ASN}`, `router-id ${ROUTER_ID}`, 'fib-update no', `socket "${inFolder(run, 'bgpd.sock')}"`],
      `listen on ${run.addresses.daemon} port ${PORT}`,
      ...run.peers.map((peer) => neighbor(run, peer)),
      ...['allow from any', 'allow to any'],
      ...(run.isReflector ? [] : ['match to any set nexthop self']),
      '',
    ].join('\n'),
  }),
  command: (run) => [BGPD, '-d', '-f', inFolder(run, 'bgpd.conf')],
};

/** IPv4 is announced over IPv4 unless it is refused; the other family never of itself. */
const neighbor = ({ family }: RunContext, peer: LoadPeer): string =>
  [
    `neighbor ${peer.address} {`,
    `  remote-as ${peer.asn}`,
    '  passive',
    ...(peer.isReflectorClient ? ['  route-reflector'] : []),
    ...(peer.family === family ? [] : [`  announce IPv${family} none`]),
    `  announce IPv${peer.family} unicast`,
    '}',
  ].join('\n');
