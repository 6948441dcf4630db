import { describe, expect, test } from 'vitest';
import type { PeerIncident } from '../../../bird/view.ts';
import { explained as explain, incident, notified } from '../../support/explanations.ts';

const unanswered = [incident('silence', 'no answer within 3 s')];

describe('TCP MD5 shows in what the kernel dropped', () => {
  test('another key', () => {
    const told = explain({ settings: { password: 'a' }, drops: { wrongSignature: 3 }, incidents: unanswered });
    expect([told.cause, told.verdict]).toEqual(['wrong password', 'the two sides have different passwords (TCP MD5)']);
    expect(told.evidence[0]).toBe('the kernel of this host has dropped 3 segments signed with another password');
  });
  test('none at the peer', () =>
    expect(
      explain({ settings: { password: 'a' }, drops: { missingSignature: 1 }, incidents: unanswered }).verdict,
    ).toBe('a password (TCP MD5) is set here and not at the peer'));
  test('none here', () =>
    expect(explain({ drops: { unexpectedSignature: 1 }, incidents: unanswered }).verdict).toBe(
      'a password (TCP MD5) is set at the peer and not here',
    ));
  test('what cannot concern this peer does not', () => {
    expect(explain({ drops: { wrongSignature: 1, missingSignature: 1, lowTtl: 1 }, incidents: unanswered }).cause).toBe(
      'no answer',
    );
    expect(
      explain({ settings: { password: 'a' }, drops: { unexpectedSignature: 1 }, incidents: unanswered }).cause,
    ).toBe('no answer');
  });
  test('a passive peer has no incident to go by', () =>
    expect(explain({ settings: { passive: true, password: 'a' }, drops: { wrongSignature: 1 } }).cause).toBe(
      'wrong password',
    ));
  test('other peers are down too: it is likely, and says why not more', () => {
    const scene = { settings: { password: 'a' }, drops: { wrongSignature: 3 }, incidents: unanswered };
    const told = explain({ ...scene, othersDown: 2 });
    expect(told.verdict).toBe('most likely the two sides have different passwords (TCP MD5)');
    expect(told.evidence[1]).toBe('the kernel does not say whose they were, and 2 other peers are down here, too');
    expect(explain({ ...scene, othersDown: 1 }).evidence[1]).toMatch(/and another peer is down here, too$/);
  });
  test('nobody answers a signed call and nothing was dropped: the password is the first thing to check', () =>
    expect(explain({ settings: { password: 'a' }, incidents: unanswered }).next[0]).toMatch(
      /^the password at the peer/,
    ));
  test('a key that the kernel refuses', () => {
    const told = explain({ settings: { password: 'a', passive: true }, refusedPassword: 'optmem_max is too small' });
    expect([told.cause, told.evidence[0]]).toEqual(['wrong password', 'optmem_max is too small']);
  });
});

describe('GTSM shows in the TTLs that were too low', () => {
  test('with the least TTL, and the routers that may be between', () => {
    const told = explain({ settings: { ttlSecurityHops: 3 }, drops: { lowTtl: 2 }, incidents: unanswered });
    expect(told.verdict).toBe(
      'the peer is more than 3 hops away, or TTL security (GTSM) is on here and not at the peer',
    );
    expect(told.evidence[0]).toBe('the kernel of this host has dropped 2 segments whose TTL is below 253');
    expect(told.next[1]).toMatch(/at most 2 may be, 3 hops away is allowed here$/);
  });
  test('and next door none may be', () =>
    expect(explain({ settings: { ttlSecurityHops: 1 }, drops: { lowTtl: 1 } }).next[1]).toMatch(
      /none may be, one hop away is allowed here$/,
    ));
});

test('a caller whose SYN comes from too far away says so itself', () => {
  const refused = incident('too far away', 'TTL 64 of at least 255');
  const told = explain({ settings: { ttlSecurityHops: 1, passive: true }, incidents: [refused], drops: { lowTtl: 1 } });
  expect([told.cause, told.evidence[0]]).toEqual([
    'wrong TTL',
    'a connection of the peer was refused: TTL 64 of at least 255',
  ]);
});

test.each<readonly [what: string, PeerIncident, isAnswer: boolean]>([
  ['nobody listens', incident('connection failed', 'x', { errno: 'ECONNREFUSED' }), true],
  ['no such host', incident('connection failed', 'x', { errno: 'EHOSTUNREACH' }), true],
  ['hung up on', incident('connection lost', 'x'), true],
  ['an error in words', notified('sent', '2/2'), true],
  ['rejected', notified('received', '6/5'), true],
  ['no OPEN', incident('no OPEN', 'x'), false],
  ['time-out', incident('connection failed', 'x', { errno: 'ETIMEDOUT' }), false],
  ['the hold timer, and silence since', notified('sent', '4/0'), false],
  ['a crash, and silence since', incident('connection lost', 'x', { isFlap: true }), false],
  ['our new password, and silence since', incident('administrative', 'the settings changed'), false],
])('%s: what the kernel dropped of whomever explains it only where there was no answer', (...[, last, isAnswer]) => {
  const { cause } = explain({ settings: { password: 'a' }, drops: { wrongSignature: 1 }, incidents: [last] });
  expect(cause === 'wrong password').toBe(!isAnswer);
});
