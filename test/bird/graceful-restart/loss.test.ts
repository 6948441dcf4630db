import { describe, expect, test } from 'vitest';
import { hardReset, hardResetReason } from '../../../bird/graceful-restart/hard-reset.ts';
import { mayBeRestart } from '../../../bird/graceful-restart/loss.ts';
import type { SessionLoss } from '../../../bird/graceful-restart/loss.ts';
import { notificationText, shutdownFault } from '../../../bird/peer/fault.ts';
import type { Fault, Notification } from '../../../bird/wire.ts';

const told = (direction: 'sent' | 'received', code: number, subcode: number): SessionLoss => ({
  cause: 'notification',
  direction,
  code,
  subcode,
});

describe('a loss that may be a restart, without the N bit and with it', () => {
  test.each<readonly [string, SessionLoss, readonly [without: boolean, withN: boolean]]>([
    ['a broken connection', { cause: 'connection' }, [true, true]],
    ['silence', { cause: 'hold' }, [false, true]],
    ['a NOTIFICATION of theirs', told('received', 3, 1), [false, true]],
    ['a NOTIFICATION of ours', told('sent', 3, 1), [false, true]],
    ['their Cease', told('received', 6, 4), [false, true]],
    ['their Hard Reset', told('received', 6, 9), [false, false]],
    ['our Hard Reset', told('sent', 6, 9), [false, false]],
    ['our stop', { cause: 'stop' }, [false, false]],
    ['BFD', { cause: 'bfd' }, [false, false]],
    ['any other error', { cause: 'error' }, [false, false]],
  ])('%s', (_, loss, expected) => {
    expect([mayBeRestart(loss, false), mayBeRestart(loss, true)]).toEqual(expected);
  });
});

describe('a Hard Reset', () => {
  const asMessage = ({ code: [code, subcode], data }: Fault): Notification => ({
    type: 'notification',
    code,
    subcode,
    data,
  });
  test('carries the NOTIFICATION that it replaces: code, subcode, data', () => {
    const { code, data } = hardReset(shutdownFault('bye'));
    expect([code, [...data]]).toEqual([
      [6, 9],
      [6, 2, 3, 98, 121, 101],
    ]);
    expect(hardResetReason(asMessage(hardReset(shutdownFault('bye'))))).toMatchObject({ code: 6, subcode: 2 });
  });
  test('is told with the reason in front', () => {
    expect(notificationText(asMessage(hardReset(shutdownFault('bye'))))).toBe(
      'NOTIFICATION received: Cease / Administrative Shutdown: "bye" (Hard Reset)',
    );
  });
  test('without a reason, or with one in itself, is just that', () => {
    const of = (...data: readonly number[]): Notification => ({
      type: 'notification',
      code: 6,
      subcode: 9,
      data: Uint8Array.from(data),
    });
    expect(notificationText(of())).toBe('NOTIFICATION received: Cease / Hard Reset');
    expect(notificationText(of(6))).toBe('NOTIFICATION received: Cease / Hard Reset');
    expect(notificationText(of(6, 9, 6, 9))).toBe('NOTIFICATION received: Cease / Hard Reset (Hard Reset)');
    expect(hardResetReason({ ...of(6, 2), subcode: 2 })).toBeUndefined();
  });
});
