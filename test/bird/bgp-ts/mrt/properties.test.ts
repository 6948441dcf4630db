import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FamilyNlri, PathAttributes } from '../../../../bird/bgp-ts/index.ts';
import type { MrtRecord, RibEntry } from '../../../../bird/bgp-ts/mrt/index.ts';
import {
  bgpStates,
  decodeBgp4mpMessage,
  decodeMrt,
  encodeMrt,
  formatMrt,
  mrtFromJson,
  mrtToJson,
} from '../../../../bird/bgp-ts/mrt/index.ts';
import { hex } from '../../../support/bgp-bytes.ts';
import { mrt, samples } from './samples.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const address = fc.oneof(octets(4), octets(16));

const numbers = fc.constantFrom(...samples.map(({ type, subtype }) => [type, subtype] as const));

/** A right header around anything, and right records with one octet changed or the end cut, the length put right. */
const bodies = fc.oneof(
  fc.tuple(numbers, fc.uint8Array({ maxLength: 80 })).map(([[type, subtype], body]) => mrt(type, subtype, hex(body))),
  fc
    .tuple(fc.constantFrom(...samples), fc.nat(200), u8, fc.boolean())
    .map(([{ type, subtype, octets: whole }, at, value, cut]) => {
      const body = whole.slice(12, cut ? 12 + (at % (whole.length - 11)) : undefined);
      if (!cut && body.length > 0) body[at % body.length] = value;
      return mrt(type, subtype, hex(body));
    }),
);

const json = (record: MrtRecord): unknown => JSON.parse(JSON.stringify(mrtToJson(record)));

