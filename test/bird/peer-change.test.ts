import { describe, expect, test } from 'vitest';
import type { PeerSettings } from '../../bird/index.ts';
import { matchPeers, peerChange } from '../../bird/peer-change.ts';
import type { PeerChange } from '../../bird/peer-change.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';

/** Another value of each setting, and what it costs a session that is up. A setting without a row does not compile. */
const COSTS: { readonly [K in keyof Required<PeerSettings>]: readonly [PeerSettings[K], PeerChange] } = {
  address: [parseIpAddress('10.0.0.9'), 'another peer'],
  remoteAsn: [65009, 'another peer'],
  families: [[4, 6], 'another peer'],
  localAsn: [65009, 'new session'],
  localAddress: [parseIpAddress('10.0.0.7'), 'new session'],
  interface: ['eth7', 'new session'],
  password: ['secret', 'new session'],
  ttlSecurityHops: [1, 'new session'],
  holdSeconds: [30, 'new session'],
  nextHop: ['self', 'light'],
  routeReflectorClient: [true, 'light'],
  allowOwnAsn: [1, 'light'],
  addPath: [{ send: true, receive: true }, 'light'],
  extendedNextHop: [true, 'new session'],
  extendedMessages: [true, 'new session'],
  role: ['peer', 'new session'],
  isRoleStrict: [true, 'new session'],
  routeServerClient: [true, 'light'],
  asOverride: [true, 'light'],
  removePrivateAs: [true, 'light'],
  enforceFirstAs: [true, 'light'],
  requirePolicy: [true, 'light'],
  aigp: [true, 'new session'],
  port: [1790, 'light'],
  passive: [true, 'light'],
  kind: ['node specific', 'light'],
  origin: ['BGPPeer(b)', 'light'],
  description: ['rack 7', 'light'],
  shutdown: ['maintenance', 'light'],
  connectDelaySeconds: [3, 'light'],
  dialAtStart: [true, 'light'],
  delayOpenSeconds: [3, 'light'],
  connectRetrySeconds: [7, 'light'],
  errorWaitSeconds: [[2, 8], 'light'],
  keepaliveSeconds: [3, 'light'],
  sendHoldSeconds: [300, 'light'],
  gracefulRestartSeconds: [20, 'light'],
  notificationRestart: [true, 'light'],
  longLivedSeconds: [3600, 'light'],
  prefixLimits: [{ 4: { maximum: 10, warnPercent: 75, action: 'warn' } }, 'light'],
  importFilters: [[], 'light'],
  exportFilters: [[], 'light'],
  bfd: [{ transmitMs: 300, receiveMs: 300, multiplier: 3 }, 'light'],
  remoteAsns: [[65001], 'light'],
};

const before = peerSettings({ address: '10.0.0.1' });

test.each(Object.entries(COSTS))('%s', (name, [value, cost]) => {
  expect(peerChange(before, { ...before, [name]: value }, true)).toBe(cost);
});

test.each(['port', 'passive', 'connectRetrySeconds', 'errorWaitSeconds'] as const)(
  '%s is news while there is no session: nobody waits as long as the old settings said',
  (name) => {
    expect(peerChange(before, { ...before, [name]: COSTS[name][0] }, false)).toBe('new session');
  },
);

test('a setting that is absent and one that is undefined are the same', () => {
  const changed = { ...before, password: undefined } as unknown as PeerSettings;
  expect(peerChange(before, changed, true)).toBe('none');
});

describe('a link-local peer', () => {
  const on = (link: string, more: Partial<PeerText> = {}) =>
    peerSettings({ address: 'fe80::1', interface: link, ...more });

  test('on another link is another peer', () => {
    expect(peerChange(on('eth0'), on('eth1'), true)).toBe('another peer');
  });

  test('is not its namesake on another link', () => {
    const two = [{ settings: on('eth0') }, { settings: on('eth1') }];
    expect(matchPeers(two, [on('eth1', { holdSeconds: 30 }), on('eth0'), on('eth2')])).toEqual([
      two[1],
      two[0],
      undefined,
    ]);
  });
});
