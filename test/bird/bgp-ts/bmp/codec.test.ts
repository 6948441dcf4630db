import { describe, expect, test } from 'vitest';
import type { BmpMessage, PeerHeader, Statistic } from '../../../../bird/bgp-ts/bmp/index.ts';
import { decodeBmp, encodeBmp } from '../../../../bird/bgp-ts/bmp/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';
import {
  bmp,
  byHand,
  localOpenHex,
  locRib,
  locRibHex,
  MARKER,
  notificationHex,
  peer,
  peerHex,
  peerOpenHex,
  updateHex,
} from './by-hand.ts';

const textOf = (octets: Uint8Array): string | undefined => {
  const result = decodeBmp(octets);
  return result.kind === 'malformed' ? result.text : undefined;
};

describe.each(byHand)('$name', ({ octets, message }) => {
  test('decodes to what was written', () => {
    expect(decodeBmp(octets)).toEqual({ kind: 'ok', message });
  });

  test('encodes to the same octets', () => {
    expect(hex(encodeBmp(message))).toBe(hex(octets));
  });

  test('cut at any octet is malformed', () => {
    for (let end = 0; end < octets.length; end++) expect(decodeBmp(octets.slice(0, end)).kind).toBe('malformed');
  });

  test('cut at any octet, with the length put right, is malformed or another message, and never an error', () => {
    for (let end = 6; end < octets.length; end++) {
      const result = decodeBmp(withLength(octets.slice(0, end)));
      if (result.kind === 'ok') expect(result.message).not.toEqual(message);
    }
  });

  test('holds no view of the octets it came from', () => {
    const source = Uint8Array.from(octets);
    const result = decodeBmp(source);
    source.fill(0xaa);
    expect(result).toEqual({ kind: 'ok', message });
  });
});

describe('the per-peer header', () => {
  const peerOf = (octets: Uint8Array): PeerHeader | undefined => {
    const result = decodeBmp(octets);
    return result.kind === 'ok' && 'peer' in result.message ? result.message.peer : undefined;
  };

  test.each([
    ['40', { postPolicy: true }],
    ['20', { legacyAsPath: true }],
    ['10', { adjRibOut: true }],
    ['50', { postPolicy: true, adjRibOut: true }],
  ])('flags %s', (flags, changes) => {
    const octets = bmp('02', peerHex(flags), '04');
    expect(peerOf(octets)).toEqual({ ...peer, ...changes });
    expect(hex(encodeBmp({ type: 'peer-down', reason: 'remote-no-notification', peer: peerOf(octets)! }))).toBe(
      hex(octets),
    );
  });

  test('with the V flag an address has all 16 octets', () => {
    const address = bytes('000000000000000000000000c0000202');
    expect(peerOf(bmp('02', peerHex('80'), '04'))).toEqual({ ...peer, ipv6: true, address });
  });

  test('flags without a name are ignored, and so is all but F of a Loc-RIB', () => {
    expect(peerOf(bmp('02', peerHex('0f'), '04'))).toEqual(peer);
    expect(peerOf(bmp('02', locRibHex('7f'), '06'))).toEqual(locRib);
  });

  test('what stands before an IPv4 address is ignored', () => {
    const dirty = peerHex().replace('000000000000000000000000 c0000202', '0102030405060708090a0b0c c0000202');
    expect(peerOf(bmp('02', dirty, '04'))).toEqual(peer);
  });
});

const withLength = (octets: Uint8Array): Uint8Array => {
  new DataView(octets.buffer).setUint32(1, octets.length);
  return octets;
};

