import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CodecContext, FamilyKey, Fault, Update } from '../../../bird/bgp-ts/index.ts';
import {
  decodeAttributes,
  decodeMessage,
  formatMessage,
  IPV4_UNICAST,
  scanUpdate,
  walkNlri,
} from '../../../bird/bgp-ts/index.ts';
import { context, frame, hex, mandatory, updateFrame } from '../../support/bgp-bytes.ts';
import { naiveUpdate } from '../../support/naive-update.ts';
import type { Seen } from '../../support/update-ways.ts';
import { asReader, asSpeaker } from '../../support/update-ways.ts';

const sessions: fc.Arbitrary<CodecContext> = fc
  .record({
    fourOctetAs: fc.boolean(),
    extendedMessage: fc.boolean(),
    external: fc.boolean(),
    addPath: fc.subarray<FamilyKey>(['1/1', '2/1']).map((keys) => new Set(keys)),
    extendedNextHop: fc.subarray<FamilyKey>(['1/1', '2/1']).map((keys) => new Set(keys)),
  })
  .map(context);

/** Attributes as a careful and as a careless peer sends them: right codes, right lengths, now and then a wrong octet. */
const attribute = fc
  .record({
    flags: fc.constantFrom(0x40, 0x80, 0xc0, 0x50, 0x90, 0xd0, 0xe0, 0x00),
    code: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 14, 15, 15, 16, 17, 18, 32, 99),
    value: fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc
        .constantFrom('00', '02010000fde9', '0201fde9', 'c0000201', '00000064', '', '000201', '0001010400000000')
        .map(fromHex),
      fc
        .uint8Array({ maxLength: 30 })
        .map((tail) => Uint8Array.from([0, 2, 1, 16, ...Array<number>(16).fill(32), 0, ...tail])),
      fc.uint8Array({ maxLength: 30 }).map((tail) => Uint8Array.from([0, 1, 1, 4, 192, 0, 2, 1, 0, ...tail])),
      fc.uint8Array({ maxLength: 30 }).map((tail) => Uint8Array.from([0, 2, 1, ...tail])),
    ),
  })
  .map(({ flags, code, value }) => {
    const length = (flags & 0x10) === 0 ? [value.length] : [0, value.length];
    return hex(Uint8Array.from([flags, code, ...length, ...value]));
  });

const field = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }).map(hex) },
  { weight: 3, arbitrary: fc.constantFrom('', '08 0a', '18 c63364', '00', '20 01020304', '00000007 08 0a', '09 0aff') },
);

const likelyUpdates = fc
  .record({
    withdrawn: field,
    nlri: field,
    attributes: fc
      .tuple(fc.constantFrom('', mandatory), fc.array(attribute, { maxLength: 4 }))
      .map(([a, b]) => a + b.join('')),
  })
  .map(updateFrame);

/** One octet changed or the end cut, header's length put right again: what a bug on the other side sends. */
const mutatedUpdates = fc
  .tuple(likelyUpdates, fc.nat(200), fc.nat(255), fc.boolean())
  .map(([octets, at, value, cut]) => {
    const body = octets.slice(19, cut ? Math.max(23, octets.length - (at % 8)) : octets.length);
    if (!cut) body[at % body.length] = value;
    return frame(2, body);
  });

const updates = fc.oneof(
  likelyUpdates,
  mutatedUpdates,
  fc.uint8Array({ minLength: 4, maxLength: 80 }).map((body) => frame(2, body)),
);

describe('whatever the bytes', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 100 })).map(([type, body]) => frame(type, body)),
    fc
      .uint8Array({ maxLength: 60 })
      .map((parameters) => frame(1, Uint8Array.from([4, 0, 1, 0, 90, 1, 1, 1, 1, parameters.length, ...parameters]))),
    updates,
  );

  test('only the documented results come out of decodeMessage, and what is ok prints', () => {
    fc.assert(
      fc.property(anything, sessions, (octets, session) => {
        const result = decodeMessage(octets, session);
        if (result.kind === 'ok') expect(formatMessage(result.message)).toMatch(/^[A-Z]/);
        else expectFault(result.fault);
      }),
      { numRuns: 2000 },
    );
  });

  test('scanUpdate, decodeAttributes and walkNlri never throw, also on frames that the Framer would refuse', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), updates), sessions, (octets, session) => {
        const scan = scanUpdate(octets, session);
        if (scan.fault !== undefined) expectFault(scan.fault);
        for (const fault of decodeAttributes(octets, 0, octets.length, session).faults) expectFault(fault);
        const fault = walkNlri(octets, 0, octets.length, { family: IPV4_UNICAST, addPath: false }, () => undefined);
        if (fault !== undefined) expectFault(fault);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the two ways into an UPDATE', () => {
  test('the walk without objects finds what the readable form holds, and the same end of the session', () => {
    fc.assert(
      fc.property(updates, sessions, (octets, session) => {
        expect(asSpeaker(octets, session)).toEqual(readAs(octets, session));
      }),
      { numRuns: 3000 },
    );
  });

  test('both agree with a reading by the letter of the RFC', () => {
    fc.assert(
      fc.property(updates, sessions, (octets, session) => {
        const naive = naiveUpdate(octets, session);
        const speaker = asSpeaker(octets, session);
        if (naive === undefined) expect(speaker).toEqual({ kind: 'reset' });
        else if (speaker.kind === 'routes') {
          expect(texts(speaker.withdrawn)).toEqual(naive.withdrawn);
          expect(texts(speaker.announced)).toEqual(naive.announced);
          for (const code of speaker.blamed) expect(naive.codes).toContain(code);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

const readAs = (octets: Uint8Array, session: CodecContext): Seen => {
  const result = decodeMessage(octets, session);
  return result.kind === 'fault' ? { kind: 'reset' } : asReader(result.message as Update);
};

/** Seven numbers each, as `naiveUpdate` writes them. */
function texts(flat: readonly (string | number)[]): readonly string[] {
  const list: string[] = [];
  for (let at = 0; at < flat.length; at += 7) {
    const [key = '', pathId = 0, ...numbers] = flat.slice(at, at + 7);
    const words = numbers.slice(0, String(key).startsWith('1/') ? 1 : 4);
    const address = words.map((word) => Number(word).toString(16).padStart(8, '0')).join('');
    list.push(`${key} ${pathId} ${address}/${numbers.at(-1)!}`);
  }
  return list;
}

function expectFault({ text, code, data }: Fault): void {
  expect(text).not.toBe('');
  expect([1, 2, 3, 7]).toContain(code[0]);
  expect(data).toBeInstanceOf(Uint8Array);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
