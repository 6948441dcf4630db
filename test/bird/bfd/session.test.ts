import { describe, expect, test } from 'vitest';
import { DIAGNOSTIC } from '../../../bird/bfd/diagnostic.ts';
import type { BfdState, ControlPacket } from '../../../bird/bfd/packet.ts';
import { detectionMs, dueAt, newSession, step, transmitIntervalMs } from '../../../bird/bfd/session.ts';
import type { Report, Session, SessionEvent, Timing } from '../../../bird/bfd/session.ts';
import { peerPacket } from '../../support/bfd.ts';

const TIMING: Timing = { transmitMs: 300, receiveMs: 300, multiplier: 3 };

interface Outcome {
  readonly session: Session;
  readonly sent: readonly ControlPacket[];
  readonly reports: readonly Report[];
}

function take(
  session: Session,
  event: SessionEvent,
  at: { readonly now?: number; readonly chance?: number } = {},
): Outcome {
  const [next, effects] = step(session, event, { now: at.now ?? 100, chance: at.chance ?? 0 });
  return {
    session: next,
    sent: effects.flatMap((effect) => (effect.do === 'send' ? [effect.packet] : [])),
    reports: effects.flatMap((effect) => (effect.do === 'report' ? [effect] : [])),
  };
}

const receive = (session: Session, packet: Partial<ControlPacket>, now = 100): Outcome =>
  take(session, { type: 'received', packet: peerPacket(packet) }, { now });

/** Led there by packets, at time 100; every Poll Sequence of the way is over. */
function sessionIn(state: BfdState, timing = TIMING): Session {
  const start: Session = { ...newSession(7, timing), sentAt: 0 };
  switch (state) {
    case 'AdminDown':
      return take(start, { type: 'disabled' }).session;
    case 'Down':
      return start;
    case 'Init':
      return receive(start, { state: 'Down' }).session;
    case 'Up': {
      const up = receive(sessionIn('Init', timing), { state: 'Up' }).session;
      return receive(receive(up, { state: 'Up', final: true }).session, { state: 'Up' }).session;
    }
  }
}

describe('state × received state, RFC 5880 §6.8.6', () => {
  const { none, neighborSignaledDown } = DIAGNOSTIC;
  test.each<[BfdState, BfdState, BfdState, number]>([
    ['AdminDown', 'AdminDown', 'AdminDown', DIAGNOSTIC.administrativelyDown],
    ['AdminDown', 'Down', 'AdminDown', DIAGNOSTIC.administrativelyDown],
    ['AdminDown', 'Init', 'AdminDown', DIAGNOSTIC.administrativelyDown],
    ['AdminDown', 'Up', 'AdminDown', DIAGNOSTIC.administrativelyDown],
    ['Down', 'AdminDown', 'Down', none],
    ['Down', 'Down', 'Init', none],
    ['Down', 'Init', 'Up', none],
    ['Down', 'Up', 'Down', none],
    ['Init', 'AdminDown', 'Down', neighborSignaledDown],
    ['Init', 'Down', 'Init', none],
    ['Init', 'Init', 'Up', none],
    ['Init', 'Up', 'Up', none],
    ['Up', 'AdminDown', 'Down', neighborSignaledDown],
    ['Up', 'Down', 'Down', neighborSignaledDown],
    ['Up', 'Init', 'Up', none],
    ['Up', 'Up', 'Up', none],
  ])('%s receives %s: %s', (state, received, ...[expected, diagnostic]) => {
    const { session } = receive(sessionIn(state), { state: received });
    expect(session.state).toBe(expected);
    expect(session.diagnostic).toBe(diagnostic);
  });
});

