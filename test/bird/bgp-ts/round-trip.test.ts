import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CodecContext, Family, FamilyKey, Message, Update } from '../../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  encodeUpdate,
  familyKey,
  formatMessage,
  Framer,
  IPV4_UNICAST,
} from '../../../bird/bgp-ts/index.ts';
import {
  familyNlri,
  nextHopFor,
  otherFamilies,
  otherMessages,
  pathAttributes,
  updates,
} from '../../support/bgp-arbitraries.ts';
import { context, hex } from '../../support/bgp-bytes.ts';

/** An internal session, where all attributes may come, with long messages, so that everything fits. */
const roomy = context({
  external: false,
  extendedMessage: true,
  multipleLabels: new Set(['1/4', '2/4', '1/128', '2/128']),
});

const encode = (message: Message, session: CodecContext): Uint8Array => encodeMessage(message, session);

describe('what is encoded is decoded again', () => {
  test('messages of every type, UPDATEs of every family and attribute', () => {
    fc.assert(
      fc.property(fc.oneof(updates, otherMessages), (message) => {
        expect(decodeMessage(encode(message, roomy), roomy)).toEqual({ kind: 'ok', message });
      }),
      { numRuns: 1000 },
    );
  });

  test('prefixes and rules with path identifiers, announced and withdrawn', () => {
    const families = fc.oneof(otherFamilies, fc.constant(IPV4_UNICAST));
    const input = families.chain((family) =>
      fc.record({
        family: fc.constant(family),
        attributes: pathAttributes,
        nextHop: nextHopFor(family),
        announced: familyNlri(family, true),
        withdrawn: familyNlri(family, true, true),
      }),
    );
    fc.assert(
      fc.property(input, ({ family, attributes, nextHop, announced, withdrawn }) => {
        const session = { ...roomy, addPath: new Set<FamilyKey>([familyKey(family)]) };
        const own = isPlain(family);
        const update: Update = {
          type: 'update',
          attributes: own ? attributes : { ...attributes, nextHop },
          announced: [announced],
          withdrawn: [withdrawn],
          faults: [],
        };
        expect(decodeMessage(encodeUpdate(update, session), session)).toEqual({ kind: 'ok', message: update });
      }),
      { numRuns: 500 },
    );
  });

  test('to a peer with two-octet AS numbers nothing is lost', () => {
    const session = { ...roomy, fourOctetAs: false };
    fc.assert(
      fc.property(pathAttributes, familyNlri(IPV4_UNICAST), (attributes, announced) => {
        const update: Update = { type: 'update', attributes, announced: [announced], withdrawn: [], faults: [] };
        const result = decodeMessage(encodeUpdate(update, session), session);
        // Cut in two by AS_TRANS, neighboring sequences are one afterwards; the path reads the same.
        expect(result.kind === 'ok' && withFlatPath(result.message as Update)).toEqual(withFlatPath(update));
      }),
    );
  });

  test('IPv4 unicast in MP_REACH stays there, beside NEXT_HOP and the message’s own prefixes too', () => {
    const parts = fc.record({
      own: familyNlri(IPV4_UNICAST),
      other: familyNlri(IPV4_UNICAST).map((group) => ({ ...group, multiprotocol: true as const })),
      nextHop: nextHopFor(IPV4_UNICAST),
      attributes: pathAttributes,
    });
    fc.assert(
      fc.property(parts, fc.boolean(), ({ own, other, nextHop, attributes }, both) => {
        const update: Update = {
          type: 'update',
          attributes: { ...attributes, nextHop },
          announced: both ? [own, other] : [other],
          withdrawn: both ? [own] : [],
          ...(both && { ipv4NextHop: attributes.nextHop! }),
          faults: [],
        };
        expect(decodeMessage(encodeUpdate(update, roomy), roomy)).toEqual({ kind: 'ok', message: update });
      }),
    );
  });
});

describe('every message, cut at every octet', () => {
  const stream = fc.oneof(updates, otherMessages).map((message) => encode(message, roomy));

  test('is incomplete for the Framer, and one fault for the decoder', () => {
    fc.assert(
      fc.property(stream, (octets) => {
        for (let end = 0; end < octets.length; end++) {
          const framer = new Framer(65535);
          framer.push(octets.subarray(0, end));
          expect(framer.next()).toBeUndefined();
          const result = decodeMessage(octets.subarray(0, end), roomy);
          expect(result).toMatchObject({ kind: 'fault', fault: { code: [1, 2] } });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('with its length put right, gives one of the documented results', () => {
    fc.assert(
      fc.property(stream, (octets) => {
        for (let end = 19; end < octets.length; end++) {
          const cut = octets.slice(0, end);
          cut[16] = end >>> 8;
          cut[17] = end;
          const result = decodeMessage(cut, roomy);
          if (result.kind === 'ok') expect(formatMessage(result.message)).toMatch(/^[A-Z]/);
          else expect([1, 2, 3, 7]).toContain(result.fault.code[0]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('a message that is too long is refused with its size', () => {
  const data = new Uint8Array(5000);
  const notification = { type: 'notification', code: 6, subcode: 0, data } as const;
  expect(() => encodeMessage(notification, context())).toThrow(
    'notification message of 5021 octets is longer than 4096',
  );
  expect(hex(encodeMessage(notification, context({ extendedMessage: true })).subarray(16, 18))).toBe('139d');
});

const isPlain = (family: Family): boolean => familyKey(family) === '1/1';

const withFlatPath = (update: Update): unknown => ({
  ...update,
  attributes: {
    ...update.attributes,
    asPath: (update.attributes.asPath ?? []).flatMap(({ type, asns }): readonly (number | string)[] =>
      type === 'sequence' ? asns : [`{${asns.join()}}`],
    ),
  },
});