describe('whatever the bytes', () => {
  test('only the documented results come out of decodeMrt; what is ok prints, is JSON, and is stable once encoded', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), bodies), (bytes) => {
        const result = decodeMrt(bytes);
        if (result.kind === 'malformed') {
          expect(result.text).not.toBe('');
          return;
        }
        const { record } = result;
        expect(formatMrt(record)).toMatch(/^\d{4}-\P{Cc}+$/u);
        expect(mrtFromJson(json(record))).toEqual({ kind: 'ok', record });
        if (record.type === 'bgp4mp-message') expect(['ok', 'fault']).toContain(decodeBgp4mpMessage(record).kind);
        const canonical = encodeMrt(record);
        const again = decodeMrt(canonical);
        expect(again).toEqual({ kind: 'ok', record: withoutFaults(record) });
        expect(hex(encodeMrt(record))).toBe(hex(canonical));
      }),
      { numRuns: 3000 },
    );
  });

  test('the length of a record is the one its header says', () => {
    fc.assert(
      fc.property(bodies, fc.uint8Array({ minLength: 1, maxLength: 8 }), (bytes, more) => {
        expect(decodeMrt(Uint8Array.from([...bytes, ...more])).kind).toBe('malformed');
        expect(decodeMrt(bytes.subarray(0, -1)).kind).toBe('malformed');
      }),
    );
  });

  test('only the documented results come out of mrtFromJson', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), changedJson()), (value) => {
        const result = mrtFromJson(value);
        if (result.kind === 'ok') expect(mrtFromJson(json(result.record))).toEqual(result);
        else expect(result.text).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('round trips', () => {
  const ends = fc.oneof(
    fc.record({ peerAddress: octets(4), localAddress: octets(4) }),
    fc.record({ peerAddress: octets(16), localAddress: octets(16) }),
  );
  const asns = fc.oneof(
    fc.record({ fourOctetAs: fc.constant(true), peerAsn: u32, localAsn: u32 }),
    fc.record({ fourOctetAs: fc.constant(false), peerAsn: u16, localAsn: u16 }),
  );
  const session = fc
    .tuple(
      fc.record(
        { timestampSeconds: u32, microseconds: u32, interfaceIndex: u16 },
        {
          requiredKeys: ['timestampSeconds', 'interfaceIndex'],
        },
      ),
      ends,
      asns,
    )
    .map(([own, both, numbersOf]) => ({ ...own, ...both, ...numbersOf }));
  const state = fc.oneof(fc.constantFrom(...bgpStates), fc.integer({ min: 7, max: 0xffff }), fc.constant(0));
  const place = fc.float();

  const plain: fc.Arbitrary<MrtRecord> = fc.oneof(
    fc.record({
      type: fc.constant('peer-index-table' as const),
      timestampSeconds: u32,
      collectorBgpIdentifier: u32,
      viewName: fc.string({ unit: 'grapheme', maxLength: 20 }),
      peers: fc.array(
        fc
          .tuple(fc.record({ bgpIdentifier: u32, address, fourOctetAs: fc.boolean() }), u32)
          .map(([peer, asn]) => ({ ...peer, asn: peer.fourOctetAs ? asn : asn & 0xffff })),
        { maxLength: 5 },
      ),
    }),
    fc.record({
      type: fc.constant('geo-peer-table' as const),
      timestampSeconds: u32,
      collectorBgpIdentifier: u32,
      latitude: place,
      longitude: place,
      peers: fc.array(fc.record({ peerType: u8, bgpIdentifier: u32, latitude: place, longitude: place }), {
        maxLength: 5,
      }),
    }),
    fc
      .tuple(session, fc.record({ local: fc.boolean(), addPath: fc.boolean(), bgp: fc.uint8Array({ maxLength: 80 }) }))
      .map(([own, rest]) => ({ type: 'bgp4mp-message' as const, ...own, ...rest })),
    fc
      .tuple(session, state, state)
      .map(([own, oldState, newState]) => ({ type: 'bgp4mp-state-change' as const, ...own, oldState, newState })),
    fc.record({
      type: fc.constant('unknown' as const),
      timestampSeconds: u32,
      mrtType: fc.constantFrom(0, 11, 12, 32, 48, 64, 0xffff),
      subtype: u16,
      body: fc.uint8Array({ maxLength: 80 }),
    }),
  );

  const ipv4 = fc.tuple(u32, fc.nat(32)).map(([word, length]) => {
    return { words: [length === 0 ? 0 : ((word >>> (32 - length)) << (32 - length)) >>> 0], length };
  });
  const ipv6 = fc.tuple(fc.tuple(u32, u32, u32, u32), fc.nat(128)).map(([words, length]) => ({
    words: words.map((word, i) => {
      const kept = Math.min(32, Math.max(0, length - 32 * i));
      return kept === 0 ? 0 : ((word >>> (32 - kept)) << (32 - kept)) >>> 0;
    }),
    length,
  }));
  const hop4 = octets(4).map((hop) => Uint8Array.of(10, ...hop.subarray(1)));
  const hop6 = fc.oneof(octets(16), octets(32));

  interface Shape {
    readonly nlri: FamilyNlri;
    readonly generic: boolean;
    readonly nextHop: Uint8Array;
  }
  const prefixes = (afi: 1 | 2): fc.Arbitrary<Shape> =>
    fc
      .tuple(afi === 1 ? ipv4 : ipv6, fc.constantFrom(1, 2), fc.boolean(), fc.oneof(hop4, hop6))
      .map(([prefix, safi, generic, nextHop]) => ({
        generic,
        nlri: { kind: 'prefix', family: { afi, safi }, nlri: [{ pathId: 0, ...prefix }] },
        nextHop,
      }));
  const vpn: fc.Arbitrary<Shape> = fc
    .tuple(ipv4, octets(8), fc.nat(0xfffff), fc.oneof(octets(12), octets(24)))
    .map(([prefix, routeDistinguisher, label, nextHop]) => ({
      generic: true,
      nlri: {
        kind: 'vpn',
        family: { afi: 1, safi: 128 },
        nlri: [{ pathId: 0, ...prefix, labels: [label], routeDistinguisher }],
      },
      nextHop,
    }));
  const attributes: fc.Arbitrary<Omit<PathAttributes, 'nextHop'>> = fc.record(
    {
      origin: fc.constantFrom('igp', 'egp', 'incomplete'),
      asPath: fc.array(
        fc.record({
          type: fc.constantFrom('sequence', 'set', 'confed-sequence'),
          asns: fc.array(fc.integer({ min: 1, max: 0xffff_ffff }), { minLength: 1, maxLength: 5 }),
        }),
        { maxLength: 3 },
      ),
      med: u32,
      localPref: u32,
      clusterList: fc.array(u32, { minLength: 1, maxLength: 3 }),
      communities: fc.array(u32, { minLength: 1, maxLength: 80 }),
      extendedCommunities: fc.array(octets(8), { minLength: 1, maxLength: 3 }),
      unknown: fc.uint8Array({ maxLength: 400 }).map((value) => [{ code: 200, flags: 0xe0, value }]),
    },
    { requiredKeys: [] },
  );

  const rib: fc.Arbitrary<MrtRecord> = fc
    .tuple(
      fc.oneof(prefixes(1), prefixes(2), vpn),
      fc.record({ timestampSeconds: u32, sequence: u32, addPath: fc.boolean() }),
      fc.array(
        fc.record({
          own: fc.record({ peerIndex: u16, originatedTime: u32 }),
          attributes,
          pathId: u32,
          hops: fc.constantFrom('none', 'one', 'both'),
          ipv4NextHop: hop4,
        }),
        { maxLength: 4 },
      ),
    )
    .map(([{ generic, nlri, nextHop }, own, entries]) => {
      const group = generic && own.addPath ? withPathId(nlri) : nlri;
      return {
        type: 'rib' as const,
        ...own,
        ...(generic && { generic: true as const }),
        nlri: group,
        entries: entries.map((entry): RibEntry => ({
          ...entry.own,
          ...(own.addPath && !generic && { pathId: entry.pathId }),
          attributes: { ...entry.attributes, ...(entry.hops !== 'none' && { nextHop }) },
          ...(entry.hops === 'both' && { ipv4NextHop: entry.ipv4NextHop }),
          faults: [],
        })),
      };
    });

  test.each([
    ['records but RIBs', plain],
    ['RIB records of plain and VPN prefixes', rib],
  ])('%s are the same after encoding and decoding, and after JSON', (_, records) => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = encodeMrt(record);
        expect(decodeMrt(bytes)).toEqual({ kind: 'ok', record });
        expect(mrtFromJson(json(record))).toEqual({ kind: 'ok', record });
        expect(formatMrt(record)).toMatch(/^\d{4}-\P{Cc}+$/u);
      }),
      { numRuns: 1000 },
    );
  });

  test('a FlowSpec rule that is long enough for a length of two octets is found whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (count) => {
        const matches = Array.from({ length: count }, () => ({ and: false, operator: 1, octets: 2, value: 0xbeefn }));
        const nlri = { pathId: 0, components: [{ type: 5, matches }] };
        const record: MrtRecord = {
          type: 'rib',
          timestampSeconds: 0,
          generic: true,
          addPath: false,
          sequence: 0,
          nlri: { kind: 'flow', family: { afi: 1, safi: 133 }, nlri: [nlri] },
          entries: [{ peerIndex: 1, originatedTime: 2, attributes: { origin: 'igp' }, faults: [] }],
        };
        expect(decodeMrt(encodeMrt(record))).toEqual({ kind: 'ok', record });
      }),
      { numRuns: 60 },
    );
  });
});

const withPathId = (group: FamilyNlri): FamilyNlri =>
  ({
    ...group,
    nlri: (group.nlri as readonly object[]).map((entry) => ({ ...entry, pathId: 77 })),
  }) as unknown as FamilyNlri;

/** What encoding leaves out: attributes that were malformed are not written. */
function withoutFaults(record: MrtRecord): MrtRecord {
  if (record.type !== 'rib') return record;
  return { ...record, entries: record.entries.map((entry) => ({ ...entry, faults: [] })) };
}

/** The JSON of a sample with one field of the record changed or gone. */
function changedJson(): fc.Arbitrary<unknown> {
  return fc.tuple(fc.constantFrom(...samples), fc.nat(20), fc.jsonValue()).map(([{ record }, at, value]) => {
    const fields = Object.entries(json(record) as object);
    return Object.fromEntries(
      fields.map(([name, each], i) => [name, i === at % fields.length ? value : (each as unknown)]),
    );
  });
}
