import { firstLine, inFolder } from '../daemon.ts';
import type { LoadedDaemon } from '../daemon.ts';
import type { LoadPeer } from '../topology.ts';
import { DAEMON_ASN, PORT, ROUTER_ID } from '../topology.ts';

/** GoBGP: as many threads as there are cores, the garbage collector as it comes. */
export const gobgpd: LoadedDaemon = {
  name: 'gobgpd',
  kind: 'router',
  processes: 1,
  version: () => firstLine('gobgpd', '--version')?.replace('gobgpd version', 'GoBGP'),
  configure: ({ addresses, peers }) => ({
    'gobgpd.toml': [
      '[global.config]',
      ...[`as = ${DAEMON_ASN}`, `router-id = "${ROUTER_ID}"`, `port = ${PORT}`],
      `local-address-list = ["${addresses.daemon}"]`,
      ...peers.map(neighbor),
      '',
    ].join('\n'),
  }),
  command: (run) => [
    ...['gobgpd', '-f', inFolder(run, 'gobgpd.toml'), '-l', 'warn', '--pprof-disable'],
    ...['--api-hosts', `unix://${inFolder(run, 'gobgp.sock')}`],
  ],
};

const neighbor = ({ address, asn, family, isReflectorClient }: LoadPeer): string =>
  [
    '[[neighbors]]',
    '[neighbors.config]',
    `neighbor-address = "${address}"`,
    `peer-as = ${asn}`,
    '[neighbors.transport.config]',
    'passive-mode = true',
    ...(isReflectorClient
      ? [
          '[neighbors.route-reflector.config]',
          'route-reflector-client = true',
          `route-reflector-cluster-id = "${ROUTER_ID}"`,
        ]
      : []),
    '[[neighbors.afi-safis]]',
    '[neighbors.afi-safis.config]',
    `afi-safi-name = "ipv${family}-unicast"`,
  ].join('\n');
