import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BgpError, decodeMessage, Framer, plainContext } from '../../../bird/bgp-ts/index.ts';
import { bytes, frame, hex, mandatory, updateFrame } from '../../support/bgp-bytes.ts';

const keepalive = frame(4, bytes());
const update = updateFrame({ attributes: mandatory, nlri: '18 0a0000' });
const notification = frame(3, bytes('0602'));
const stream = Uint8Array.from([...keepalive, ...update, ...notification, ...keepalive]);

function framesOf(chunks: readonly Uint8Array[], maxOctets = 4096): string[] {
  const framer = new Framer(maxOctets);
  const frames: string[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let next = framer.next(); next !== undefined; next = framer.next()) frames.push(hex(next));
  }
  return frames;
}

function faultOf(octets: Uint8Array, maxOctets = 4096): BgpError | undefined {
  try {
    framesOf([octets], maxOctets);
    return undefined;
  } catch (error) {
    if (error instanceof BgpError) return error;
    throw error;
  }
}

const header = (length: string, type: string): Uint8Array => bytes('ff'.repeat(16), length, type);

describe('Framer', () => {
  test('a stream split at any one octet gives the same messages', () => {
    const expected = [keepalive, update, notification, keepalive].map(hex);
    for (let at = 0; at <= stream.length; at++) {
      expect(framesOf([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
    }
  });

  test('a stream in single octets, and in any chunks, gives the same messages', () => {
    const expected = [keepalive, update, notification, keepalive].map(hex);
    expect(framesOf(Array.from(stream, (octet) => Uint8Array.of(octet)))).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
        expect(framesOf(edges.slice(1).map((end, i) => stream.subarray(edges[i], end)))).toEqual(expected);
      }),
    );
  });

  test('more than the first buffer holds goes through, in one piece and with messages across its edge', () => {
    const body = (i: number): number[] => [6, 0, ...Array<number>(i % 97).fill(i % 251)];
    const numbered = Array.from({ length: 2000 }, (_, i) => frame(3, Uint8Array.from(body(i))));
    const many = Uint8Array.from(numbered.flatMap((message) => [...message]));
    const expected = numbered.map(hex);
    expect(framesOf([many])).toEqual(expected);
    for (const size of [999, 1000, 4096, 8191]) {
      const chunks = Array.from({ length: Math.ceil(many.length / size) }, (_, i) =>
        many.subarray(i * size, (i + 1) * size),
      );
      expect(framesOf(chunks)).toEqual(expected);
    }
  });

  test('what was pushed may be overwritten afterwards', () => {
    const framer = new Framer(4096);
    const chunk = Uint8Array.from(keepalive);
    framer.push(chunk);
    chunk.fill(0);
    expect(hex(framer.next()!)).toBe(hex(keepalive));
  });

  test('an incomplete message is undefined, not a fault', () => {
    for (let end = 0; end < update.length; end++) expect(framesOf([update.subarray(0, end)])).toEqual([]);
  });

  test.each([
    ['a marker that is not all ones', bytes('ffffff7f'), [1, 1], ''],
    ['length 18', header('0012', ''), [1, 2], '0012'],
    ['length 4097', header('1001', ''), [1, 2], '1001'],
    ['length 65535', header('ffff', ''), [1, 2], 'ffff'],
    ['type 0', header('0013', '00'), [1, 3], '00'],
    ['type 6', header('0013', '06'), [1, 3], '06'],
    ['a KEEPALIVE of 20 octets', header('0014', '04'), [1, 2], '0014'],
    ['an OPEN of 28 octets', header('001c', '01'), [1, 2], '001c'],
    ['an UPDATE of 22 octets', header('0016', '02'), [1, 2], '0016'],
    ['a ROUTE-REFRESH of 22 octets', header('0016', '05'), [1, 2], '0016'],
  ] as const)('%s is refused as soon as it can be seen', (...row) => {
    const [, octets, code, data] = row;
    const fault = faultOf(octets);
    expect(fault?.code).toEqual(code);
    expect(hex(fault!.data)).toBe(data);
    expect(faultOf(octets.subarray(0, octets.length - 1))).toBeUndefined();
  });

  test('a NOTIFICATION that is too short comes out, so that its reader knows what not to answer, RFC 4271 §6.4', () => {
    for (const short of [frame(3, bytes()), frame(3, bytes('06'))]) {
      expect(framesOf([short])).toEqual([hex(short)]);
      const result = decodeMessage(short, plainContext);
      expect(result).toMatchObject({ kind: 'fault', fault: { code: [1, 2], data: Uint8Array.of(0, short.length) } });
    }
  });

  test('with extended messages 65535 octets are legal, but not for OPEN', () => {
    expect(faultOf(header('ffff', '02'), 65535)).toBeUndefined();
    expect(faultOf(header('1001', '01'), 65535)?.code).toEqual([1, 2]);
    const framer = new Framer(4096);
    framer.maxOctets = 65535;
    framer.push(header('ffff', '02'));
    expect(framer.next()).toBeUndefined();
  });

  test('messages before a fault still come out, and after it the fault again and nothing else', () => {
    const framer = new Framer(4096);
    framer.push(Uint8Array.from([...keepalive, ...header('0012', '04')]));
    expect(hex(framer.next()!)).toBe(hex(keepalive));
    expect(() => framer.next()).toThrow(BgpError);
    framer.push(keepalive);
    expect(() => framer.next()).toThrow('message length 18 is out of bounds');
  });
});
