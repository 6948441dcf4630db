import { describe, expect, test } from 'vitest';
import type { MrtRecord } from '../../../../bird/bgp-ts/mrt/index.ts';
import {
  decodeBgp4mpMessage,
  decodeMrt,
  encodeMrt,
  formatMrt,
  mrtFromJson,
  mrtToJson,
  MrtReader,
} from '../../../../bird/bgp-ts/mrt/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';
import bird from './fixtures/bird.json' with { type: 'json' };
import gobgp from './fixtures/gobgp.json' with { type: 'json' };

/** What two other implementations wrote of one session; how they were set up stands in the fixtures. */
const dumps = [
  ['BIRD, updates', bird.files['updates.mrt']],
  ['BIRD, IPv4 table', bird.files['table-master4.mrt']],
  ['BIRD, IPv6 table', bird.files['table-master6.mrt']],
  ['GoBGP, updates', gobgp.files['updates.mrt']],
  ['GoBGP, tables', gobgp.files['table.mrt']],
] as const;

function octetsOf(file: string): readonly Uint8Array[] {
  const reader = new MrtReader();
  reader.push(bytes(file));
  const records: Uint8Array[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.kind === 'frame') records.push(Uint8Array.from(next.bytes));
  }
  expect(reader.end()).toBeUndefined();
  return records;
}

function recordsOf(file: string): readonly MrtRecord[] {
  return octetsOf(file).map((octets) => {
    const result = decodeMrt(octets);
    if (result.kind === 'malformed') throw new Error(result.text);
    return result.record;
  });
}

/** Without the time. */
const linesOf = (file: string): readonly string[] =>
  recordsOf(file).map((record) => formatMrt(record).replace(/^\S+ /, ''));

describe.each(dumps)('%s', (_, file) => {
  test('is read without a fault, and is the same after JSON', () => {
    for (const record of recordsOf(file)) {
      expect(record.type).not.toBe('unknown');
      if (record.type === 'rib') for (const { faults } of record.entries) expect(faults).toEqual([]);
      if (record.type === 'bgp4mp-message') {
        expect(decodeBgp4mpMessage(record)).not.toMatchObject({ kind: 'fault' });
        expect(decodeBgp4mpMessage(record)).not.toMatchObject({ message: { remedy: expect.anything() } });
      }
      expect(mrtFromJson(JSON.parse(JSON.stringify(mrtToJson(record))))).toEqual({ kind: 'ok', record });
    }
  });

  test('is the same after encoding, but for what is not canonical in the attributes of a RIB entry', () => {
    for (const octets of octetsOf(file)) {
      const result = decodeMrt(octets);
      if (result.kind === 'malformed') throw new Error(result.text);
      const again = encodeMrt(result.record);
      expect(decodeMrt(again)).toEqual(result);
      if (result.record.type !== 'rib') expect(hex(again)).toBe(hex(octets));
    }
  });
});

test('BIRD wrote the session as it came up, and the updates of GoBGP', () => {
  const ends = 'from 192.0.2.2 AS 4200000002 to 192.0.2.1 AS 65001';
  const change = 'BGP4MP_STATE_CHANGE_AS4 peer 192.0.2.2 AS 4200000002 local 192.0.2.1 AS 65001';
  const lines = linesOf(bird.files['updates.mrt']);
  expect(lines.filter((line) => line.startsWith('BGP4MP_STATE_CHANGE'))).toEqual([
    'BGP4MP_STATE_CHANGE_AS4 peer 0.0.0.0 AS 4200000002 local 0.0.0.0 AS 65001: Idle to Active',
    `${change}: Active to Connect`,
    `${change}: Connect to OpenSent`,
    `${change}: OpenSent to OpenConfirm`,
    `${change}: OpenConfirm to Established`,
    `${change}: Established to Idle`,
  ]);
  expect(lines.filter((line) => line.includes('UPDATE'))).toEqual([
    `BGP4MP_MESSAGE_AS4_ADDPATH ${ends}: UPDATE announce 10.1.0.0/16#1 next-hop 192.0.2.2 as-path [4200000002] origin incomplete med 77 communities 65002:5`,
    `BGP4MP_MESSAGE_AS4 ${ends}: UPDATE announce 2001:db8:2::/48 next-hop 2001:db8::2 as-path [4200000002] origin incomplete`,
    `BGP4MP_MESSAGE_AS4_ADDPATH ${ends}: UPDATE announce 10.2.0.0/16#1 next-hop 192.0.2.2 as-path [4200000002] origin incomplete`,
    `BGP4MP_MESSAGE_AS4_ADDPATH ${ends}: UPDATE withdraw 10.2.0.0/16#1`,
  ]);
  expect(lines.find((line) => line.includes('OPEN version'))).toMatch(
    /^BGP4MP_MESSAGE from 192\.0\.2\.2 AS 23456 to 192\.0\.2\.1 AS 65001: OPEN version 4 AS 23456 hold 90s/,
  );
});

