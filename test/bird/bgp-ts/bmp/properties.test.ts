import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BmpMessage, PeerHeader, PeerTlv, Statistic } from '../../../../bird/bgp-ts/bmp/index.ts';
import {
  bmpFromJson,
  BmpFramer,
  BmpSession,
  bmpToJson,
  decodeBmp,
  encodeBmp,
  formatBmp,
} from '../../../../bird/bgp-ts/bmp/index.ts';
import { frame, hex } from '../../../support/bgp-bytes.ts';
import { byHand } from './by-hand.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const some = fc.uint8Array({ maxLength: 40 });

const identity = { distinguisher: octets(8), asn: u32, bgpIdentifier: u32, seconds: u32, microseconds: u32 };

const routerPeer = (ipv6: boolean): fc.Arbitrary<PeerHeader> =>
  fc.record({
    peerType: fc.constantFrom('global', 'rd', 'local'),
    ipv6: fc.constant(ipv6),
    postPolicy: fc.boolean(),
    legacyAsPath: fc.boolean(),
    adjRibOut: fc.boolean(),
    address: octets(ipv6 ? 16 : 4),
    ...identity,
  });

const peers: fc.Arbitrary<PeerHeader> = fc.oneof(
  routerPeer(false),
  routerPeer(true),
  fc.record({ peerType: fc.constant('loc-rib'), filtered: fc.boolean(), address: octets(16), ...identity }),
  fc.record({
    peerType: fc.constant('unknown'),
    number: fc.integer({ min: 4, max: 255 }),
    flags: u8,
    address: octets(16),
    ...identity,
  }),
);

const text = fc.string({ unit: 'grapheme', maxLength: 20 });

/** Types that no registry here has. */
const unknownTlv = fc.record({ name: fc.constant('unknown'), type: fc.integer({ min: 5, max: 0xffff }), value: some });

const peerTlvs: fc.Arbitrary<PeerTlv[]> = fc.array(
  fc.oneof(fc.record({ name: fc.constantFrom('string', 'vrf-table-name', 'admin-label'), text }), unknownTlv),
  { maxLength: 4 },
);

const family = fc.record({ afi: u16, safi: u8 });

/** Without a name: decoding adds it, where the type has one. */
const statistic: fc.Arbitrary<Statistic> = fc.oneof(
  fc.record({ kind: fc.constant('counter'), type: u16, value: u32.map(BigInt) }),
  fc.record({ kind: fc.constant('gauge'), type: u16, value: u64 }),
  fc.record({ kind: fc.constant('family-gauge'), type: u16, family, value: u64 }),
  fc.record({
    kind: fc.constant('bytes'),
    type: u16,
    data: some.filter(({ length }) => ![4, 8, 11].includes(length)),
  }),
);

const update = fc.uint8Array({ minLength: 4, maxLength: 60 }).map((body) => frame(2, body));
const open = fc.uint8Array({ minLength: 10, maxLength: 60 }).map((body) => frame(1, body));
const notification = fc.uint8Array({ minLength: 2, maxLength: 20 }).map((body) => frame(3, body));

const down = { type: fc.constant('peer-down'), peer: peers };

const peerUp = peers.chain((peer) =>
  fc.record({
    type: fc.constant('peer-up'),
    peer: fc.constant(peer),
    localAddress: octets(peer.address.length),
    localPort: u16,
    remotePort: u16,
    sentOpen: open,
    receivedOpen: open,
    tlvs: peerTlvs,
  }),
);

const messages = fc.oneof(
  fc.record({ type: fc.constant('route-monitoring'), peer: peers, bgp: update }),
  fc.record({ type: fc.constant('statistics-report'), peer: peers, statistics: fc.array(statistic, { maxLength: 8 }) }),
  fc.record({ ...down, reason: fc.constantFrom('local-notification', 'remote-notification'), bgp: notification }),
  fc.record({ ...down, reason: fc.constant('local-no-notification'), fsmEvent: u16 }),
  fc.record({ ...down, reason: fc.constantFrom('remote-no-notification', 'de-configured') }),
  fc.record({ ...down, reason: fc.constant('loc-rib-closed'), tlvs: peerTlvs }),
  fc.record({
    ...down,
    reason: fc.constant('unknown'),
    code: u8.filter((code) => code === 0 || code > 6),
    data: some,
  }),
  peerUp,
  fc.record({
    type: fc.constant('initiation'),
    tlvs: fc.array(fc.oneof(fc.record({ name: fc.constantFrom('string', 'sys-descr', 'sys-name'), text }), unknownTlv)),
  }),
  fc.record({
    type: fc.constant('termination'),
    tlvs: fc.array(
      fc.oneof(
        fc.record({ name: fc.constant('string'), text }),
        fc.record({ name: fc.constant('reason'), code: u16 }),
        unknownTlv,
      ),
    ),
  }),
  fc.record({
    type: fc.constant('route-mirroring'),
    peer: peers,
    tlvs: fc.array(
      fc.oneof(
        fc.record({ name: fc.constant('bgp-message'), bgp: some }),
        fc.record({ name: fc.constant('information'), code: u16 }),
        unknownTlv,
      ),
    ),
  }),
  fc.record({ type: fc.constant('unknown'), number: fc.integer({ min: 7, max: 255 }), body: some }),
) as fc.Arbitrary<BmpMessage>;

