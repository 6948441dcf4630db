import { describe, expect, test } from 'vitest';
import { explained as explain, incident, NOW, notified } from '../../support/explanations.ts';
import type { Scene } from '../../support/explanations.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';

const stood = { dialled: 1, connected: 1, incoming: 0, hasSeenOpen: false };
const local = { localAddress: parseIpAddress('10.0.0.1') };

test.each<readonly [what: string, Scene, cause: string]>([
  ['up', { state: 'Established', holdSeconds: 90 }, 'established'],
  ['shut down', { settings: { shutdown: 'maintenance' } }, 'shut down here'],
  ['our AS is wrong', { incidents: [notified('received', '2/2')] }, 'wrong AS'],
  ['their AS is wrong', { incidents: [notified('sent', '2/2')] }, 'wrong AS'],
  ['same identifier', { incidents: [notified('sent', '2/3')] }, 'wrong identifier'],
  ['an OPEN that pleases nobody', { incidents: [notified('received', '2/0')] }, 'refused by the peer'],
  ['version', { incidents: [notified('sent', '2/1')] }, 'wrong version'],
  ['hold time', { incidents: [notified('received', '2/6')] }, 'wrong hold time'],
  ['no family', { incidents: [notified('sent', '2/7')] }, 'no common family'],
  ['role', { incidents: [notified('received', '2/11')] }, 'wrong role'],
  ['wrong port', { incidents: [incident('connection failed', 'x', { errno: 'ECONNREFUSED' })] }, 'nobody listens'],
  ['wrong address', { incidents: [incident('connection failed', 'x', { errno: 'EHOSTUNREACH' })] }, 'no route'],
  ['no route', { incidents: [incident('connection failed', 'x', { errno: 'ENETUNREACH' })] }, 'no route'],
  [
    'our address',
    { incidents: [incident('connection failed', 'x', { errno: 'EADDRNOTAVAIL' })] },
    'no such source address',
  ],
  ['time-out of the kernel', { incidents: [incident('connection failed', 'x', { errno: 'ETIMEDOUT' })] }, 'no answer'],
  ['our own firewall', { incidents: [incident('connection failed', 'x', { errno: 'EPERM' })] }, 'cannot connect'],
  ['silence on SYN', { incidents: [incident('silence', 'no answer within 3 s')] }, 'no answer'],
  [
    'silence on SYN, and there was a connection once',
    { reach: stood, incidents: [incident('silence', 'x')] },
    'no answer',
  ],
  ['silence after TCP', { reach: stood, incidents: [incident('no OPEN', 'no OPEN within 3 s')] }, 'no OPEN'],
  ['passive and nobody came', { settings: { passive: true }, reach: { ...stood, dialled: 0 } }, 'both wait'],
  ['passive for a moment', { settings: { passive: true }, since: NOW - 2000 }, 'just started'],
  [
    'hung up on before OPEN',
    { reach: stood, incidents: [incident('connection lost', 'x')] },
    'not configured at the peer',
  ],
  [
    'reset before OPEN',
    { incidents: [incident('connection lost', 'x', { errno: 'ECONNRESET' })] },
    'not configured at the peer',
  ],
  ['broken before OPEN', { incidents: [incident('connection lost', 'x', { errno: 'ETIMEDOUT' })] }, 'connection lost'],
  ['crashed', { incidents: [incident('connection lost', 'reset', { isFlap: true })] }, 'connection lost'],
  [
    'crashed host',
    { incidents: [incident('connection lost', 'x', { isFlap: true, errno: 'ETIMEDOUT' })] },
    'connection lost',
  ],
  ['hold timer', { incidents: [notified('sent', '4/0')] }, 'silence'],
  ['send hold timer', { incidents: [notified('sent', '8/0')] }, 'silence'],
  ['limit', { incidents: [notified('sent', '6/1')] }, 'prefix limit'],
  ['removed there', { incidents: [notified('received', '6/3')] }, 'not configured at the peer'],
  ['reset there', { incidents: [notified('received', '6/4')] }, 'configuration change'],
  ['refused there', { incidents: [notified('received', '6/5')] }, 'not configured at the peer'],
  ['out of memory there', { incidents: [notified('received', '6/8')] }, 'out of resources'],
  ['BFD', { incidents: [incident('bfd', 'control detection time expired')] }, 'path failure'],
  ['BFD there', { incidents: [notified('received', '6/10')] }, 'path failure'],
  ['a Cease that is new to us', { incidents: [notified('received', '6/77')] }, 'refused by the peer'],
  ['broken UPDATE', { incidents: [notified('sent', '3/1')] }, 'malformed message'],
  ['a NOTIFICATION that is new to us', { incidents: [notified('received', '99/1')] }, 'unknown'],
  [
    'settings that changed',
    { incidents: [incident('administrative', 'the settings changed')] },
    'configuration change',
  ],
  ['nothing yet', {}, 'just started'],
])('%s', (_, scene, cause) => expect(explain(scene).cause).toBe(cause));

