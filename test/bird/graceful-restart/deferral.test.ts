import { describe, expect, test } from 'vitest';
import { awaitedFrom, CONVERGED, DEFERRING, deferralStep } from '../../../bird/graceful-restart/deferral.ts';
import type { DeferralEvent, Patience } from '../../../bird/graceful-restart/deferral.ts';
import type { PeerRestart } from '../../../bird/graceful-restart/peer-restart.ts';

const family = {
  family: 4,
  restartSeconds: 120,
  forwardingPreserved: true,
  longLivedSeconds: 0,
  longLivedPreserved: false,
} as const;
const restart = (changes: Partial<PeerRestart> = {}): PeerRestart => ({
  restarting: false,
  notification: true,
  restartSeconds: 120,
  helpsOnly: false,
  families: [family],
  ...changes,
});

describe('a restarted speaker', () => {
  const KNOWN: readonly DeferralEvent[] = [{ type: 'originatedSet' }, { type: 'peersSet', peers: ['a', 'b'] }];
  const after = (...events: readonly DeferralEvent[]): string => events.reduce(deferralStep, DEFERRING).name;
  const up = (
    peer: string,
    theirs: PeerRestart | undefined = restart(),
    patience: Patience = 'RFC 4724',
  ): DeferralEvent => ({ type: 'peerUp', peer, awaited: awaitedFrom(theirs, patience) });
  const end = (peer: string): DeferralEvent => ({ type: 'endOfRib', peer, family: 4 });

  test('waits for End-of-RIB of every peer', () => {
    expect(after(...KNOWN, up('a'), end('a'), up('b'))).toBe('deferring');
    expect(after(...KNOWN, up('a'), end('a'), up('b'), end('b'))).toBe('converged');
  });
  test('waits for nobody without graceful restart, nor for a peer that restarts itself', () => {
    expect(awaitedFrom(undefined, 'everybody')).toEqual([]);
    expect(after(...KNOWN, { type: 'peerUp', peer: 'a', awaited: [] }, up('b', restart({ restarting: true })))).toBe(
      'converged',
    );
  });
  test('waits for a peer that only helps, in every family of the session, R bit or not', () => {
    // FRR 8.4 as a helper: no family in its capability, and the R bit for two minutes after its start.
    const helper = restart({ restarting: true, helpsOnly: true });
    expect(after(...KNOWN, up('a', helper), up('b', helper), end('a'))).toBe('deferring');
    expect(after(...KNOWN, up('a', helper), up('b', helper), end('a'), end('b'))).toBe('converged');
  });
  test('waits for a peer that restarts too where its own End-of-RIB waits for nobody', () => {
    const both = [
      up('a', restart({ restarting: true }), 'everybody'),
      up('b', restart({ restarting: true }), 'everybody'),
    ];
    expect(after(...KNOWN, ...both, end('a'))).toBe('deferring');
    expect(after(...KNOWN, ...both, end('a'), end('b'))).toBe('converged');
  });
  test('waits again for a peer that it lost', () => {
    expect(after(...KNOWN, up('a'), end('a'), { type: 'peerLost', peer: 'a' }, up('b'), end('b'))).toBe('deferring');
  });
  test('waits no longer for a peer that was removed', () => {
    expect(after(...KNOWN, up('a'), end('a'), { type: 'peersSet', peers: ['a'] })).toBe('converged');
  });
  test('waits until it knows its peers and its own routes', () => {
    expect(after({ type: 'originatedSet' })).toBe('deferring');
    expect(after({ type: 'peersSet', peers: [] })).toBe('deferring');
    expect(after({ type: 'peersSet', peers: [] }, { type: 'originatedSet' })).toBe('converged');
  });
  test('waits no longer than the deferral time, and never again', () => {
    expect(after({ type: 'timerExpires' })).toBe('converged');
    expect(deferralStep(CONVERGED, { type: 'peersSet', peers: ['c'] })).toBe(CONVERGED);
  });
});
