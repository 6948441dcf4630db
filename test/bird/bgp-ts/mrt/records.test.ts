import { describe, expect, test } from 'vitest';
import type { MrtRecord } from '../../../../bird/bgp-ts/mrt/index.ts';
import {
  decodeBgp4mpMessage,
  decodeMrt,
  encodeMrt,
  formatMrt,
  mrtFromJson,
  mrtToJson,
} from '../../../../bird/bgp-ts/mrt/index.ts';
import { bytes, frame, hex, updateFrame } from '../../../support/bgp-bytes.ts';
import { mrt, samples, timestampSeconds } from './samples.ts';

const byName = (name: string): MrtRecord => samples.find((sample) => sample.name === name)!.record;
const decoded = (octets: Uint8Array): MrtRecord => {
  const result = decodeMrt(octets);
  if (result.kind === 'malformed') throw new Error(result.text);
  return result.record;
};
const malformed = (octets: Uint8Array): string | undefined => {
  const result = decodeMrt(octets);
  return result.kind === 'malformed' ? result.text : undefined;
};

describe.each(samples)('$name', ({ type, subtype, octets, record }) => {
  test('decodes to what the layout says', () => {
    expect(decodeMrt(octets)).toEqual({ kind: 'ok', record });
  });

  test('encodes to the same octets', () => {
    expect(hex(encodeMrt(record))).toBe(hex(octets));
  });

  test('is malformed when cut at any octet, whether the header knows or not', () => {
    for (let end = 0; end < octets.length; end++) expect(decodeMrt(octets.subarray(0, end)).kind).toBe('malformed');
    // A body of bytes, and a BGP message that nobody has looked into, have no end of their own.
    const fixed =
      { unknown: 0, 'bgp4mp-message': octets.length - 19 - 12 }[record.type as string] ?? octets.length - 12;
    for (let end = 0; end < fixed; end++) {
      const cut = mrt(type, subtype, hex(octets.subarray(12, 12 + end)));
      expect(decodeMrt(cut).kind).toBe('malformed');
    }
  });

  test('is the same after JSON, as text too', () => {
    const json: unknown = JSON.parse(JSON.stringify(mrtToJson(record)));
    expect(mrtFromJson(json)).toEqual({ kind: 'ok', record });
  });

  test('prints as one line that begins with its time', () => {
    expect(formatMrt(record)).toMatch(/^2011-03-18T19:15:00(\.\d{6})?Z \P{Cc}+$/u);
  });

  test('keeps nothing of the memory it was read from', () => {
    const memory = Uint8Array.from(octets);
    const result = decodeMrt(memory);
    memory.fill(0xee);
    expect(result).toEqual({ kind: 'ok', record });
  });
});

test('every subtype that is read has a sample, and no other', () => {
  const read = samples.filter(({ record }) => record.type !== 'unknown');
  const numbers = new Set(read.filter(({ type }) => type !== 17).map(({ type, subtype }) => `${type}/${subtype}`));
  const tableDump = Array.from({ length: 12 }, (_, i) => `13/${i + 1}`);
  const bgp4mp = [0, 1, 4, 5, 6, 7, 8, 9, 10, 11].map((subtype) => `16/${subtype}`);
  expect([...numbers].sort()).toEqual([...tableDump, ...bgp4mp].sort());
  for (let type = 0; type < 64; type++) {
    for (let subtype = 0; subtype < 20; subtype++) {
      if (numbers.has(`${type === 17 ? 16 : type}/${subtype}`)) continue;
      expect(decodeMrt(mrt(type, subtype, '00000000'))).toMatchObject({ kind: 'ok', record: { type: 'unknown' } });
    }
  }
});