describe('what is reported', () => {
  test('Up once, and the failure of a session that was Up, in words', () => {
    expect(receive(sessionIn('Init'), { state: 'Up' }).reports).toEqual([
      { do: 'report', state: 'Up', text: 'the session is up', isPathFailure: false },
    ]);
    const up = sessionIn('Up');
    expect(take(up, { type: 'due' }, { now: 100 + 900 }).reports).toEqual([
      { do: 'report', state: 'Down', text: 'nothing heard for 900 ms (3 x 300 ms)', isPathFailure: true },
    ]);
    expect(receive(up, { state: 'Down', diagnostic: 1 }).reports).toEqual([
      {
        do: 'report',
        state: 'Down',
        text: 'the peer says Down (Control Detection Time Expired): what we send does not reach it in time',
        isPathFailure: true,
      },
    ]);
    expect(receive(up, { state: 'Down', diagnostic: 5 }).reports[0]?.text).toBe('the peer says Down (Path Down)');
    expect(receive(up, { state: 'Down' }).reports[0]?.text).toBe('the peer says Down');
  });

  test('AdminDown of either side is no failure of the path, RFC 5882 §3.2', () => {
    const up = sessionIn('Up');
    expect(receive(up, { state: 'AdminDown', diagnostic: 7 }).reports).toEqual([
      { do: 'report', state: 'Down', text: 'the peer took the session down (AdminDown)', isPathFailure: false },
    ]);
    expect(take(up, { type: 'disabled' }).reports).toEqual([
      { do: 'report', state: 'Down', text: 'taken down here', isPathFailure: false },
    ]);
  });

  test('a peer that began anew before we missed it is no failure of the path: it restarted, and BGP has its own ways', () => {
    const forgot = { state: 'Down', myDiscriminator: 1234, yourDiscriminator: 0 } as const;
    expect(receive(sessionIn('Up'), forgot).reports).toEqual([
      { do: 'report', state: 'Down', text: 'the peer began its BFD session anew', isPathFailure: false },
    ]);
    expect(receive(sessionIn('Up'), { ...forgot, diagnostic: 1 }).reports).toMatchObject([{ isPathFailure: true }]);
    expect(receive(sessionIn('Up'), { state: 'Down' }).reports).toMatchObject([{ isPathFailure: true }]);
  });

  test('a session that never was Up reports nothing, whatever happens to it', () => {
    const init = sessionIn('Init');
    const lost = take(init, { type: 'due' }, { now: 100 + 3000 });
    expect(lost.session.state).toBe('Down');
    expect(lost.session.diagnostic).toBe(DIAGNOSTIC.detectionTimeExpired);
    expect([
      ...lost.reports,
      ...receive(init, { state: 'AdminDown' }).reports,
      ...take(init, { type: 'disabled' }).reports,
      ...receive(sessionIn('Down'), { state: 'Down' }).reports,
    ]).toEqual([]);
  });
});

describe('Detection Time, RFC 5880 §6.8.4', () => {
  test('is the multiplier of the peer times the slower of its rate and what we take', () => {
    const from = (packet: Partial<ControlPacket>): number | undefined =>
      detectionMs(receive(sessionIn('Up'), { state: 'Up', ...packet }).session);
    expect(from({ multiplier: 5, desiredMinTxUs: 50_000 })).toBe(5 * 300);
    expect(from({ multiplier: 2, desiredMinTxUs: 700_000 })).toBe(2 * 700);
  });

  test('starts anew with each packet, and ends the session when it is over and not before', () => {
    const heard = receive(sessionIn('Up'), { state: 'Up' }, 500).session;
    expect(take(heard, { type: 'due' }, { now: 500 + 899 }).session.state).toBe('Up');
    const { session, sent } = take(heard, { type: 'due' }, { now: 500 + 900 });
    expect(session.state).toBe('Down');
    expect(sent[0]).toMatchObject({ state: 'Down', diagnostic: 1, yourDiscriminator: 0 });
  });

  test('in Down its end makes the peer a stranger, and nothing else', () => {
    const heard = receive(sessionIn('Down'), { state: 'Up' }, 100).session;
    expect(heard.remote?.discriminator).toBe(99);
    const { session, reports } = take(heard, { type: 'due' }, { now: 100 + 900 });
    expect(session).toMatchObject({ state: 'Down', remote: undefined });
    expect(reports).toEqual([]);
  });
});

