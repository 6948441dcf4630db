import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { Daemon } from '../daemon.ts';
import type { DaemonHost } from '../lab.ts';
import { birdSessions } from './bird-sessions.ts';

const socketOf = (lab: DaemonHost): string => join(lab.directory, 'bird.ctl');

export const bird: Daemon = {
  name: 'bird',
  package: 'bird2',
  programs: ['/usr/sbin/bird', '/usr/sbin/birdc'],
  version: ['/usr/sbin/bird', '--version'],
  dials: 'recorder',
  start: async (lab, config) => {
    lab.startDaemon('/usr/sbin/bird', '-f', '-c', lab.file('bird.conf', config), '-s', socketOf(lab));
    // The socket is there before the configuration was read.
    await eventually(() => lab.run('/usr/sbin/birdc', '-s', socketOf(lab), 'show', 'status'), 5000).catch(() => {
      throw new Error(`BIRD did not start: ${lab.output()}`);
    });
  },
  control: (lab, line) => lab.run('/usr/sbin/birdc', '-s', socketOf(lab), ...line.split(' ')),
  sessions: birdSessions,
  cannot: {
    'AS_SET, ATOMIC_AGGREGATE, AGGREGATOR': 'its configuration has no words that make them',
    'flow labels above 65535': 'this version writes their lower 16 bits',
    AS4_AGGREGATOR: 'it originates no AGGREGATOR',
  },
};