describe('lines', () => {
  test.each([
    [
      'PEER_INDEX_TABLE',
      '2011-03-18T19:15:00Z PEER_INDEX_TABLE collector 198.51.100.4 view "väw" peers [0 198.51.100.5 AS 65001 identifier 198.51.100.5, 1 198.51.100.6 AS 65002 identifier 198.51.100.6, 2 2001:db8::7 AS 65536 identifier 198.51.100.7]',
    ],
    [
      'RIB_IPV4_UNICAST',
      '2011-03-18T19:15:00Z RIB_IPV4_UNICAST sequence 42 198.51.100.0/24 | peer 0 since 2011-03-18T19:15:00Z next-hop 192.0.2.1 as-path [65536 65001] origin igp | peer 15 since 2011-03-18T19:15:00Z',
    ],
    [
      'RIB_GENERIC',
      '2011-03-18T19:15:00Z RIB_GENERIC sequence 7 IPv4 VPN 65001:100 10.0.1.0/24 label 100 | peer 0 since 2011-03-18T19:15:00Z next-hop 0:0 192.0.2.1 as-path [65536 65001] origin igp',
    ],
    [
      'GEO_PEER_TABLE',
      '2011-03-18T19:15:00Z GEO_PEER_TABLE collector 198.51.100.4 at 51.5 -3.5 peers [0 identifier 198.51.100.5 at a private place, 1 identifier 198.51.100.6 at 0 180]',
    ],
    [
      'BGP4MP_ET STATE_CHANGE_AS4',
      '2011-03-18T19:15:00.123456Z BGP4MP_STATE_CHANGE_AS4 peer 192.0.2.2 AS 65536 local 192.0.2.1 AS 65001: Established to Idle',
    ],
    [
      'BGP4MP_MESSAGE_AS4_LOCAL',
      '2011-03-18T19:15:00Z BGP4MP_MESSAGE_AS4_LOCAL from 192.0.2.1 AS 65001 to 192.0.2.2 AS 65536: KEEPALIVE',
    ],
    ['OSPFv2', '2011-03-18T19:15:00Z MRT OSPFv2/0 c0000202c00002010201'],
  ])('%s', (name, line) => expect(formatMrt(byName(name))).toBe(line));

  test('a view name cannot move the cursor', () => {
    const record = { ...byName('PEER_INDEX_TABLE'), viewName: '\u001b[2J\n' } as MrtRecord;
    expect(formatMrt(record)).toContain('view "\\u{1b}[2J\\u{a}"');
  });

  test('a message that is malformed says why', () => {
    const record = { ...byName('BGP4MP_MESSAGE'), bgp: frame(9, bytes()) } as MrtRecord;
    expect(formatMrt(record)).toMatch(/: malformed \(message type 9 is unknown\)$/);
  });
});

describe('the message in a BGP4MP record', () => {
  const message = (name: string, bgp: Uint8Array): Parameters<typeof decodeBgp4mpMessage>[0] => ({
    ...(byName(name) as Parameters<typeof decodeBgp4mpMessage>[0]),
    bgp,
  });

  test('has AS numbers as the subtype says', () => {
    const short = updateFrame({ attributes: '40010100 400204 0201 fde9 400304c0000201', nlri: '08 0a' });
    const long = updateFrame({ attributes: '40010100 400206 0201 0000fde9 400304c0000201', nlri: '08 0a' });
    const asPath = [{ type: 'sequence', asns: [65001] }];
    for (const [name, own, other] of [
      ['BGP4MP_MESSAGE', short, long],
      ['BGP4MP_MESSAGE_AS4', long, short],
    ] as const) {
      expect(decodeBgp4mpMessage(message(name, own))).toMatchObject({
        kind: 'ok',
        message: { attributes: { asPath } },
      });
      expect(decodeBgp4mpMessage(message(name, other))).not.toMatchObject({ message: { attributes: { asPath } } });
    }
  });

  test('has path identifiers in the ADDPATH subtypes, whatever the family', () => {
    const attributes =
      '40010100 400200 400304c0000201 800e 1b 0002 01 10 20010db8000000000000000000000001 00 00000005 0820';
    const octets = updateFrame({ attributes, nlri: '00000009 080a' });
    expect(decodeBgp4mpMessage(message('BGP4MP_MESSAGE_AS4_ADDPATH', octets))).toMatchObject({
      kind: 'ok',
      message: { announced: [{ nlri: [{ pathId: 9, length: 8 }] }, { nlri: [{ pathId: 5, length: 8 }] }], faults: [] },
    });
  });

  test('keeps LOCAL_PREF unless the caller knows that the peer is external', () => {
    const octets = updateFrame({ attributes: '40010100 400200 400304c0000201 40050400000064', nlri: '08 0a' });
    const record = message('BGP4MP_MESSAGE_AS4', octets);
    expect(decodeBgp4mpMessage(record)).toMatchObject({ message: { attributes: { localPref: 100 } } });
    expect(decodeBgp4mpMessage(record, { external: true })).toMatchObject({ message: { faults: [{ attribute: 5 }] } });
  });
});