describe('when we send, RFC 5880 §6.8.7', () => {
  const wait = (timing: Timing, chance: number): number => {
    const { session } = take({ ...newSession(7, timing), sentAt: -Infinity }, { type: 'due' }, { now: 0, chance });
    return dueAt(session);
  };

  test('a new session speaks at once, and then once a second at most while it is not Up', () => {
    expect(dueAt(newSession(7, TIMING))).toBe(-Infinity);
    expect(wait(TIMING, 0)).toBe(750);
    expect(wait(TIMING, 0.999)).toBeCloseTo(1000, 0);
    expect(wait({ ...TIMING, transmitMs: 2000 }, 0)).toBe(1500);
    expect(take(newSession(7, TIMING), { type: 'due' }, { now: 0 }).sent[0]).toMatchObject({
      desiredMinTxUs: 1_000_000,
      requiredMinRxUs: 300_000,
      state: 'Down',
    });
  });

  test('with a multiplier of 1 the wait is 75 to 90 percent', () => {
    expect(wait({ ...TIMING, multiplier: 1 }, 0)).toBe(750);
    expect(wait({ ...TIMING, multiplier: 1 }, 0.999_999)).toBeCloseTo(900, 1);
  });

  test('once Up the configured rate holds, unless the peer wants less', () => {
    expect(transmitIntervalMs(sessionIn('Up'))).toBe(300);
    expect(transmitIntervalMs(receive(sessionIn('Up'), { state: 'Up', requiredMinRxUs: 800_000 }).session)).toBe(800);
  });

  test('a lower wish of the peer is honored from the last packet on, §6.8.3', () => {
    const slow = receive(sessionIn('Up'), { state: 'Up', requiredMinRxUs: 5_000_000, multiplier: 255 }).session;
    const sent = take(slow, { type: 'due' }, { now: slow.sentAt + 5000 }).session;
    const soon = receive(sent, { state: 'Up', requiredMinRxUs: 300_000 }, sent.sentAt + 10);
    expect(soon.sent).toEqual([]);
    expect(dueAt(soon.session)).toBe(sent.sentAt + 225);
    const late = receive(sent, { state: 'Up', requiredMinRxUs: 300_000 }, sent.sentAt + 1000);
    expect(late.sent).toHaveLength(1);
  });

  test('a change of state is told at once and counts as the periodic packet', () => {
    const { session, sent } = receive(sessionIn('Down'), { state: 'Down' }, 100);
    expect(sent).toMatchObject([{ state: 'Init', yourDiscriminator: 99, poll: false, final: false }]);
    expect(session.sentAt).toBe(100);
  });

  test('a packet that changes nothing is not answered', () => {
    expect(receive(sessionIn('Up'), { state: 'Up' }).sent).toEqual([]);
  });

  test('nothing periodic to a peer that wants none, or is in Demand mode while both are Up; but a Poll is sent', () => {
    const none = receive(sessionIn('Up'), { state: 'Up', requiredMinRxUs: 0 }, 200).session;
    expect(dueAt(none)).toBe(200 + 900);
    const demand = receive(sessionIn('Up'), { state: 'Up', demand: true }, 200).session;
    expect(dueAt(demand)).toBe(200 + 900);
    const { session, sent } = take(
      demand,
      { type: 'configured', timing: { ...TIMING, transmitMs: 200 } },
      { now: 210 },
    );
    expect(sent[0]?.poll).toBe(true);
    expect(dueAt(session)).toBeLessThan(210 + 300);
  });

  test('a peer that wanted nothing and fell silent is spoken to again', () => {
    const none = receive(sessionIn('Up'), { state: 'Up', requiredMinRxUs: 0 }, 200).session;
    const { session } = take(none, { type: 'due' }, { now: 1100 });
    expect(session.state).toBe('Down');
    expect(dueAt(session)).toBeLessThanOrEqual(1100 + 1000);
  });
});