test('BIRD wrote its tables: path identifiers where there are some, and no flags on what it made itself', () => {
  const withoutTimes = (file: string): readonly string[] =>
    linesOf(file).map((line) => line.replaceAll(/ since \S+/g, ''));
  const peers = 'peers [0 :: AS 0 identifier 0.0.0.0, 1 192.0.2.2 AS 4200000002 identifier 192.0.2.2]';
  expect(withoutTimes(bird.files['table-master4.mrt'])).toEqual([
    `PEER_INDEX_TABLE collector 192.0.2.1 view "master4" ${peers}`,
    'RIB_IPV4_UNICAST sequence 0 198.51.100.0/24 | peer 0 communities 65001:100 large-communities 65001:1:2',
    'RIB_IPV4_UNICAST_ADDPATH sequence 1 10.1.0.0/16 | peer 1 path 1 next-hop 192.0.2.2 as-path [4200000002] origin incomplete med 77 local-pref 100 communities 65002:5',
    'RIB_IPV4_UNICAST sequence 2 203.0.113.128/25 | peer 0',
  ]);
  expect(withoutTimes(bird.files['table-master6.mrt'])).toEqual([
    `PEER_INDEX_TABLE collector 192.0.2.1 view "master6" ${peers}`,
    'RIB_IPV6_UNICAST sequence 3 2001:db8:1::/48 | peer 0',
    'RIB_IPV6_UNICAST sequence 4 2001:db8:2::/48 | peer 1 next-hop 2001:db8::2 as-path [4200000002] origin incomplete local-pref 100',
  ]);
  // NEXT_HOP with flags of zero; MP_REACH abbreviated.
  expect(bird.files['table-master4.mrt']).toContain('000304c0000202');
  expect(bird.files['table-master6.mrt']).toContain('800e111020010db8000000000000000000000002');
});

test('GoBGP wrote the updates of BIRD', () => {
  const ends = 'from 192.0.2.1 AS 65001 to 192.0.2.2 AS 4200000002';
  expect(linesOf(gobgp.files['updates.mrt'])).toEqual([
    `BGP4MP_MESSAGE_AS4_ADDPATH ${ends}: UPDATE announce 198.51.100.0/24#3 next-hop 192.0.2.1 as-path [65001] origin igp communities 65001:100 large-communities 65001:1:2`,
    `BGP4MP_MESSAGE_AS4_ADDPATH ${ends}: UPDATE announce 203.0.113.128/25#3 next-hop 192.0.2.1 as-path [65001] origin igp`,
    `BGP4MP_MESSAGE_AS4 ${ends}: UPDATE announce 2001:db8:1::/48 next-hop 2001:db8::1 as-path [65001] origin igp`,
  ]);
});

test('GoBGP wrote its tables, with MP_REACH whole', () => {
  const lines = linesOf(gobgp.files['table.mrt']).map((line) => line.replaceAll(/ (since \S+|sequence \d+)/g, ''));
  expect(lines.slice(1).sort()).toEqual(
    [
      'RIB_IPV4_UNICAST_ADDPATH 10.1.0.0/16 | peer 2 path 0 next-hop 192.0.2.2 origin incomplete med 77 communities 65002:5',
      'RIB_IPV4_UNICAST_ADDPATH 198.51.100.0/24 | peer 1 path 3 next-hop 192.0.2.1 as-path [65001] origin igp communities 65001:100 large-communities 65001:1:2',
      'RIB_IPV4_UNICAST_ADDPATH 203.0.113.128/25 | peer 1 path 3 next-hop 192.0.2.1 as-path [65001] origin igp',
      'RIB_IPV6_UNICAST 2001:db8:1::/48 | peer 1 next-hop 2001:db8::1 as-path [65001] origin igp',
      'RIB_IPV6_UNICAST_ADDPATH 2001:db8:2::/48 | peer 2 path 0 next-hop 2001:db8::2 origin incomplete',
    ].sort(),
  );
  expect(gobgp.files['table.mrt']).toContain('0002011020010db8000000000000000000000002003020010db80002');
});