const withoutNames = (message: BmpMessage): BmpMessage =>
  message.type === 'statistics-report'
    ? {
        ...message,
        statistics: message.statistics.map((each) => ({ ...each, name: undefined }) as unknown as Statistic),
      }
    : message;

/** An octet changed, a piece cut out or doubled; half of them with the length put right again. */
const mutated = fc
  .record({
    octets: fc.oneof(fc.constantFrom(...byHand.map((each) => each.octets)), messages.map(encodeBmp)),
    at: fc.nat(),
    value: u8,
    how: fc.constantFrom('change', 'cut', 'double'),
    repair: fc.boolean(),
  })
  .map(({ octets: original, at, value, how, repair }) => {
    const place = at % original.length;
    const [head, tail] = [[...original.subarray(0, place)], [...original.subarray(place)]];
    const changed = {
      change: () => [...head, value, ...tail.slice(1)],
      cut: () => [...head, ...tail.slice(1 + (value % 8))],
      double: () => [...head, ...tail.slice(0, 1 + (value % 8)), ...tail],
    }[how]();
    const result = Uint8Array.from(changed);
    if (repair && result.length >= 6) new DataView(result.buffer).setUint32(1, result.length);
    return result;
  });

const anything = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc.tuple(fc.nat(8), fc.uint8Array({ maxLength: 160 })).map(([number, body]) => {
    const message = Uint8Array.from([3, 0, 0, 0, 6 + body.length, number, ...body]);
    return message;
  }),
  mutated,
);

describe('whatever the bytes', () => {
  test('decodeBmp gives one of its two results, and what is ok prints, encodes and is JSON', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const result = decodeBmp(bytes);
        if (result.kind === 'malformed') {
          expect(result.text).toMatch(/./);
          return;
        }
        const { message } = result;
        expect(formatBmp(message)).toMatch(/^[A-Z-]+[^\n]*$/);
        const session = new BmpSession();
        session.observe(message);
        if ('bgp' in message) expect(session.decode(message.peer, message.bgp)).toHaveProperty('kind');
        // What was ignored is gone after the first time, and nothing after that.
        const again = encodeBmp(message);
        expect(again).toHaveLength(bytes.length);
        expect(decodeBmp(again)).toEqual({ kind: 'ok', message });
        expect(bmpFromJson(bmpToJson(message))).toEqual({ kind: 'ok', message });
      }),
      { numRuns: 3000 },
    );
  });

  test('BmpFramer gives frames, one lying header or nothing, and never more octets than came', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 6 }), (chunks) => {
        const framer = new BmpFramer();
        let left = 0;
        for (const chunk of chunks) {
          framer.push(chunk);
          left += chunk.length;
          for (let next = framer.next(); next?.kind === 'frame'; next = framer.next()) left -= next.bytes.length;
        }
        expect(left).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('round trips', () => {
  test('a message is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const result = decodeBmp(encodeBmp(message));
        expect(result.kind === 'ok' && withoutNames(result.message)).toEqual(message);
      }),
      { numRuns: 2000 },
    );
  });

  test('a message is the same after JSON, and JSON.stringify keeps all of it', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const json = JSON.stringify(bmpToJson(message));
        expect(bmpFromJson(JSON.parse(json))).toEqual({ kind: 'ok', message });
      }),
      { numRuns: 1000 },
    );
  });

  test('any messages in any chunks come out of the framer as they went in', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 8 }), fc.integer({ min: 1, max: 300 }), (list, size) => {
        const framer = new BmpFramer();
        const stream = Uint8Array.from(list.flatMap((message) => [...encodeBmp(message)]));
        const frames: string[] = [];
        for (let at = 0; at < stream.length; at += size) {
          framer.push(stream.subarray(at, at + size));
          for (let next = framer.next(); next?.kind === 'frame'; next = framer.next()) frames.push(hex(next.bytes));
        }
        expect(frames).toEqual(list.map((message) => hex(encodeBmp(message))));
      }),
    );
  });
});
