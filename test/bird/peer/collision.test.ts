import { describe, expect, test } from 'vitest';
import { admitIncoming, judgeOpen, survivingDirection } from '../../../bird/peer/collision.ts';
import type { Direction } from '../../../bird/peer/collision.ts';
import type { State } from '../../../bird/peer/fsm.ts';
import { agreed, localSettings, openOf, withoutRestart } from '../../support/bgp.ts';
import { STATES } from '../../support/fsm-cases.ts';

const local = localSettings();
const plain = withoutRestart(local);
const low = { asn: 64512, bgpIdentifier: 1 };
const high = { asn: 64512, bgpIdentifier: 0xffff_fffe };
const EstablishedWithoutRestart: State = { ...STATES.Established, session: agreed(plain, openOf(local)) };

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
  const dominant = { local: high, remote: low };
  const inferior = { local: low, remote: high };
  test('in OpenConfirm: the dominant side keeps the connection that it made', () => {
    expect(judgeOpen('outgoing', STATES.OpenConfirm, dominant)).toBe('keepArrived');
    expect(judgeOpen('incoming', STATES.OpenConfirm, dominant)).toBe('keepOther');
    expect(judgeOpen('outgoing', STATES.OpenConfirm, inferior)).toBe('keepOther');
    expect(judgeOpen('incoming', STATES.OpenConfirm, inferior)).toBe('keepArrived');
  });
  test.each(['OpenSent', 'Connect, DelayOpen', 'Active, DelayOpen'] as const)(
    'in %s: the one that is to survive does so at once, the other waits for the peer to speak there too',
    (name) => {
      expect(judgeOpen('outgoing', STATES[name], dominant)).toBe('keepArrived');
      expect(judgeOpen('incoming', STATES[name], dominant)).toBe('wait');
      expect(judgeOpen('outgoing', STATES[name], inferior)).toBe('wait');
      expect(judgeOpen('incoming', STATES[name], inferior)).toBe('keepArrived');
    },
  );
  test('in Established: the session wins', () => {
    expect(judgeOpen('incoming', EstablishedWithoutRestart, dominant)).toBe('keepOther');
    expect(judgeOpen('incoming', EstablishedWithoutRestart, inferior)).toBe('keepOther');
  });
  test('in Established with graceful restart: the peer may have restarted, its KEEPALIVE will tell', () => {
    expect(judgeOpen('incoming', STATES.Established, dominant)).toBe('both');
  });
  test.each(['Idle', 'Connect', 'Active'] as const)('in %s: a mere attempt gives way', (name) => {
    expect(judgeOpen('incoming', STATES[name], dominant)).toBe('keepArrived');
  });
});

describe('an incoming connection', () => {
  const admitted = (state: State, direction: Direction = 'outgoing', hasRival = false): string => {
    const admission = admitIncoming({ state, direction }, hasRival);
    return admission.as === 'refused' ? admission.fault.code.join('/') : admission.as;
  };

  test('is what Active waits for', () => expect(admitted(STATES.Active)).toBe('main'));
  test('finds Idle closed, so that a damped peer stays damped', () => {
    expect(admitted(STATES['Idle, held'])).toBe('6/5');
    expect(admitted(STATES.Idle)).toBe('6/5');
  });
  test.each(['Connect', 'Connect, DelayOpen', 'OpenSent', 'OpenConfirm'] as const)(
    'runs beside our own connection in %s',
    (name) => expect(admitted(STATES[name])).toBe('rival'),
  );
  test('is one too many where there are two', () => {
    for (const name of ['OpenSent', 'OpenConfirm', 'Established'] as const) {
      expect(admitted(STATES[name], 'outgoing', true)).toBe('6/5');
    }
  });
  test.each(['Active, DelayOpen', 'OpenSent', 'OpenConfirm'] as const)(
    'is one too many where the one in %s came in too',
    (name) => expect(admitted(STATES[name], 'incoming')).toBe('6/5'),
  );
  test('is refused by an Established session, as a collision', () => {
    expect(admitted(EstablishedWithoutRestart)).toBe('6/7');
  });
  test('runs beside an Established session with graceful restart, whoever made that', () => {
    expect(admitted(STATES.Established, 'outgoing')).toBe('rival');
    expect(admitted(STATES.Established, 'incoming')).toBe('rival');
  });
});
