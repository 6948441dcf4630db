import { describe, expect, test } from 'vitest';
import { admitIncoming, judgeOpen, survivingDirection } from '../../../bird/peer/collision.ts';
import type { State } from '../../../bird/peer/fsm.ts';
import { agreed, localSettings, openOf, withoutRestart } from '../../support/bgp.ts';

const local = localSettings();
const plain = withoutRestart(local);
const low = { asn: 64512, bgpIdentifier: 1 };
const high = { asn: 64512, bgpIdentifier: 0xffff_fffe };

const early = (name: 'Idle' | 'Connect' | 'Active' | 'OpenSent'): State => ({ name, failures: 0 });
const late = (name: 'OpenConfirm' | 'Established', restart = true): State => ({
  name,
  failures: 0,
  session: agreed(restart ? local : plain, openOf(local)),
});

describe('which connection survives', () => {
  test('the one that the higher BGP Identifier made, compared unsigned', () => {
    expect(survivingDirection(high, low)).toBe('outgoing');
    expect(survivingDirection(low, high)).toBe('incoming');
  });
  test('among equal identifiers the one of the higher AS, RFC 6286', () => {
    expect(survivingDirection({ asn: 65001, bgpIdentifier: 7 }, { asn: 64512, bgpIdentifier: 7 })).toBe('outgoing');
    expect(survivingDirection({ asn: 64512, bgpIdentifier: 7 }, { asn: 65001, bgpIdentifier: 7 })).toBe('incoming');
  });
  test('both sides always choose the same connection', () => {
    for (const [a, b] of [
      [low, high],
      [high, low],
      [
        { asn: 1, bgpIdentifier: 7 },
        { asn: 2, bgpIdentifier: 7 },
      ],
    ] as const) {
      const ours = survivingDirection(a, b);
      expect(survivingDirection(b, a)).toBe(ours === 'outgoing' ? 'incoming' : 'outgoing');
    }
  });
});

describe('an OPEN while another connection exists', () => {
  const sides = { local: high, remote: low };
  test('in OpenSent: nobody can tell yet', () => expect(judgeOpen('incoming', early('OpenSent'), sides)).toBe('both'));
  test('in OpenConfirm: the dominant side decides', () => {
    expect(judgeOpen('outgoing', late('OpenConfirm'), sides)).toBe('keepArrived');
    expect(judgeOpen('incoming', late('OpenConfirm'), sides)).toBe('keepOther');
  });
  test('in Established: the session wins', () => {
    expect(judgeOpen('incoming', late('Established', false), sides)).toBe('keepOther');
  });
  test('in Established with graceful restart: the peer has restarted, and the new one wins', () => {
    expect(judgeOpen('incoming', late('Established'), sides)).toBe('keepArrived');
  });
  test('a mere attempt gives way', () => expect(judgeOpen('incoming', early('Connect'), sides)).toBe('keepArrived'));
});

describe('an incoming connection', () => {
  test('is what Active waits for', () => expect(admitIncoming(early('Active'), false)).toBe('takeOver'));
  test('finds Idle closed, so that a damped peer stays damped', () => {
    expect(admitIncoming(early('Idle'), false)).toBe('refuse');
  });
  test('runs beside our own attempt', () => expect(admitIncoming(early('Connect'), false)).toBe('rival'));
  test('is one too many where there are two', () => expect(admitIncoming(early('OpenSent'), true)).toBe('refuse'));
  test('is refused by an Established session without graceful restart', () => {
    expect(admitIncoming(late('Established', false), false)).toBe('refuse');
    expect(admitIncoming(late('Established'), false)).toBe('rival');
  });
});
