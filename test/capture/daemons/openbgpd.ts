import { chmodSync, existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { Daemon } from '../daemon.ts';
import { openbgpdSessions } from './openbgpd-sessions.ts';

/** Its processes change their root to here; systemd makes it elsewhere. */
const EMPTY_ROOT = '/run/openbgpd';
const SOCKET = 'bgpd.sock';

export const openbgpd: Daemon = {
  name: 'openbgpd',
  package: 'openbgpd',
  programs: ['/usr/sbin/bgpd', '/usr/sbin/bgpctl'],
  version: ['/usr/sbin/bgpd', '-V'],
  dials: 'recorder',
  start: async (lab, config) => {
    if (!existsSync(EMPTY_ROOT)) {
      mkdirSync(EMPTY_ROOT, { mode: 0o755 });
      lab.onClose(() => rmdirSync(EMPTY_ROOT));
    }
    const socket = join(lab.directory, SOCKET);
    const file = lab.file('bgpd.conf', config.replace('SOCKET', socket));
    chmodSync(file, 0o600);
    lab.startDaemon('/usr/sbin/bgpd', '-d', '-f', file);
    await eventually(() => lab.run('/usr/sbin/bgpctl', '-s', socket, 'show'), 5000);
  },
  control: (lab, line) => lab.run('/usr/sbin/bgpctl', '-s', join(lab.directory, SOCKET), ...line.split(' ')),
  sessions: openbgpdSessions,
  cannot: {
    families: 'Debian 12 has no version with FlowSpec; its VPNs need OpenBSD; it knows neither labels nor multicast',
    nexthop6: 'this version does not know RFC 8950',
    'AS_SET, foreign AS numbers, ATOMIC_AGGREGATE, AGGREGATOR': 'its configuration has no words that make them',
    'two paths in addpath': 'one prefix has one network statement, so each has one path, with its identifier',
  },
};
