import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosticWords } from '../../../bird/bfd/diagnostic.ts';
import { decodeControl, encodeControl, STATES } from '../../../bird/bfd/packet.ts';
import type { ControlPacket } from '../../../bird/bfd/packet.ts';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** What BIRD 2.0.12 with `interval 200 ms; multiplier 5` sent to us, from tcpdump -x: Up with Poll. */
const OF_BIRD = octets('20 e0 05 18 cae7d661 6daf12c3 00030d40 00030d40 00000000');
/** The same BIRD before that. */
const BIRD_IN_INIT = octets('20 80 05 18 cae7d661 6daf12c3 000f4240 00030d40 00000000');
const BIRD_FINAL = octets('20 d0 05 18 cae7d661 6daf12c3 00030d40 00030d40 00000000');

/** The same with one octet changed. */
function changed(at: number, value: number): Uint8Array {
  const copy = OF_BIRD.slice();
  copy[at] = value;
  return copy;
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const packets: fc.Arbitrary<ControlPacket> = fc.record({
  diagnostic: fc.integer({ min: 0, max: 31 }),
  state: fc.constantFrom(...STATES),
  poll: fc.boolean(),
  final: fc.boolean(),
  controlPlaneIndependent: fc.boolean(),
  authenticationPresent: fc.constant(false),
  demand: fc.boolean(),
  multiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  yourDiscriminator: word,
  desiredMinTxUs: word,
  requiredMinRxUs: word,
  requiredMinEchoRxUs: word,
});

test('each field of RFC 5880 §4.1 is read from its place', () => {
  expect(decodeControl(OF_BIRD)).toEqual({
    diagnostic: 0,
    state: 'Up',
    poll: true,
    final: false,
    controlPlaneIndependent: false,
    authenticationPresent: false,
    demand: false,
    multiplier: 5,
    myDiscriminator: 0xcae7d661,
    yourDiscriminator: 0x6daf12c3,
    desiredMinTxUs: 200_000,
    requiredMinRxUs: 200_000,
    requiredMinEchoRxUs: 0,
  });
  expect(decodeControl(BIRD_IN_INIT)).toMatchObject({ state: 'Init', poll: false, desiredMinTxUs: 1_000_000 });
  expect(decodeControl(BIRD_FINAL)).toMatchObject({ state: 'Up', poll: false, final: true });
  expect(decodeControl(octets('23 7a 05 18 00000001 00000000 ffffffff 00000000 0000c350'))).toMatchObject({
    diagnostic: 3,
    state: 'Down',
    poll: true,
    final: true,
    controlPlaneIndependent: true,
    demand: true,
    multiplier: 5,
    desiredMinTxUs: 0xffff_ffff,
    requiredMinEchoRxUs: 50_000,
  });
});

test('what BIRD sent is encoded to the same octets', () => {
  for (const sent of [OF_BIRD, BIRD_IN_INIT, BIRD_FINAL]) {
    expect(encodeControl(decodeControl(sent) as ControlPacket)).toEqual(sent);
  }
});

test('what is encoded decodes to the same', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      expect(decodeControl(encodeControl(packet))).toEqual(packet);
    }),
  );
});

describe('RFC 5880 §6.8.6 discards', () => {
  test.each([
    ['a version other than 1', changed(0, 0x40), 'wrong version'],
    ['version 0', changed(0, 0x00), 'wrong version'],
    ['a length below 24', changed(3, 23), 'shorter than a control packet'],
    [
      'a length of 25 with the A bit',
      octets('20c4 0319 0a0b0c0d 01020304 000493e0 000493e0 00000000 00'),
      'shorter than a control packet',
    ],
    ['a length beyond the datagram', changed(3, 25), 'length beyond the datagram'],
    ['a datagram that was cut', OF_BIRD.subarray(0, 20), 'length beyond the datagram'],
    ['a datagram of three octets', OF_BIRD.subarray(0, 3), 'shorter than a control packet'],
    ['an empty datagram', new Uint8Array(), 'shorter than a control packet'],
    ['a detection multiplier of 0', changed(2, 0), 'detection multiplier 0'],
    ['the Multipoint bit', changed(1, 0xc1), 'multipoint'],
    ['My Discriminator 0', octets('20c00318 00000000 01020304 000493e0 000493e0 00000000'), 'my discriminator 0'],
  ])('%s', (_, datagram, reason) => {
    expect(decodeControl(datagram)).toBe(reason);
  });

  test('nothing else: what follows the length is ignored, and an authentication section is seen', () => {
    expect(decodeControl(Uint8Array.from([...OF_BIRD, 1, 2, 3]))).toEqual(decodeControl(OF_BIRD));
    const authenticated = octets('20c4031a 0a0b0c0d 01020304 000493e0 000493e0 00000000 0102');
    expect(decodeControl(authenticated)).toMatchObject({ authenticationPresent: true, state: 'Up' });
  });

  test('random octets by a reason, never by an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (datagram) => {
        const result = decodeControl(datagram);
        if (typeof result !== 'string') expect(result.myDiscriminator).not.toBe(0);
      }),
    );
  });
});

test('a diagnostic has the name of the RFC, or its number', () => {
  expect(diagnosticWords(1)).toBe('Control Detection Time Expired');
  expect(diagnosticWords(12)).toBe('diagnostic 12');
});
