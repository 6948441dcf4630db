import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../bird/bgp-ts/index.ts';
import { decodeMessage, formatMessage, messageFromJson, messageToJson } from '../../../../bird/bgp-ts/index.ts';
import { attributeRows } from '../../../../bird/bgp-ts/attribute/table.ts';
import { messages } from '../../../support/bgp-arbitraries.ts';
import { bytes, context, frame, mandatory, updateFrame } from '../../../support/bgp-bytes.ts';

const overJson = (message: Message): unknown => JSON.parse(JSON.stringify(messageToJson(message)));

const decoded = (octets: Uint8Array): Message => {
  const result = decodeMessage(octets, context());
  if (result.kind === 'fault') throw new Error(result.fault.text);
  return result.message;
};

describe('a message as JSON', () => {
  test('an UPDATE reads as people write it', () => {
    const attributes = `${mandatory} c00808 fde90064 ffffff01 c01008 0002fde900000064 c0200c 000000010000000200000003`;
    expect(overJson(decoded(updateFrame({ attributes, nlri: '18 c63364', withdrawn: '08 0a' })))).toEqual({
      type: 'update',
      announced: [{ family: 'IPv4 unicast', nlri: [{ prefix: '198.51.100.0/24' }] }],
      withdrawn: [{ family: 'IPv4 unicast', nlri: [{ prefix: '10.0.0.0/8' }] }],
      attributes: {
        origin: 'igp',
        asPath: [{ type: 'sequence', asns: [65001] }],
        nextHop: '192.0.2.1',
        communities: ['65001:100', '65535:65281'],
        extendedCommunities: ['target:65001:100'],
        largeCommunities: ['1:2:3'],
      },
      faults: [],
    });
  });

  test('an OPEN reads as people write it', () => {
    expect(overJson(decoded(frame(1, bytes('04 fde9 005a c0000201 10 0206 010400010001 0206 410400010000'))))).toEqual({
      type: 'open',
      version: 4,
      asn: 65001,
      holdSeconds: 90,
      bgpIdentifier: '192.0.2.1',
      capabilities: [
        { name: 'multiprotocol', family: 'IPv4 unicast' },
        { name: 'four-octet-as', asn: 65536 },
      ],
    });
  });

  test('any message is the same again, and one readable line', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(messageFromJson(overJson(message))).toEqual({ kind: 'ok', message });
        expect(formatMessage(message)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u);
      }),
      { numRuns: 500 },
    );
  });

  test('every attribute that stays in a record has its JSON', () => {
    const wireOnly = ['mpReach', 'mpUnreach', 'as4Path', 'as4Aggregator'];
    const without = attributeRows.filter(({ spec }) => spec.json === undefined).map(({ field }) => field);
    expect(without.sort()).toEqual(wireOnly.sort());
  });
});

describe('JSON that somebody else wrote, however large', () => {
  const notification = { type: 'notification', code: 6, subcode: 0 };

  test('megabytes of hex digits are read, and refused where one is wrong', () => {
    const data = 'ab'.repeat(2 * 1024 * 1024);
    const result = messageFromJson({ ...notification, data });
    expect(result.kind === 'ok' && result.message.type === 'notification' && result.message.data.length).toBe(
      data.length / 2,
    );
    expect(messageFromJson({ ...notification, data: `${data}x` }).kind).toBe('invalid');
    const attributes = { nextHop: `0x${data}` };
    const update = { type: 'update', announced: [], withdrawn: [], attributes, faults: [] };
    expect(messageFromJson(update).kind).toBe('invalid');
  });

  test('lists in lists in lists are refused without a look inside', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    expect(messageFromJson(deep)).toEqual({ kind: 'invalid', text: 'the message: a list is not an object' });
    expect(messageFromJson({ ...notification, data: deep })).toMatchObject({ kind: 'invalid' });
  });

  test.each([
    [() => 1, 'a function'],
    [5n, 'a bigint'],
    [Symbol('x'), 'a symbol'],
    ['x'.repeat(99), '"x'],
  ])('what is no JSON at all is refused by its kind', (value, text) => {
    const result = messageFromJson({ ...notification, data: value });
    expect(result.kind === 'invalid' && result.text).toMatch(`data: ${text}`);
  });
});