describe('the words say what is wrong, with both values', () => {
  test.each<readonly [Scene, string]>([
    [
      { incidents: [notified('sent', '2/2', '0000fdea')] },
      'the peer says that it is in AS 65002, and configured here is AS 64512',
    ],
    [
      { incidents: [notified('sent', '2/2', 'fdea')] },
      'the peer says that it is in AS 65002, and configured here is AS 64512',
    ],
    [
      { incidents: [notified('sent', '2/3', '0a620001')] },
      'the peer has our own BGP Identifier (router id), 10.98.0.1',
    ],
    [{ incidents: [notified('sent', '2/3', '00000000')] }, 'the BGP Identifier (router id) of the peer is 0.0.0.0'],
    [
      { incidents: [notified('sent', '2/6', '0002')] },
      'the peer wants a hold time of 2 s: only 0, or 3 and more are allowed',
    ],
    [
      { incidents: [notified('sent', '2/7')], settings: { families: [4, 6] } },
      'the peer does not offer what is configured here: IPv4 unicast, IPv6 unicast',
    ],
    [{ incidents: [notified('received', '6/2')] }, 'the peer’s operator shut the session down, without a word why'],
    [
      { incidents: [notified('received', '6/1', '00020100000064')] },
      'we announced more than the peer’s limit of 100 IPv6 prefixes, so the peer ended the session',
    ],
    [
      {
        incidents: [notified('sent', '6/1', '00010100000064')],
        settings: { prefixLimits: { 4: { maximum: 100, warnPercent: 80, action: 'shutdown', restartSeconds: 300 } } },
      },
      'the peer announced more than its limit of 100 IPv4 prefixes, so we ended the session; we try again after 300 s',
    ],
    [
      { reach: { ...stood, ...local }, incidents: [incident('connection lost', 'the peer closed the connection')] },
      'the peer takes our connection and hangs up before its OPEN: it has no neighbor 10.0.0.1 that may come up now',
    ],
    [
      { settings: { passive: true }, since: NOW - 200_000 },
      'this side is passive and waits, and 10.0.0.2 has not connected for 3 min: it may be passive, too',
    ],
  ])('%#', (scene, verdict) => expect(explain(scene).verdict).toBe(verdict));
});

test('a Hard Reset is told as what it stands for, with its data', () => {
  const hard = (data: string) => explain({ incidents: [notified('received', '6/9', data)] });
  expect(hard('0602').cause).toBe('shut down by the peer');
  expect(hard('060100010100000064').verdict).toMatch(/limit of 100 IPv4 prefixes/);
  expect(hard('').cause).toBe('refused by the peer');
});

