import { describe, expect, test } from 'vitest';
import {
  fault,
  hardReset,
  harmless,
  notificationText,
  operatorsText,
  shutdownFault,
} from '../../../bird/peer/fault.ts';
import { resetFault, unwrapHardReset } from '../../../bird/peer/fault.ts';
import type { Fault, Notification } from '../../../bird/wire.ts';

const asSent = ({ code: [code, subcode], data }: Fault): Notification => ({
  type: 'notification',
  code,
  subcode,
  data,
});

describe('Cease with a text for the operator, RFC 9003', () => {
  test('shutdown and reset carry it, and say it at home', () => {
    expect(notificationText(asSent(shutdownFault('new fibre')))).toBe(
      'NOTIFICATION received: Cease / Administrative Shutdown: "new fibre"',
    );
    expect(notificationText(asSent(resetFault('cleared')))).toBe(
      'NOTIFICATION received: Cease / Administrative Reset: "cleared"',
    );
    expect(shutdownFault('new fibre').text).toBe('administratively shut down: new fibre');
    expect(resetFault('').text).toBe('administratively reset');
  });
  test('no other Cease is read as a text', () => {
    const data = Uint8Array.of(3, 97, 98, 99);
    expect(operatorsText({ type: 'notification', code: 6, subcode: 3, data })).toBeUndefined();
  });
});

describe('Hard Reset, RFC 8538', () => {
  const wrapped = asSent(hardReset(shutdownFault('moving')));
  test('holds code, subcode and data of what it is about', () => {
    expect([wrapped.code, wrapped.subcode, [...wrapped.data.subarray(0, 2)]]).toEqual([6, 9, [6, 2]]);
    expect(unwrapHardReset(wrapped)).toEqual(asSent(shutdownFault('moving')));
    expect(operatorsText(wrapped)).toBe('moving');
  });
  test('without anything inside is still a Hard Reset', () => {
    const bare = asSent(fault('hardReset', 'bare'));
    expect(unwrapHardReset(bare)).toBe(bare);
    expect(notificationText(bare)).toBe('NOTIFICATION received: Cease / Hard Reset');
  });
});

test('a text from outside cannot forge lines, move the cursor or turn the writing', () => {
  expect(harmless('a\nb\r\u001b[1m\u009bc\u2028d\u202ee\u2066f')).toBe('a?b??[1m?c?d?e?f');
  expect(harmless('Wartung bis 5 Uhr – grüße')).toBe('Wartung bis 5 Uhr – grüße');
});