describe('Poll Sequences, RFC 5880 §6.5 and §6.8.3', () => {
  const configure = (session: Session, timing: Partial<Timing>, now = 150): Outcome =>
    take(session, { type: 'configured', timing: { ...TIMING, ...timing } }, { now });

  test('P is answered with F at once, in any state but AdminDown, and never with P', () => {
    for (const state of ['Down', 'Init', 'Up'] as const) {
      const { sent } = receive(sessionIn(state), { state, poll: true, yourDiscriminator: 7 });
      expect(sent[0]).toMatchObject({ final: true, poll: false });
      expect(sent).toHaveLength(1);
    }
    expect(receive(sessionIn('AdminDown'), { state: 'Up', poll: true }).sent.filter(({ final }) => final)).toEqual([]);
  });

  test('an F that answers leaves the periodic timer alone', () => {
    const up = sessionIn('Up');
    const { session } = receive(up, { state: 'Up', poll: true }, 130);
    expect(session.sentAt).toBe(up.sentAt);
  });

  test('coming Up asks for the configured rate; the packets carry P until F comes', () => {
    const { session: up, sent } = receive(sessionIn('Init'), { state: 'Up' }, 200);
    expect(sent).toMatchObject([{ state: 'Up', poll: true, desiredMinTxUs: 300_000 }]);
    const again = take(up, { type: 'due' }, { now: 200 + 300 });
    expect(again.sent).toMatchObject([{ poll: true }]);
    const done = receive(again.session, { state: 'Up', final: true }, 510).session;
    expect(take(done, { type: 'due' }, { now: 510 + 300 }).sent).toMatchObject([{ poll: false }]);
  });

  test('a longer transmit interval is said at once and used only after F', () => {
    const { session: asked, sent } = configure(sessionIn('Up'), { transmitMs: 900 });
    expect(sent).toMatchObject([{ poll: true, desiredMinTxUs: 900_000 }]);
    expect(transmitIntervalMs(asked)).toBe(300);
    expect(transmitIntervalMs(receive(asked, { state: 'Up' }).session)).toBe(300);
    expect(transmitIntervalMs(receive(asked, { state: 'Up', final: true }).session)).toBe(900);
  });

  test('a shorter receive interval is said at once and expected only after F', () => {
    const fast = { state: 'Up', desiredMinTxUs: 50_000 } as const;
    const { session: asked, sent } = configure(receive(sessionIn('Up'), fast).session, { receiveMs: 100 });
    expect(sent).toMatchObject([{ poll: true, requiredMinRxUs: 100_000 }]);
    expect(detectionMs(asked)).toBe(3 * 300);
    expect(detectionMs(receive(asked, { ...fast, final: true }).session)).toBe(3 * 100);
  });

  test('a shorter transmit and a longer receive interval hold at once', () => {
    const { session } = configure(sessionIn('Up'), { transmitMs: 100, receiveMs: 600 });
    expect(transmitIntervalMs(session)).toBe(300); // the peer takes no more
    expect(session.inForce).toEqual({ transmitMs: 100, receiveMs: 600 });
  });

  test('a multiplier alone needs no Poll, §6.8.12', () => {
    expect(configure(sessionIn('Up'), { multiplier: 5 }).sent).toMatchObject([{ multiplier: 5, poll: false }]);
  });

  test('a second change waits for an F, a packet without F, and an F of its own', () => {
    const first = configure(sessionIn('Up'), { transmitMs: 900 }).session;
    const second = configure(first, { transmitMs: 1200 }).session;
    const late = receive(second, { state: 'Up', final: true }).session;
    expect(transmitIntervalMs(late)).toBe(300);
    const duplicate = receive(late, { state: 'Up', final: true }).session;
    expect(transmitIntervalMs(duplicate)).toBe(300);
    const clear = receive(duplicate, { state: 'Up' }, 160).session;
    expect(transmitIntervalMs(receive(clear, { state: 'Up', final: true }, 161).session)).toBe(300); // not asked yet
    const asked = take(clear, { type: 'due' }, { now: 160 + 300 });
    expect(asked.sent).toMatchObject([{ poll: true, desiredMinTxUs: 1_200_000 }]);
    expect(transmitIntervalMs(receive(asked.session, { state: 'Up', final: true }).session)).toBe(1200);
  });

  test('timers change without a flap: the state stays Up', () => {
    expect(configure(sessionIn('Up'), { transmitMs: 50, receiveMs: 50, multiplier: 5 }).session.state).toBe('Up');
    expect(configure(sessionIn('Up'), { transmitMs: 50 }).reports).toEqual([]);
  });
});

describe('discriminators', () => {
  test('the peer may change its own at any time: the new one is echoed, and the session goes on', () => {
    const { session, sent } = receive(sessionIn('Up'), { state: 'Up', myDiscriminator: 1234 });
    expect(session.state).toBe('Up');
    expect(sent).toMatchObject([{ yourDiscriminator: 1234 }]);
  });

  test('a peer that restarted comes with a new one and says Down', () => {
    const { session } = receive(sessionIn('Up'), { state: 'Down', myDiscriminator: 1234, yourDiscriminator: 0 });
    expect(session).toMatchObject({ state: 'Down', diagnostic: DIAGNOSTIC.neighborSignaledDown });
    expect(receive(session, { state: 'Down', myDiscriminator: 1234 }).session.state).toBe('Init');
  });
});

describe('RFC 5880 §6.8.16', () => {
  test('AdminDown is said at once and then slowly; enabled again it is Down', () => {
    const { session, sent } = take(sessionIn('Up'), { type: 'disabled' }, { now: 200 });
    expect(sent).toMatchObject([{ state: 'AdminDown', diagnostic: 7 }]);
    expect(dueAt(session)).toBe(200 + 750);
    expect(take(session, { type: 'enabled' }).session.state).toBe('Down');
    expect(take(sessionIn('Up'), { type: 'enabled' }).session.state).toBe('Up');
  });
});
