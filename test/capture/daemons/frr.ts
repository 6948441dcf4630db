import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/netns.ts';
import { eventually } from '../../support/eventually.ts';
import type { Daemon } from '../daemon.ts';
import { frrSessions } from './frr-sessions.ts';

/** bgpd alone, without zebra, as the user that Debian's FRR insists on. */
export const frr: Daemon = {
  name: 'frr',
  package: 'frr',
  programs: ['/usr/lib/frr/bgpd', '/usr/bin/vtysh'],
  version: ['/usr/lib/frr/bgpd', '--version'],
  dials: 'recorder',
  start: async (lab, config) => {
    const { directory } = lab;
    const file = lab.file('bgpd.conf', config);
    run('chown', 'frr:frr', directory, file);
    const own = ['-i', join(directory, 'bgpd.pid'), '--vty_socket', directory, '-P', '0'];
    lab.startDaemon('/usr/lib/frr/bgpd', '-Z', '-f', file, ...own, '--log', 'stdout', '--log-level', 'warnings');
    await eventually(() => {
      if (!existsSync(join(directory, 'bgpd.vty'))) throw new Error(`FRR did not start: ${lab.output()}`);
    }, 5000);
  },
  control: (lab, line) => {
    const commands = line.split(' ; ').flatMap((command) => ['-c', command]);
    return lab.run('/usr/bin/vtysh', '--vty_socket', lab.directory, ...commands);
  },
  sessions: frrSessions,
  cannot: {
    'FlowSpec in families': 'it originates none',
    'AGGREGATOR with an AS above 65535': 'this version writes another number',
    'labeled unicast in families': 'its labels come from zebra, which is not there',
  },
};