describe('TCP stands, and the session does not get on', () => {
  const standing = (state: 'OpenSent' | 'OpenConfirm', retransmits: number | undefined, more: Scene = {}) =>
    explain({
      state,
      since: NOW - 2000,
      reach: stood,
      connection: { ...local, ...(retransmits !== undefined && { retransmits }) },
      ...more,
    });
  test('nothing of ours is acknowledged: TTL security there', () => {
    const told = standing('OpenConfirm', 3);
    expect(told.cause).toBe('wrong TTL');
    expect(told.verdict).toContain('its OPEN came, but the peer hears nothing');
    expect(told.evidence[0]).toBe('TCP has sent the same 3 times again without an acknowledgement');
  });
  test('the same with TTL security on both sides: it allows too few hops', () =>
    expect(standing('OpenSent', 2, { settings: { ttlSecurityHops: 2 } }).verdict).toContain('allows fewer hops'));
  test('all is acknowledged: the process there hangs', () => {
    expect(standing('OpenSent', 0).cause).toBe('no OPEN');
    expect(standing('OpenConfirm', undefined).cause).toBe('no KEEPALIVE');
  });
  test('not before two seconds: until then the past explains', () => {
    const incidents = [notified('sent', '2/2')];
    expect(standing('OpenSent', 0, { since: NOW - 1900, incidents }).cause).toBe('wrong AS');
    expect(standing('OpenSent', 0, { incidents }).cause).toBe('no OPEN');
  });
  test('an Established session whose path is gone says so before the hold timer does', () => {
    const told = explain({ state: 'Established', flaps: 2, connection: { ...local, retransmits: 3 } });
    expect(told.evidence).toContain('it was lost 2 times since the peer was configured');
    expect(told.verdict).toMatch(/^the session is up, but the peer acknowledges nothing of what we send/);
    expect(told.evidence).toContain('TCP has sent the same 3 times again without an acknowledgement');
    const once = { ...local, retransmits: 2 };
    expect(explain({ state: 'Established', connection: once }).verdict).toBe('the session is up');
  });
});

describe('the evidence', () => {
  test('names what was sent, the operator’s words in the verdict, and the past, the newest first', () => {
    const { notification } = notified('received', '6/2', '0474657374');
    const shutdown = incident('notification received', 'NOTIFICATION received', {
      notification: { ...notification!, shutdownText: 'test' },
      count: 3,
      firstAt: NOW - 60_000,
    });
    const told = explain({ incidents: [incident('connection lost', 'first'), shutdown] });
    expect(told.verdict).toBe('the peer’s operator shut the session down: "test"');
    expect(told.evidence).toEqual([
      'the peer sent NOTIFICATION 6/2, its name',
      'we dialled once; no connection of the peer has come; TCP has not stood',
      'no OPEN of the peer has ever come',
      '4 s ago: NOTIFICATION received (3 times, first 60 s ago)',
      '4 s ago: first',
    ]);
  });
  test('of families names both offers', () => {
    const capabilities = { sent: ['IPv4 unicast'], received: ['IPv6 unicast', 'route refresh'] };
    expect(
      explain({ capabilities, incidents: [notified('sent', '2/7', '010400010001')] }).evidence.slice(0, 3),
    ).toEqual([
      'we sent NOTIFICATION 2/7, its name, data 010400010001',
      'the peer offered: IPv6 unicast; route refresh',
      'we offered: IPv4 unicast',
    ]);
  });
  test('tells of a wait after an error, and of nothing like it after a prefix limit', () => {
    const waits = (code: string): boolean =>
      explain({ state: 'Idle', incidents: [notified('sent', code)] })
        .evidence.join()
        .includes('we wait 5 to 30 s');
    expect([waits('2/2'), waits('6/1')]).toEqual([true, false]);
  });
  test('tells of BFD that is not up', () => {
    const bfd = { state: 'Down', lastDiagnostic: 'nothing heard for 900 ms' } as NonNullable<Scene['bfd']>;
    expect(explain({ bfd }).evidence).toContain('BFD is Down: nothing heard for 900 ms');
    expect(explain({ bfd: { ...bfd, state: 'Up' } }).evidence.join()).not.toContain('BFD');
  });
});
