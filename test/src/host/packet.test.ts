import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAnswer, encapsulate, encodeEcho } from '../../../src/host/probe/packet.ts';

const ends = { source: 0xac1e070b, destination: 0xac1e070c };
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** RFC 1071: the sum over a header with its checksum in place is 0xffff. */
const isSummed = (octets: Uint8Array): boolean => {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  return (sum & 0xffff) + (sum >>> 16) === 0xffff;
};

test('an echo request as RFC 791 and 792 draw it', () => {
  const packet = encodeEcho(ends, { identifier: 0x1234, sequence: 5 }, 32);
  expect(hex(packet)).toMatch(/^45000020000540004001....ac1e070bac1e070c0800....12340005(00){4}$/);
  expect(isSummed(packet.subarray(0, 20))).toBe(true);
  expect(isSummed(packet.subarray(20))).toBe(true);
});

test('inside protocol 4 it is itself, with another header before it', () => {
  const inner = encodeEcho({ ...ends, source: 0x0a300001 }, { identifier: 1, sequence: 3 }, 84);
  const outer = encapsulate(ends, inner, 3);
  expect(outer.length).toBe(104);
  expect(outer[9]).toBe(4);
  expect(hex(outer.subarray(20))).toBe(hex(inner));
  expect(isSummed(outer.subarray(0, 20))).toBe(true);
});

const ICMP_FROM_B = '4500 0054 1111 0000 4001 0000 ac1e070c ac1e070b';

test('an echo reply', () => {
  expect(decodeAnswer(bytes(`${ICMP_FROM_B} 0000 abcd 1234 0005`))).toEqual({
    ...{ kind: 'echo', from: ends.destination },
    id: { identifier: 0x1234, sequence: 5 },
  });
});

test('protocol unreachable, about a packet of ours', () => {
  const about = '4500 0068 0003 4000 4004 0000 ac1e070b ac1e070c 4500 0054 0003 4000';
  expect(decodeAnswer(bytes(`${ICMP_FROM_B} 0302 0000 00000000 ${about}`))).toEqual({
    ...{ kind: 'unreachable', from: ends.destination, code: 2 },
    about: { destination: ends.destination, protocol: 4, identification: 3 },
  });
});

test('fragmentation needed names what would fit', () => {
  const about = '4500 05dc 0002 4000 4001 0000 ac1e070b ac1e070c 0800 0000 1234 0002';
  const answer = decodeAnswer(bytes(`${ICMP_FROM_B} 0304 0000 00000578 ${about}`));
  expect(answer).toMatchObject({ code: 4, mtu: 1400, about: { identification: 2 } });
});

test('whatever arrives, it is an answer or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(119), (octets, cut) => {
      octets[0] = 0x45;
      octets[9] = 1;
      decodeAnswer(octets);
      decodeAnswer(octets.subarray(0, cut));
    }),
  );
});

test('every sequence number comes back out of the echo that carries it', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: 28, max: 1500 }), (identifier, sequence, octets) => {
      const packet = encodeEcho(ends, { identifier, sequence }, octets);
      packet[20] = 0;
      const answer = decodeAnswer(packet);
      expect(answer).toEqual({ kind: 'echo', from: ends.source, id: { identifier, sequence } });
    }),
  );
});
