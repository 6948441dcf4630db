import { eventually } from '../../support/eventually.ts';
import type { Daemon } from '../daemon.ts';
import { gobgpSessions } from './gobgp-sessions.ts';

const GOBGP = '/usr/bin/gobgp';

export const gobgp: Daemon = {
  name: 'gobgp',
  package: 'gobgpd',
  programs: ['/usr/bin/gobgpd', GOBGP],
  version: ['/usr/bin/gobgpd', '--version'],
  dials: 'recorder',
  start: async (lab, config) => {
    lab.startDaemon('/usr/bin/gobgpd', '-f', lab.file('gobgpd.toml', config), '-l', 'warn', '--pprof-disable');
    await eventually(() => lab.run(GOBGP, 'global'), 5000);
  },
  control: (lab, line) => lab.run(GOBGP, ...words(line)),
  sessions: gobgpSessions,
  cannot: {
    'ATOMIC_AGGREGATE in ibgp': 'its command line has no word for it',
    'multicast in families': 'its command line adds no such routes',
  },
};

/** Words, of which those in double quotes may hold spaces. */
const words = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