describe('JSON that somebody else wrote', () => {
  const update = { type: 'update', announced: [], withdrawn: [], attributes: {}, faults: [] };
  const route = (nlri: unknown, family: unknown = 'IPv4 unicast'): unknown => ({
    ...update,
    announced: [{ family, nlri }],
  });

  test.each([
    [undefined, 'the message: nothing is not an object'],
    [null, 'the message: null is not an object'],
    [[], 'the message: a list is not an object'],
    [{}, 'type: is missing'],
    [{ type: 'up' }, 'type: "up" is not one of open, update, notification, keepalive, route-refresh'],
    [{ type: 'keepalive', x: 1 }, 'x: no such field, only type'],
    [{ type: 'keepalive', ['__proto__']: 1 }, '__proto__: no such field, only type'],
    [{ type: 'notification', code: 6, subcode: 256, data: '' }, 'subcode: 256 is not a whole number from 0 to 255'],
    [{ type: 'notification', code: 6, subcode: 2, data: '0' }, 'data: "0" is not an even number of hex digits'],
    [{ ...update, faults: undefined }, 'faults: is missing'],
    [{ ...update, attributes: { orign: 'igp' } }, /^attributes\.orign: no such field, only origin, asPath, /],
    [{ ...update, attributes: { med: -1 } }, 'attributes.med: -1 is not a whole number from 0 to 4294967295'],
    [{ ...update, attributes: { med: '5' } }, 'attributes.med: "5" is not a whole number from 0 to 4294967295'],
    [
      { ...update, attributes: { asPath: [{ type: 'sequence', asns: [1, 2.5] }] } },
      'attributes.asPath[0].asns[1]: 2.5 is not a whole number from 0 to 4294967295',
    ],
    [{ ...update, attributes: { atomicAggregate: false } }, 'attributes.atomicAggregate: false is not true'],
    [
      route([{ prefix: '10.0.0.1/8' }]),
      'announced[0].nlri[0].prefix: "10.0.0.1/8" is not an IPv4 prefix without host bits',
    ],
    [route([{ prefix: '::/0' }]), 'announced[0].nlri[0].prefix: "::/0" is not an IPv4 prefix without host bits'],
    [route([], 'IPv5'), 'announced[0].family: "IPv5" is not an address family'],
    [{ ...update, announced: [{ nlri: [] }] }, 'announced[0].family: is missing'],
    [route('zz', '9/9'), 'announced[0].nlri: "zz" is not an even number of hex digits'],
    [
      route([{ components: [{ type: 'port' }] }], 'IPv4 FlowSpec'),
      'announced[0].nlri[0].components[0].matches: is missing',
    ],
    [
      { ...update, faults: [{ text: '', code: [3], data: '', remedy: 'session-reset' }] },
      'faults[0].code: a list is not a code and a subcode',
    ],
    [
      { type: 'open', version: 4, asn: 1, holdSeconds: 90, bgpIdentifier: 1, capabilities: [] },
      'bgpIdentifier: 1 is not an IPv4 address',
    ],
    [
      { type: 'route-refresh', family: 'IPv4 unicast', subtype: 'again' },
      'subtype: "again" is not one of request, begin, end',
    ],
  ])('%j is refused with field and value', (json, text) => {
    const result = messageFromJson(json);
    expect(result.kind).toBe('invalid');
    if (result.kind === 'invalid')
      expect(result.text).toMatch(text instanceof RegExp ? text : new RegExp(`^${escape(text)}$`));
  });

  test('whatever it is, only the documented result comes out', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.anything()), (json) => {
        expect(['ok', 'invalid']).toContain(messageFromJson(json).kind);
      }),
    );
  });
});

test('what a peer wrote cannot move a terminal’s cursor', () => {
  const evil = new TextEncoder().encode('a\u001b[2J\n\u202eb');
  const notification = {
    type: 'notification',
    code: 6,
    subcode: 2,
    data: Uint8Array.of(evil.length, ...evil),
  } as const;
  expect(formatMessage(notification)).toBe(
    'NOTIFICATION Cease / Administrative Shutdown "a\\u{1b}[2J\\u{a}\\u{202e}b"',
  );
});

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
