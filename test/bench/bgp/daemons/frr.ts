import { existsSync } from 'node:fs';
import { firstLine, inFolder } from '../daemon.ts';
import type { LoadedDaemon } from '../daemon.ts';
import { DAEMON_ASN, PORT, ROUTER_ID } from '../topology.ts';

const BGPD = '/usr/lib/frr/bgpd';

/** FRR: its bgpd alone, without zebra (-Z), so it installs nothing. */
export const frr: LoadedDaemon = {
  name: 'frr',
  kind: 'router',
  processes: 1,
  version: () => (existsSync(BGPD) ? firstLine(BGPD, '--version')?.replace('bgpd version', 'FRR') : undefined),
  configure: ({ peers }) => ({
    'bgpd.conf': [
      ...[`router bgp ${DAEMON_ASN}`, ` bgp router-id ${ROUTER_ID}`],
      ...[' no bgp ebgp-requires-policy', ' no bgp default ipv4-unicast'],
      ...peers.flatMap(({ address, asn }) => [
        ` neighbor ${address} remote-as ${asn}`,
        ` neighbor ${address} passive`,
        ` neighbor ${address} disable-connected-check`,
      ]),
      ...([4, 6] as const).flatMap((family) => [
        ` address-family ipv${family} unicast`,
        ...peers
          .filter((peer) => peer.family === family)
          .flatMap(({ address, isReflectorClient }) => [
            `  neighbor ${address} activate`,
            `  neighbor ${address} ${isReflectorClient ? 'route-reflector-client' : 'next-hop-self'}`,
          ]),
        ' exit-address-family',
      ]),
      '',
    ].join('\n'),
  }),
  // Without zebra bgpd logs a warning for each prefix, which would be measured; hence the level.
  command: (run) => [
    ...[BGPD, '-Z', '-S', '-f', inFolder(run, 'bgpd.conf'), '-i', inFolder(run, 'bgpd.pid')],
    ...['--vty_socket', run.folder, '-P', '0', '-l', run.addresses.daemon, '-p', String(PORT)],
    ...['--log', `file:${inFolder(run, 'bgpd.log')}`, '--log-level', 'emergencies'],
  ],
};
