import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from '../daemon.ts';
import { exabgpSessions } from './exabgp-sessions.ts';

/** What it runs as its API process prints this file, and what is appended to it later. */
const COMMANDS = 'commands';

export const exabgp: Daemon = {
  name: 'exabgp',
  package: 'exabgp',
  programs: ['/usr/sbin/exabgp'],
  version: ['/usr/sbin/exabgp', '--version'],
  dials: 'daemon',
  start: (lab, config) => {
    const file = lab.file('exabgp.conf', config.replace('COMMANDS', lab.file(COMMANDS, '')));
    const settings = [
      'exabgp.daemon.drop=false',
      'exabgp.api.cli=false',
      'exabgp.api.ack=false',
      'exabgp.log.level=WARNING',
    ];
    lab.startDaemon('env', ...settings, '/usr/sbin/exabgp', file);
    return Promise.resolve();
  },
  control: (lab, line) => {
    appendFileSync(join(lab.directory, COMMANDS), `${line}\n`);
    return '';
  },
  sessions: exabgpSessions,
  cannot: {
    'multicast in families': 'this version sends such a route as a unicast one',
    'OPEN of more than 255 octets': 'this version refuses RFC 9072, so that `families` offers few capabilities',
    'origin:192.0.2.1:7': 'this version writes it with the type of a two-octet AS number',
    'prepending in as2': 'it does not put its own AS before a path that is configured',
  },
};
