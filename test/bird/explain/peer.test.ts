import { describe, expect, test } from 'vitest';
import type { KernelDrops, PeerExplanation } from '../../../bird/explain/finding.ts';
import { explainPeer } from '../../../bird/explain/peer.ts';
import type { PeerIncident, PeerView } from '../../../bird/view.ts';
import { peerSettings } from '../../support/bgp.ts';
import type { PeerText } from '../../support/bgp.ts';

const NOW = 1_000_000;
const NO_DROPS: KernelDrops = { wrongSignature: 0, missingSignature: 0, unexpectedSignature: 0, lowTtl: 0 };
const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

interface Scene extends Partial<Omit<PeerView, 'settings'>> {
  readonly settings?: Partial<PeerText>;
  readonly drops?: Partial<KernelDrops>;
}

function explain({ settings, drops, ...changes }: Scene): PeerExplanation {
  const view: PeerView = {
    settings: peerSettings({ address: '10.0.0.2', localAddress: '10.0.0.1', ...settings }),
    state: 'Active',
    since: NOW - 5000,
    received: 0,
    accepted: 0,
    advertised: 0,
    prefixes: [],
    flaps: 0,
    incidents: [],
    reach: { dialled: 1, connected: 0, incoming: 0, hasSeenOpen: false },
    messages: { sent: NO_MESSAGES, received: NO_MESSAGES },
    ...changes,
  };
  return explainPeer({ view, now: NOW, drops: { ...NO_DROPS, ...drops } });
}

const incident = (kind: PeerIncident['kind'], text: string, more: Partial<PeerIncident> = {}): PeerIncident => ({
  at: NOW - 4000,
  kind,
  text,
  isFlap: false,
  ...more,
});
const notified = (kind: 'notification sent' | 'notification received', code: number, subcode: number) =>
  incident(kind, 'the text', { notification: { code, subcode, name: 'its name', data: '' } });

describe('each cause by its name', () => {
  const stood = { dialled: 1, connected: 1, incoming: 0, hasSeenOpen: false };
  const CASES: readonly (readonly [string, Scene, string])[] = [
    ['up', { state: 'Established', holdSeconds: 90 }, 'established'],
    ['shut down', { settings: { shutdown: 'maintenance' } }, 'shut down here'],
    ['our AS is wrong', { incidents: [notified('notification received', 2, 2)] }, 'wrong AS'],
    ['their AS is wrong', { incidents: [notified('notification sent', 2, 2)] }, 'wrong AS'],
    ['same identifier', { incidents: [notified('notification sent', 2, 3)] }, 'wrong identifier'],
    ['no family', { incidents: [notified('notification sent', 2, 7)] }, 'no common family'],
    ['role', { incidents: [notified('notification received', 2, 11)] }, 'wrong role'],
    [
      'wrong port',
      { incidents: [incident('connection failed', 'refused', { errno: 'ECONNREFUSED' })] },
      'nobody listens',
    ],
    ['wrong address', { incidents: [incident('connection failed', 'x', { errno: 'EHOSTUNREACH' })] }, 'no route'],
    [
      'our address',
      { incidents: [incident('connection failed', 'x', { errno: 'EADDRNOTAVAIL' })] },
      'no such source address',
    ],
    ['silence on SYN', { incidents: [incident('silence', 'no answer within 3 s')] }, 'no answer'],
    ['silence after TCP', { reach: stood, incidents: [incident('silence', 'no OPEN within 3 s')] }, 'no OPEN'],
    ['passive and nobody came', { settings: { passive: true }, reach: { ...stood, dialled: 0 } }, 'both wait'],
    [
      'hung up on before OPEN',
      { reach: stood, incidents: [incident('connection lost', 'closed')] },
      'not configured at the peer',
    ],
    ['crashed', { incidents: [incident('connection lost', 'reset', { isFlap: true })] }, 'connection lost'],
    ['hold timer', { incidents: [notified('notification sent', 4, 0)] }, 'silence'],
    ['limit', { incidents: [notified('notification sent', 6, 1)] }, 'prefix limit'],
    ['BFD', { incidents: [incident('bfd', 'control detection time expired')] }, 'path failure'],
    ['broken UPDATE', { incidents: [notified('notification sent', 3, 1)] }, 'malformed message'],
    ['nothing yet', {}, 'just started'],
  ];
  test.each(CASES)('%s', (_, scene, cause) => expect(explain(scene).cause).toBe(cause));
});

describe('TCP MD5 shows in what the kernel dropped', () => {
  const unanswered = [incident('silence', 'no answer within 3 s')];
  test('another key', () => {
    const told = explain({ settings: { password: 'a' }, drops: { wrongSignature: 3 }, incidents: unanswered });
    expect(told.cause).toBe('wrong password');
    expect(told.evidence[0]).toBe('the kernel dropped 3 segments whose MD5 signature is wrong');
  });
  test('none at the peer', () =>
    expect(
      explain({ settings: { password: 'a' }, drops: { missingSignature: 1 }, incidents: unanswered }).verdict,
    ).toMatch(/set here and not at the peer/));
  test('none here', () =>
    expect(explain({ drops: { unexpectedSignature: 1 }, incidents: unanswered }).verdict).toMatch(
      /at the peer and not here/,
    ));
  test('a NOTIFICATION says more than what other connections lost', () =>
    expect(explain({ drops: { unexpectedSignature: 1 }, incidents: [notified('notification sent', 2, 2)] }).cause).toBe(
      'wrong AS',
    ));
  test('nobody answers and nothing was dropped: the password is among what to check', () =>
    expect(explain({ settings: { password: 'a' }, incidents: unanswered }).next.join()).toMatch(
      /a wrong one looks exactly like this/,
    ));
});

test('GTSM shows in the TTLs that were too low', () => {
  const told = explain({
    settings: { ttlSecurityHops: 1 },
    drops: { lowTtl: 2 },
    incidents: [incident('silence', 'x')],
  });
  expect(told.cause).toBe('wrong TTL');
  expect(told.verdict).toContain('farther than one hop');
});

test('a Hard Reset is told as what it stands for', () => {
  const hard = { code: 6, subcode: 9, name: 'Cease / Hard Reset', data: '0602' };
  expect(explain({ incidents: [incident('notification received', 'x', { notification: hard })] }).cause).toBe(
    'shut down by the peer',
  );
});

test('a collision of connections explains nothing: what was before it does', () => {
  const incidents = [notified('notification sent', 2, 2), notified('notification sent', 6, 7)];
  expect(explain({ incidents }).cause).toBe('wrong AS');
});

test('the evidence names what was sent, its data and words, and the past, the newest first', () => {
  const shutdown = incident('notification received', 'NOTIFICATION received', {
    notification: {
      code: 6,
      subcode: 2,
      name: 'Cease / Administrative Shutdown',
      data: '0474657374',
      shutdownText: 'test',
    },
  });
  const told = explain({ incidents: [incident('connection lost', 'first'), shutdown] });
  expect(told.evidence).toEqual([
    'the peer sent NOTIFICATION 6/2, Cease / Administrative Shutdown',
    'its data: 0474657374',
    'its words: "test"',
    'NOTIFICATION received',
    'dialled 1 times, TCP stood 0 times, 10.0.0.2 dialled us 0 times',
    'no OPEN of the peer was ever seen',
    '4 s ago: NOTIFICATION received',
    '4 s ago: first',
  ]);
});