describe('malformed records say what is wrong', () => {
  test.each([
    ['no header', bytes('4d83'), '2 octets are no MRT header'],
    ['a length that lies', mrt(16, 0).fill(9, 11), 'a record of 9 octets, but 0 follow its header'],
    ['octets left over', mrt(13, 1, '00000000 0000 0000 ff'), 'PEER_INDEX_TABLE: 1 octets are left over'],
    ['no room for microseconds', mrt(49, 0, '0000'), 'type 49: 4 octets wanted, 2 left'],
    [
      'an address of AFI 3',
      mrt(16, 0, 'fdea fde9 0000 0003 00'),
      'BGP4MP_STATE_CHANGE: address family 3 is neither IPv4 nor IPv6',
    ],
    ['a prefix too long', mrt(13, 2, '00000000 21 0a00000000 0000'), 'RIB_IPV4_UNICAST: prefix length 33 is above 32'],
    [
      'more entries than there are',
      mrt(13, 2, '00000000 00 0002 0000 4d83af34 0000'),
      'RIB_IPV4_UNICAST: 2 octets wanted, 0 left',
    ],
  ])('%s', (_, octets, text) => expect(malformed(octets)).toBe(text));
});

test('a byte order mark is part of a view name', () => {
  const octets = mrt(13, 1, '00000000 0004 efbbbf78 0000');
  expect(decoded(octets)).toMatchObject({ viewName: '\ufeffx' });
  expect(hex(encodeMrt(decoded(octets)))).toBe(hex(octets));
});

test('what is not canonical is read: host bits, reserved bits of a peer type, a NaN with a payload', () => {
  expect(decoded(mrt(13, 2, '00000000 0c 0aff 0000'))).toMatchObject({ nlri: { nlri: [{ words: [0x0af00000] }] } });
  const peers = decoded(mrt(13, 1, '00000000 0000 0001 fc 01020304 05060708 fde9'));
  expect(peers).toMatchObject({ peers: [{ asn: 65001, fourOctetAs: false }] });
  const places = decoded(mrt(13, 7, '00000000 ffc00001 7f800001 0000'));
  expect(places).toMatchObject({ latitude: NaN, longitude: NaN });
  expect(hex(encodeMrt(places).subarray(16, 24))).toBe('7fc000007fc00000');
});

