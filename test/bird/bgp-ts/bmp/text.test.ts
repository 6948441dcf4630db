import { describe, expect, test } from 'vitest';
import type { BmpMessage } from '../../../../bird/bgp-ts/bmp/index.ts';
import { bmpFromJson, bmpToJson, decodeBmp, formatBmp } from '../../../../bird/bgp-ts/bmp/index.ts';
import type { Json } from '../../../../bird/bgp-ts/index.ts';
import { bytes, context } from '../../../support/bgp-bytes.ts';
import { bmp, byHand, localOpenHex, locRib, MARKER, peer, peerHex, peerOpenHex, updateHex } from './by-hand.ts';

const withdrawal = bytes(MARKER, '001f 02', '0008 00000007 18 cb0071', '0000');
const route: BmpMessage = { type: 'route-monitoring', peer, bgp: bytes(updateHex) };

describe('formatBmp', () => {
  const head = 'peer 192.0.2.2 AS 4200000002 identifier 198.51.100.1';
  const at = 'at 2023-11-14T22:13:20.999999Z';

  test.each<[string, BmpMessage]>([
    [
      `ROUTE-MONITORING ${head} ${at}: UPDATE announce 203.0.113.0/24 next-hop 192.0.2.2 as-path [4200000002] origin igp`,
      route,
    ],
    [
      `PEER-DOWN ${head} post-policy Adj-RIB-Out two-octet-as ${at}: local-no-notification event 10`,
      {
        type: 'peer-down',
        peer: { ...peer, postPolicy: true, adjRibOut: true, legacyAsPath: true },
        reason: 'local-no-notification',
        fsmEvent: 10,
      },
    ],
    [
      'PEER-DOWN rd peer 2001:db8::2 distinguisher 65001:7 AS 1 identifier 0.0.0.1: remote-no-notification',
      {
        type: 'peer-down',
        reason: 'remote-no-notification',
        peer: {
          ...peer,
          peerType: 'rd',
          ipv6: true,
          address: bytes('20010db8000000000000000000000002'),
          distinguisher: bytes('0000fde900000007'),
          asn: 1,
          bgpIdentifier: 1,
          seconds: 0,
          microseconds: 0,
        },
      },
    ],
    [
      'PEER-DOWN Loc-RIB AS 65001 identifier 192.0.2.1 filtered at 2023-11-14T22:13:20.000000Z: loc-rib-closed vrf-table-name "global"',
      {
        type: 'peer-down',
        peer: { ...locRib, filtered: true },
        reason: 'loc-rib-closed',
        tlvs: [{ name: 'vrf-table-name', text: 'global' }],
      },
    ],
    [
      `STATISTICS-REPORT ${head} ${at}: duplicate withdraws 5, routes in Adj-RIB-In of a family (IPv6 unicast) 7, statistic 99 0102`,
      {
        type: 'statistics-report',
        peer,
        statistics: [
          { kind: 'counter', type: 2, value: 5n },
          { kind: 'family-gauge', type: 9, family: { afi: 2, safi: 1 }, value: 7n },
          { kind: 'bytes', type: 99, data: bytes('0102') },
        ],
      },
    ],
    [
      `PEER-UP ${head} ${at}: local 192.0.2.1 port 179 remote port 54321 sent OPEN version 4 AS 65001 hold 180s identifier 192.0.2.1 capabilities [] received OPEN version 4 AS 23456 hold 90s identifier 198.51.100.1 capabilities [AS 4200000002] admin-label "edd"`,
      {
        type: 'peer-up',
        peer,
        localAddress: bytes('c0000201'),
        localPort: 179,
        remotePort: 54321,
        sentOpen: bytes(localOpenHex),
        receivedOpen: bytes(peerOpenHex),
        tlvs: [{ name: 'admin-label', text: 'edd' }],
      },
    ],
    [
      'INITIATION sys-name "frr" tlv-9 ff',
      {
        type: 'initiation',
        tlvs: [
          { name: 'sys-name', text: 'frr' },
          { name: 'unknown', type: 9, value: bytes('ff') },
        ],
      },
    ],
    [
      'TERMINATION reason redundant connection reason 77',
      {
        type: 'termination',
        tlvs: [
          { name: 'reason', code: 3 },
          { name: 'reason', code: 77 },
        ],
      },
    ],
    [
      `ROUTE-MIRRORING ${head} ${at}: information errored PDU (marker octet 2 is 0, not 255) ffff00`,
      {
        type: 'route-mirroring',
        peer,
        tlvs: [
          { name: 'information', code: 0 },
          { name: 'bgp-message', bgp: bytes('ffff00') },
        ],
      },
    ],
    ['UNKNOWN type 100 0102', { type: 'unknown', number: 100, body: bytes('0102') }],
  ])('%s', (line, message) => {
    expect(formatBmp(message)).toBe(line);
  });

  test('reads BGP messages with the context that it is given', () => {
    const message: BmpMessage = { type: 'route-monitoring', peer, bgp: withdrawal };
    expect(formatBmp(message, context({ addPath: new Set(['1/1']) }))).toMatch(/: UPDATE withdraw 203.0.113.0\/24#7$/);
    expect(formatBmp(message)).not.toContain('#7');
  });

  test('without one it goes by the A flag', () => {
    const legacy = bytes(MARKER, '002d 02', '0000 0012', '40010100 400204 0201 fde9 400304 c0000202', '18 cb0071');
    const message: BmpMessage = { type: 'route-monitoring', peer: { ...peer, legacyAsPath: true }, bgp: legacy };
    expect(formatBmp(message)).toContain('as-path [65001]');
  });

  test('what a router wrote moves no cursor, begins no line and turns no text around', () => {
    const text = 'a\u001b[2Jb\nc\u2028d\u202ee\u0085f';
    const line = formatBmp({ type: 'initiation', tlvs: [{ name: 'string', text }] });
    expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(line).toBe('INITIATION string "a\\u001b[2Jb\\nc\\u{2028}d\\u{202e}e\\u{85}f"');
  });
});

describe('JSON', () => {
  test('is for people too: names, addresses, hex digits', () => {
    expect(bmpToJson(route)).toEqual({
      type: 'route-monitoring',
      peer: {
        peerType: 'global',
        ipv6: false,
        postPolicy: false,
        legacyAsPath: false,
        adjRibOut: false,
        address: '192.0.2.2',
        distinguisher: '0:0',
        asn: 4_200_000_002,
        bgpIdentifier: '198.51.100.1',
        seconds: 1_700_000_000,
        microseconds: 999_999,
      },
      bgp: updateHex.replaceAll(' ', ''),
    });
  });

  test.each(byHand)('$name comes back', ({ message }) => {
    expect(bmpFromJson(JSON.parse(JSON.stringify(bmpToJson(message))))).toEqual({ kind: 'ok', message });
  });

  test('gauges beyond what JSON numbers hold are text', () => {
    const octets = bmp('01', peerHex(), '00000001', '0007 0008 ffffffffffffffff');
    const result = decodeBmp(octets);
    expect(result.kind === 'ok' && bmpToJson(result.message)).toMatchObject({
      statistics: [{ kind: 'gauge', type: 7, value: '18446744073709551615' }],
    });
  });

  const json = bmpToJson(route) as Readonly<Record<string, Json>>;
  const jsonPeer = json['peer'] as Readonly<Record<string, Json>>;

  test.each<[string, unknown]>([
    ['type: is missing', {}],
    ['the message: a list is not an object', []],
    [
      'type: "update" is not one of route-monitoring, statistics-report, peer-down, peer-up, initiation, termination, route-mirroring, unknown',
      { type: 'update' },
    ],
    ['bgp: "abc" is not an even number of hex digits', { ...json, bgp: 'abc' }],
    ['more: no such field, only type, peer, bgp', { ...json, more: 1 }],
    ['peer.asn: -1 is not a whole number from 0 to 4294967295', { ...json, peer: { ...jsonPeer, asn: -1 } }],
    [
      'peer.filtered: no such field, only peerType, ipv6, postPolicy, legacyAsPath, adjRibOut, address, distinguisher, asn, bgpIdentifier, seconds, microseconds',
      { ...json, peer: { ...jsonPeer, filtered: true } },
    ],
    ['tlvs[0].text: is missing', { type: 'initiation', tlvs: [{ name: 'string' }] }],
    [
      'tlvs[0].code: 65536 is not a whole number from 0 to 65535',
      { type: 'termination', tlvs: [{ name: 'reason', code: 65536 }] },
    ],
    [
      'statistics[0].value: 4294967296 is not a whole number from 0 to 4294967295',
      { type: 'statistics-report', peer: jsonPeer, statistics: [{ kind: 'counter', type: 0, value: 2 ** 32 }] },
    ],
    [
      'reason: "bored" is not one of local-notification, local-no-notification, remote-notification, remote-no-notification, de-configured, loc-rib-closed, unknown',
      { type: 'peer-down', peer: jsonPeer, reason: 'bored' },
    ],
    [
      'peer.address: "192.0.2.1" is not an IPv6 address',
      {
        type: 'peer-down',
        reason: 'de-configured',
        peer: {
          ...(bmpToJson({ type: 'peer-down', reason: 'de-configured', peer: locRib }) as { peer: object }).peer,
          address: '192.0.2.1',
        },
      },
    ],
  ])('%s', (text, value) => {
    expect(bmpFromJson(value)).toEqual({ kind: 'invalid', text });
  });
});