describe('malformed is a value that says what is wrong', () => {
  const peerUpOf = (...rest: readonly string[]): Uint8Array =>
    bmp('03', peerHex(), '00'.repeat(12), 'c0000201 00b3 d431', ...rest);
  const open = (length: string): string => localOpenHex.replace('001d 01', `${length} 01`);

  test.each([
    ['no octets', bytes(''), '0 octets are not one whole message'],
    ['version 1', bytes('01 00000006 04'), 'version 1 is not 3'],
    ['length 5', bytes('03 00000005'), `message length 5 is not from 6 to ${Number.MAX_SAFE_INTEGER}`],
    ['a length that is one too long', bytes('03 00000007 04'), '6 octets are not one whole message'],
    ['a length that is one too short', bytes('03 00000006 04 00'), '7 octets are not one whole message'],
    ['a per-peer header cut short', bmp('01', '0000'), 'statistics-report: 8 octets wanted, 0 left'],
    [
      'Route Monitoring with something behind the UPDATE',
      bmp('00', peerHex(), updateHex, '00'),
      'route-monitoring: 1 octets behind its last field',
    ],
    [
      'Route Monitoring of another BGP message',
      bmp('00', peerHex(), notificationHex),
      'route-monitoring: BGP notification in the place of update',
    ],
    ['Route Monitoring of nothing', bmp('00', peerHex()), 'route-monitoring: 0 octets are no BGP header'],
    [
      'an UPDATE that says it is longer',
      bmp('00', peerHex(), updateHex.replace('002f', '0030')),
      'route-monitoring: update of 48 octets, but 47 follow',
    ],
    [
      'an UPDATE that says it is shorter',
      bmp('00', peerHex(), updateHex.replace('002f', '002e')),
      'route-monitoring: 1 octets behind its last field',
    ],
    ['a count that is too high', bmp('01', peerHex(), '00000001'), 'statistics-report: count 1, but 0 statistics'],
    [
      'a count of four billion',
      bmp('01', peerHex(), 'ffffffff', '0000 0004 00000000'),
      'statistics-report: count 4294967295, but 1 statistics',
    ],
    [
      'a statistic longer than the message',
      bmp('01', peerHex(), '00000001', '0000 0005 00000000'),
      'statistics-report: 5 octets wanted, 4 left',
    ],
    ['Peer Down 4 with data', bmp('02', peerHex(), '04', '00'), 'peer-down: 1 octets behind its last field'],
    ['Peer Down 2 without its event', bmp('02', peerHex(), '02', '00'), 'peer-down: 2 octets wanted, 1 left'],
    ['Peer Down 1 without a NOTIFICATION', bmp('02', peerHex(), '01'), 'peer-down: 0 octets are no BGP header'],
    ['Peer Up with one OPEN', peerUpOf(localOpenHex), 'peer-up: 0 octets are no BGP header'],
    [
      'a first OPEN that says it is longer',
      peerUpOf(open('001e'), peerOpenHex),
      'peer-up: marker octet 15 is 0, not 255',
    ],
    [
      'a first OPEN that swallows the second',
      peerUpOf(open('0042'), peerOpenHex),
      'peer-up: 0 octets are no BGP header',
    ],
    ['an OPEN of 28 octets', peerUpOf(open('001c'), peerOpenHex), 'peer-up: open length 28 is out of bounds'],
    ['an OPEN of 5000 octets', peerUpOf(open('1388'), peerOpenHex), 'peer-up: open length 5000 is out of bounds'],
    [
      'a second OPEN longer than the message',
      peerUpOf(localOpenHex, open('0030')),
      'peer-up: open of 48 octets, but 29 follow',
    ],
    [
      'a KEEPALIVE for an OPEN',
      peerUpOf(MARKER, '001304', localOpenHex),
      'peer-up: BGP keepalive in the place of open',
    ],
    ['a TLV longer than the message', bmp('04', '0000 0003 6161'), 'initiation: 3 octets wanted, 2 left'],
    ['half a TLV', bmp('05', '000100'), 'termination: 2 octets wanted, 1 left'],
  ])('%s', (_, octets, text) => {
    expect(textOf(octets)).toBe(text);
  });
});

describe('a value that does not fit is refused with its name', () => {
  const down = { type: 'peer-down', reason: 'remote-no-notification' } as const;
  const statistics = (statistic: object): BmpMessage => ({
    type: 'statistics-report',
    peer,
    statistics: [{ type: 1, ...statistic } as Statistic],
  });
  const peerUp = byHand.find(({ message }) => message.type === 'peer-up')!.message;

  test.each<[string, BmpMessage]>([
    ['peer AS 4294967296 does not fit 4 octets', { ...down, peer: { ...peer, asn: 2 ** 32 } }],
    ['microseconds -1 does not fit 4 octets', { ...down, peer: { ...peer, microseconds: -1 } }],
    ['seconds 0.5 does not fit 4 octets', { ...down, peer: { ...peer, seconds: 0.5 } }],
    ['peer address has 16 octets, not 4', { ...down, peer: { ...peer, address: new Uint8Array(16) } }],
    ['peer address has 4 octets, not 16', { ...down, peer: { ...peer, ipv6: true } }],
    ['peer address has 0 octets, not 16', { ...down, peer: { ...locRib, address: bytes('') } }],
    ['peer distinguisher has 7 octets, not 8', { ...down, peer: { ...peer, distinguisher: new Uint8Array(7) } }],
    ['reason 256 does not fit 1 octets', { ...down, peer, reason: 'unknown', code: 256, data: bytes('') }],
    ['FSM event 65536 does not fit 2 octets', { ...down, peer, reason: 'local-no-notification', fsmEvent: 65536 }],
    ['46 octets are not one whole update', { type: 'route-monitoring', peer, bgp: bytes(updateHex).slice(1) }],
    ['21 octets are not one whole update', { type: 'route-monitoring', peer, bgp: bytes(notificationHex) }],
    ['local address has 16 octets, not 4', { ...peerUp, localAddress: new Uint8Array(16) } as BmpMessage],
    ['0 octets are not one whole open', { ...peerUp, receivedOpen: bytes('') } as BmpMessage],
    ['statistic 1 4294967296 does not fit 4 octets', statistics({ kind: 'counter', value: 2n ** 32n })],
    ['statistic 1 18446744073709551616 does not fit 8 octets', statistics({ kind: 'gauge', value: 2n ** 64n })],
    ['statistic 1 -1 does not fit 8 octets', statistics({ kind: 'gauge', value: -1n })],
    ['SAFI 256 does not fit 1 octets', statistics({ kind: 'family-gauge', family: { afi: 1, safi: 256 }, value: 0n })],
    ['sys-name has half a surrogate pair', { type: 'initiation', tlvs: [{ name: 'sys-name', text: '\ud800' }] }],
    [
      '65536 octets do not fit a length field of 2',
      { type: 'initiation', tlvs: [{ name: 'string', text: 'x'.repeat(65536) }] },
    ],
    ['message type 256 does not fit 1 octets', { type: 'unknown', number: 256, body: bytes('') }],
  ])('%s', (text, message) => {
    expect(() => encodeBmp(message)).toThrow(text);
  });
});