describe('encodeMrt refuses', () => {
  const change = byName('BGP4MP_STATE_CHANGE');
  const rib = byName('RIB_IPV4_UNICAST');
  const peers = byName('PEER_INDEX_TABLE');
  test.each<[string, object, string]>([
    ['an AS too large for two octets', { ...change, peerAsn: 65536 }, 'peer AS 65536 does not fit 2 octets'],
    ['half an AS', { ...change, localAsn: 1.5 }, 'local AS 1.5 does not fit 2 octets'],
    ['an interface index below 0', { ...change, interfaceIndex: -1 }, 'interface index -1 does not fit 2 octets'],
    ['addresses of two families', { ...change, localAddress: bytes('00'.repeat(16)) }, 'are of two families'],
    ['an address of five octets', { ...change, peerAddress: bytes('0102030405') }, '5 octets are no address'],
    ['a state too large', { ...change, newState: 65536 }, 'new state 65536 does not fit 2 octets'],
    ['a time too large', { ...change, timestampSeconds: 2 ** 32 }, 'timestamp 4294967296 does not fit 4 octets'],
    ['microseconds where no type has them', { ...rib, microseconds: 1 }, 'RIB_IPV4_UNICAST has no microseconds'],
    ['a path identifier where none may be', withEntry(rib, { pathId: 1 }), 'has no room for a path identifier'],
    ['an entry without its path identifier', { ...rib, addPath: true }, 'lacks its path identifier'],
    ['a VPN prefix that is not generic', { ...byName('RIB_GENERIC'), generic: undefined }, 'no subtype of MRT holds'],
    ['two NLRI', withNlri(rib, 2), 'a RIB record has one NLRI, not 2'],
    ['no NLRI', withNlri(rib, 0), 'a RIB record has one NLRI, not 0'],
    ['a view name too long', { ...peers, viewName: 'x'.repeat(65536) }, '65536 octets do not fit'],
    ['too many entries', withEntries(rib, 65536), 'entry count 65536 does not fit 2 octets'],
    ['too many peers', { ...peers, peers: Array(65536).fill({}) }, 'peer count 65536 does not fit 2 octets'],
    ['an _ET type without microseconds', { ...byName('OSPFv3_ET'), microseconds: undefined }, 'needs its microseconds'],
    ['microseconds in a plain type', { ...byName('OSPFv2'), microseconds: 1 }, 'type 11 has no microseconds'],
  ])('%s', (_, record, text) => expect(() => encodeMrt(record as MrtRecord)).toThrow(text));
});

describe('mrtFromJson refuses', () => {
  const json = mrtToJson(byName('BGP4MP_STATE_CHANGE')) as object;
  test.each<[string, unknown, string]>([
    ['no object', null, 'the message: null is not an object'],
    ['a type nobody knows', { type: 'rip' }, 'type: "rip" is not one of peer-index-table'],
    ['a missing field', { ...json, oldState: undefined }, 'oldState: is missing'],
    ['another field', { ...json, color: 1 }, 'color: no such field'],
    ['a state nobody knows', { ...json, newState: 'Up' }, 'newState: "Up" is not one of Idle'],
    ['a bad address', { ...json, peerAddress: '192.0.2' }, 'peerAddress: "192.0.2" is not an IPv4 or IPv6 address'],
    [
      'a place that is no number',
      { ...(mrtToJson(byName('GEO_PEER_TABLE')) as object), latitude: 1e300 },
      'latitude: 1e+300 is not a number of 32 bits',
    ],
  ])('%s', (_, from, text) => {
    const result = mrtFromJson(from);
    expect(result.kind === 'invalid' && result.text).toContain(text);
  });
});

test('the header of the sample at hand is the one of the RFC, octet by octet', () => {
  const octets = encodeMrt(byName('BGP4MP_ET STATE_CHANGE_AS4'));
  expect(timestampSeconds).toBe(Date.UTC(2011, 2, 18, 19, 15) / 1000);
  // Timestamp, type 17, subtype 5, length: four octets of microseconds and 24 of the record.
  expect(hex(octets.subarray(0, 16))).toBe('4d83af34 0011 0005 0000001c 0001e240'.replaceAll(' ', ''));
});

function withEntry(record: MrtRecord, change: object): object {
  return record.type === 'rib' ? { ...record, entries: record.entries.map((entry) => ({ ...entry, ...change })) } : {};
}

function withEntries(record: MrtRecord, count: number): object {
  return record.type === 'rib' ? { ...record, entries: Array(count).fill(record.entries[1]) } : {};
}

function withNlri(record: MrtRecord, count: number): object {
  if (record.type !== 'rib' || record.nlri.kind !== 'prefix') return {};
  return { ...record, nlri: { ...record.nlri, nlri: Array(count).fill(record.nlri.nlri[0]) } };
}
