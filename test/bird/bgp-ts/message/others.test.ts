import { describe, expect, test } from 'vitest';
import type { ErrorCode, Notification } from '../../../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  encodeShutdownText,
  errorName,
  formatMessage,
  shutdownText,
} from '../../../../bird/bgp-ts/index.ts';
import * as iana from '../../../../bird/bgp-ts/iana.ts';
import { bytes, context, frame, hex, mandatory, updateFrame } from '../../../support/bgp-bytes.ts';

describe('ROUTE-REFRESH', () => {
  test.each([
    ['00', 'request'],
    ['01', 'begin'],
    ['02', 'end'],
  ] as const)('subtype %s is %s, both ways', (octet, subtype) => {
    const octets = frame(5, bytes('0001', octet, '01'));
    const message = { type: 'route-refresh', family: { afi: 1, safi: 1 }, subtype } as const;
    expect(decodeMessage(octets, context())).toEqual({ kind: 'ok', message });
    expect(hex(encodeMessage(message, context()))).toBe(hex(octets));
  });

  test('another subtype is a message that the speaker must ignore, RFC 7313', () => {
    expect(decodeMessage(frame(5, bytes('0001ff01')), context())).toMatchObject({ message: { subtype: 255 } });
    expect(decodeMessage(frame(5, bytes('0001ff01 0102')), context())).toMatchObject({ message: { subtype: 255 } });
  });

  test.each([
    ['an outbound route filter, RFC 5291', '00010001 01 40 0009 800000000001000000'],
    ['two of them', '00010001 02 40 0000 80 0001 ff'],
    ['a subtype that nobody knows, whatever stands behind it', '0001ff01 0102'],
  ])('%s is kept as bytes', (_, body) => {
    const octets = frame(5, bytes(body));
    const result = decodeMessage(octets, context());
    expect(result).toMatchObject({ kind: 'ok', message: { data: octets.slice(23) } });
    if (result.kind === 'ok') expect(hex(encodeMessage(result.message, context()))).toBe(hex(octets));
  });

  test.each([
    ['when-to-refresh alone', '00010001 01'],
    ['a filter that overruns', '00010001 01 40 0002 00'],
    ['octets behind the last filter', '00010001 01 40 0000 00'],
    ['a filter behind BoRR', '00010101 01 40 0000'],
  ])('%s is 7/1', (_, body) => {
    expect(decodeMessage(frame(5, bytes(body)), context())).toMatchObject({ kind: 'fault', fault: { code: [7, 1] } });
  });

  test('too long is 7/1 with the whole message', () => {
    const octets = frame(5, bytes('00010001ff'));
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code: [7, 1], data: octets } });
  });
});

describe('NOTIFICATION', () => {
  const cease = (data: Uint8Array): Notification => ({ type: 'notification', code: 6, subcode: 2, data });

  test('a shutdown text goes there and back', () => {
    const message = cease(encodeShutdownText('Wartung bis 22 Uhr – Grüße'));
    expect(decodeMessage(encodeMessage(message, context()), context())).toEqual({ kind: 'ok', message });
    expect(shutdownText(message)).toBe('Wartung bis 22 Uhr – Grüße');
  });

  test('a shutdown text that is too long is cut between characters', () => {
    expect(shutdownText(cease(encodeShutdownText('é'.repeat(200))))).toBe('é'.repeat(127));
  });

  test('a length that lies, or another subcode, has no text', () => {
    expect(shutdownText(cease(bytes('05 61')))).toBeUndefined();
    expect(shutdownText({ ...cease(bytes('01 61')), subcode: 7 })).toBeUndefined();
  });
});

test('every named error code has its name for people', () => {
  const groups = [
    iana.headerError,
    iana.openError,
    iana.updateError,
    iana.fsmError,
    iana.cease,
    iana.routeRefreshError,
  ];
  for (const code of groups.flatMap((group) => Object.values<ErrorCode>(group)))
    expect(errorName(code)).not.toMatch(/\d/);
  expect(errorName([6, 99])).toBe('Cease / 99');
  expect(errorName([8, 0])).toBe('Send Hold Timer Expired');
});

test.each([
  [
    updateFrame({ attributes: mandatory, nlri: '18 c63364' }),
    'UPDATE announce 198.51.100.0/24 next-hop 192.0.2.1 as-path [65001] origin igp',
  ],
  [updateFrame({ withdrawn: '18 c63364' }), 'UPDATE withdraw 198.51.100.0/24'],
  [updateFrame({}), 'UPDATE End-of-RIB IPv4 unicast'],
  [
    updateFrame({ attributes: `800e1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8 40010100 400200` }),
    'UPDATE announce 2001:db8::/32 next-hop 2001:db8::1 as-path [] origin igp',
  ],
  [
    updateFrame({
      attributes: `${mandatory} c00808 fde90064 ffffff01 c01914 0002 20010db8000000000000000000000001 0064 80c801ff c02304 0000fde9 801a0b 01000b 0000000000000064`,
      nlri: '18 c63364',
    }),
    'UPDATE announce 198.51.100.0/24 next-hop 192.0.2.1 as-path [65001] origin igp communities 65001:100 no-export ipv6-extended-communities 000220010db80000000000000000000000010064 aigp 100 only-to-customer 65001 attribute-200 ff',
  ],
  [
    updateFrame({ attributes: `800e15 0002 01 10 00000000000000000000ffffc0000201 00 40010100 400200` }),
    'UPDATE announce no IPv6 unicast next-hop ::ffff:192.0.2.1 as-path [] origin igp',
  ],
  [frame(4, bytes()), 'KEEPALIVE'],
  [frame(3, bytes('0602 03 627965')), 'NOTIFICATION Cease / Administrative Shutdown "bye"'],
  [frame(5, bytes('00020101')), 'ROUTE-REFRESH begin IPv6 unicast'],
  [
    frame(1, bytes('04 5ba0 005a c0000201 10 0206 010400010001 0206 410400010000')),
    'OPEN version 4 AS 23456 hold 90s identifier 192.0.2.1 capabilities [IPv4 unicast, AS 65536]',
  ],
])('a message is one readable line', (octets, line) => {
  const result = decodeMessage(octets, context());
  expect(result.kind === 'ok' ? formatMessage(result.message) : result.fault.text).toBe(line);
});
