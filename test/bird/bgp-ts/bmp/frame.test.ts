import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BMP_MAX_OCTETS, BmpFramer } from '../../../../bird/bgp-ts/bmp/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';
import { byHand } from './by-hand.ts';

const messages = byHand.map(({ octets }) => octets);
const stream = Uint8Array.from(messages.flatMap((octets) => [...octets]));
const expected = messages.map(hex);

/** All frames as hex, and the text of the fault where there was one. */
function framesOf(chunks: readonly Uint8Array[], framer = new BmpFramer()): readonly string[] {
  const frames: string[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let next = framer.next(); next !== undefined; next = framer.next()) {
      if (next.kind === 'malformed') return [...frames, next.text];
      frames.push(hex(next.bytes));
    }
  }
  return frames;
}

describe('BmpFramer', () => {
  test('finds the same messages in one piece, octet by octet, and cut in two anywhere', () => {
    expect(framesOf([stream])).toEqual(expected);
    expect(framesOf(Array.from(stream, (octet) => Uint8Array.of(octet)))).toEqual(expected);
    for (let at = 0; at <= stream.length; at++) {
      expect(framesOf([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
    }
  });

  test('finds the same messages whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
        expect(framesOf(edges.slice(1).map((end, i) => stream.subarray(edges[i], end)))).toEqual(expected);
      }),
    );
  });

  test('messages across the edge of its first buffer, and larger than it, come out whole', () => {
    const large = [5, 8000, 8192, 30_000, 7, 100_000, 1].map((length, i) => {
      const message = new Uint8Array(6 + length).fill(i);
      message.set([3, 0, 0, 0, 0, 200]);
      new DataView(message.buffer).setUint32(1, message.length);
      return message;
    });
    const joined = Uint8Array.from(large.flatMap((octets) => [...octets]));
    for (const size of [1000, 4096, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(joined.length / size) }, (_, i) =>
        joined.subarray(i * size, (i + 1) * size),
      );
      expect(framesOf(chunks)).toEqual(large.map(hex));
    }
  });

  test('an incomplete message is undefined, at every octet', () => {
    for (const octets of messages) {
      for (let end = 0; end < octets.length; end++) expect(framesOf([octets.subarray(0, end)])).toEqual([]);
    }
  });

  test('what was pushed may be overwritten afterwards', () => {
    const framer = new BmpFramer();
    const chunk = Uint8Array.from(messages[0]!);
    framer.push(chunk);
    chunk.fill(0);
    expect(framer.next()).toMatchObject({ kind: 'frame', bytes: messages[0] });
  });

  test.each([
    ['version 4', '04', 'version 4 is not 3'],
    ['length 0', '03 00000000', `message length 0 is not from 6 to ${BMP_MAX_OCTETS}`],
    ['length 5', '03 00000005', `message length 5 is not from 6 to ${BMP_MAX_OCTETS}`],
    ['one octet above the limit', '03 00100001', `message length 1048577 is not from 6 to ${BMP_MAX_OCTETS}`],
    ['length 4294967295', '03 ffffffff', `message length 4294967295 is not from 6 to ${BMP_MAX_OCTETS}`],
  ])('%s is told at once, and not an octet sooner', (_, octets, text) => {
    const lying = bytes(octets);
    expect(framesOf([lying.subarray(0, lying.length - 1)])).toEqual([]);
    expect(framesOf([lying])).toEqual([text]);
    expect(framesOf(Array.from(lying, (octet) => Uint8Array.of(octet)))).toEqual([text]);
  });

  test('the limit is a parameter, and the limit itself is legal', () => {
    expect(framesOf([bytes('03 00100000')])).toEqual([]);
    expect(framesOf([bytes('03 00000007 ff 00')], new BmpFramer(7))).toEqual(['0300000007ff00']);
    expect(framesOf([bytes('03 00000008')], new BmpFramer(7))).toEqual(['message length 8 is not from 6 to 7']);
  });

  test('messages before a lying header still come out, and after it nothing any more', () => {
    const framer = new BmpFramer();
    framer.push(Uint8Array.from([...messages[0]!, 9]));
    expect(framer.next()?.kind).toBe('frame');
    const fault = { kind: 'malformed', text: 'version 9 is not 3' };
    expect(framer.next()).toEqual(fault);
    framer.push(messages[0]!);
    expect(framer.next()).toBeUndefined();
  });
});
