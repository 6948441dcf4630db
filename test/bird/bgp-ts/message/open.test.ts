import { describe, expect, test } from 'vitest';
import type { Capability, Fault, Open } from '../../../../bird/bgp-ts/index.ts';
import { decodeMessage, encodeMessage } from '../../../../bird/bgp-ts/index.ts';
import { bytes, context, frame, hex } from '../../../support/bgp-bytes.ts';

/** Version 4, AS 65001, hold 90, identifier 192.0.2.1. */
const fixed = '04 fde9 005a c0000201';

function decodeOpen(...parameters: readonly string[]): Open | Fault {
  const result = decodeMessage(frame(1, bytes(fixed, ...parameters)), context());
  if (result.kind === 'fault') return result.fault;
  if (result.message.type !== 'open') throw new Error('not an OPEN');
  return result.message;
}

const capabilities = (...parameters: readonly string[]): readonly Capability[] => {
  const open = decodeOpen(...parameters);
  if (!('capabilities' in open)) throw new Error(open.text);
  return open.capabilities;
};

describe('OPEN', () => {
  test.each([
    ['version 3', frame(1, bytes('03 fde9 005a c0000201 00')), [2, 1], '0004'],
    ['parameters longer than the message', frame(1, bytes(fixed, '05')), [2, 0], ''],
    ['octets behind the parameters', frame(1, bytes(fixed, '00 ff')), [2, 0], ''],
    ['a parameter that runs past the end', frame(1, bytes(fixed, '03 020601')), [2, 0], ''],
    ['a lone parameter type', frame(1, bytes(fixed, '01 02')), [2, 0], ''],
    ['parameter 99', frame(1, bytes(fixed, '04 63020102')), [2, 4], '63020102'],
    ['parameter 1, authentication', frame(1, bytes(fixed, '04 0102abcd')), [2, 4], '0102abcd'],
    ['a capability that runs past its parameter', frame(1, bytes(fixed, '06 0204 01040001')), [2, 0], ''],
    ['multiprotocol of 3 octets', frame(1, bytes(fixed, '07 0205 0103000100')), [2, 0], ''],
    ['four-octet AS of 2 octets', frame(1, bytes(fixed, '06 0204 4102fde9')), [2, 0], ''],
    ['graceful restart of 3 octets', frame(1, bytes(fixed, '07 0205 4003005a00')), [2, 0], ''],
    ['graceful restart of 1 octet', frame(1, bytes(fixed, '05 0203 400100')), [2, 0], ''],
    ['ADD-PATH of 3 octets', frame(1, bytes(fixed, '07 0205 4503000101')), [2, 0], ''],
    ['long-lived graceful restart of 6 octets', frame(1, bytes(fixed, '0a 0208 4706000101000000')), [2, 0], ''],
    ['extended next hop of 5 octets', frame(1, bytes(fixed, '09 0207 05050001000100')), [2, 0], ''],
    ['role of 2 octets', frame(1, bytes(fixed, '06 0204 09020000')), [2, 0], ''],
    ['extended parameters of a length that lies', frame(1, bytes(fixed, 'ff ff 0008 02 0002 0200')), [2, 0], ''],
    ['extended parameters cut in their length', frame(1, bytes(fixed, 'ff ff 00')), [2, 0], ''],
  ] as const)('%s is refused', (...row) => {
    const [, octets, code, data] = row;
    const result = decodeMessage(octets, context());
    expect(result).toMatchObject({ kind: 'fault', fault: { code } });
    if (result.kind === 'fault') expect(hex(result.fault.data)).toBe(data);
  });

  test('AS, hold time and identifier are not judged: the speaker knows what it expects', () => {
    expect(decodeMessage(frame(1, bytes('04 0000 0001 00000000 00')), context())).toMatchObject({
      kind: 'ok',
      message: { asn: 0, holdSeconds: 1, bgpIdentifier: 0 },
    });
  });

  test('capabilities come from several parameters and from one with several', () => {
    const three = [
      { name: 'multiprotocol', family: { afi: 1, safi: 1 } },
      { name: 'route-refresh' },
      { name: 'four-octet-as', asn: 65536 },
    ];
    expect(capabilities('12 0206 010400010001 0208 0200 410400010000')).toEqual(three);
    expect(capabilities('10 020e 010400010001 0200 410400010000')).toEqual(three);
  });

  test('how the parameters stood on the wire is kept, so that the copy is exact', () => {
    const one = frame(1, bytes(fixed, '10 020e 010400010001 0200 410400010000'));
    const twoInTheLast = frame(1, bytes(fixed, '0c 0202 0200 0206 0200 46 00 0600'.replaceAll(' ', '')));
    const extended = frame(1, bytes(fixed, 'ff ff 0005 02 0002 0200'));
    for (const octets of [one, twoInTheLast, extended]) {
      const result = decodeMessage(octets, context());
      if (result.kind === 'fault' || result.message.type !== 'open') throw new Error('no OPEN');
      expect(hex(encodeMessage(result.message, context()))).toBe(hex(octets));
    }
    expect(decodeMessage(one, context())).toMatchObject({ message: { parameters: [3] } });
    expect(decodeMessage(twoInTheLast, context())).toMatchObject({ message: { parameters: [1, 3] } });
    expect(decodeMessage(extended, context())).toMatchObject({ message: { extendedParameters: true } });
    const wrong: Open = {
      type: 'open',
      version: 4,
      asn: 1,
      holdSeconds: 90,
      bgpIdentifier: 1,
      capabilities: [],
      parameters: [1],
    };
    expect(() => encodeMessage(wrong, context())).toThrow('parameters 1 do not hold 0 capabilities');
  });

  test('RFC 9072: the type decides, whatever stands in the length in front of it', () => {
    expect(capabilities('07 ff 0005 02 0002 0200')).toEqual([{ name: 'route-refresh' }]);
  });

  test('a software version without its length, as ExaBGP writes it today', () => {
    const octets = frame(1, bytes(fixed, '0a 0208 4b06 457861424750'));
    const message = { capabilities: [{ name: 'software-version', version: 'ExaBGP', bare: true }] };
    expect(decodeMessage(octets, context())).toMatchObject({ message });
    const result = decodeMessage(octets, context());
    if (result.kind === 'ok') expect(hex(encodeMessage(result.message, context()))).toBe(hex(octets));
    expect(capabilities('05 0203 4b0100')).toEqual([{ name: 'software-version', version: '' }]);
    expect(capabilities('06 0204 4b02 0161')).toEqual([{ name: 'software-version', version: 'a' }]);
    expect(capabilities('06 0204 4b02 0961')).toEqual([{ name: 'unknown', code: 75, value: bytes('0961') }]);
    const open = { type: 'open', version: 4, asn: 1, holdSeconds: 90, bgpIdentifier: 1 } as const;
    const wrong = { name: 'software-version', version: '\u0001a', bare: true } as const;
    expect(() => encodeMessage({ ...open, capabilities: [wrong] }, context())).toThrow('bare software version');
  });

  test('a host name that is no UTF-8 is kept as bytes, and what does not fit its field is refused', () => {
    const octets = frame(1, bytes(fixed, '07 0205 4b03 02fffe'));
    expect(decodeMessage(octets, context())).toMatchObject({
      message: { capabilities: [{ name: 'unknown', code: 75, value: bytes('02fffe') }] },
    });
    const open = { type: 'open', version: 4, holdSeconds: 90, bgpIdentifier: 1, capabilities: [] } as const;
    expect(() => encodeMessage({ ...open, asn: 65536 }, context())).toThrow('65536 does not fit 2 octets');
    expect(() => encodeMessage({ ...open, asn: -1 }, context())).toThrow('-1 does not fit 2 octets');
    const capability = { name: 'software-version', version: '\ud800' } as const;
    expect(() => encodeMessage({ ...open, asn: 1, capabilities: [capability] }, context())).toThrow('surrogate');
  });

  test('RFC 9072: parameters with lengths of two octets', () => {
    expect(capabilities('ff ff 0005 02 0002 0200')).toEqual([{ name: 'route-refresh' }]);
  });

  test('what is not known is kept, and so is a malformed capability that nothing depends on', () => {
    expect(capabilities('05 0203 c80107')).toEqual([{ name: 'unknown', code: 200, value: bytes('07') }]);
    expect(capabilities('05 0203 020107')).toEqual([{ name: 'unknown', code: 2, value: bytes('07') }]);
    expect(capabilities('05 0203 490105')).toEqual([{ name: 'unknown', code: 73, value: bytes('05') }]);
  });

  test('RFC 7911: an ADD-PATH mode that does not exist is ignored', () => {
    expect(capabilities('0c 020a 4508 00010103 00020104')).toEqual([
      { name: 'add-path', entries: [{ family: { afi: 1, safi: 1 }, mode: 'both' }] },
    ]);
  });

  const all: readonly Capability[] = [
    { name: 'multiprotocol', family: { afi: 2, safi: 1 } },
    { name: 'route-refresh' },
    { name: 'enhanced-route-refresh' },
    { name: 'extended-next-hop', entries: [{ family: { afi: 1, safi: 1 }, nextHopAfi: 2 }] },
    { name: 'extended-message' },
    { name: 'four-octet-as', asn: 4_200_000_000 },
    {
      name: 'graceful-restart',
      restarting: true,
      notification: true,
      restartSeconds: 4095,
      families: [{ family: { afi: 1, safi: 1 }, forwardingPreserved: true }],
    },
    {
      name: 'long-lived-graceful-restart',
      families: [{ family: { afi: 1, safi: 1 }, forwardingPreserved: false, staleSeconds: 0x123456 }],
    },
    { name: 'add-path', entries: [{ family: { afi: 1, safi: 1 }, mode: 'send' }] },
    { name: 'role', role: 3 },
    { name: 'multiple-labels', entries: [{ family: { afi: 1, safi: 4 }, count: 3 }] },
    { name: 'fqdn', hostname: 'node-a1', domain: 'example.net' },
    { name: 'software-version', version: 'calico-ts 0.1' },
    { name: 'unknown', code: 250, value: bytes('0102') },
  ];

  test.each(all.map((capability) => [capability.name, capability] as const))(
    '%s survives the wire',
    (_, capability) => {
      const open: Open = {
        type: 'open',
        version: 4,
        asn: 23456,
        holdSeconds: 90,
        bgpIdentifier: 0xc0000201,
        capabilities: [capability],
      };
      expect(decodeMessage(encodeMessage(open, context()), context())).toEqual({ kind: 'ok', message: open });
    },
  );

  test('more than 255 octets of capabilities are written in the form of RFC 9072', () => {
    const many = Array.from({ length: 60 }, (_, i): Capability => ({
      name: 'unknown',
      code: 200,
      value: Uint8Array.of(i),
    }));
    const open: Open = { type: 'open', version: 4, asn: 1, holdSeconds: 90, bgpIdentifier: 1, capabilities: many };
    const encoded = encodeMessage(open, context());
    expect(hex(encoded.subarray(28, 32))).toBe('ffff0168');
    expect(decodeMessage(encoded, context())).toEqual({ kind: 'ok', message: open });
  });
});
