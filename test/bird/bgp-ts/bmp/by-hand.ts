/** BMP messages written by hand from the RFCs' layouts, a line per field, and what they mean. */
import type { BmpMessage, LocRibPeer, RouterPeer } from '../../../../bird/bgp-ts/bmp/index.ts';
import { bytes } from '../../../support/bgp-bytes.ts';

export const MARKER = 'ff'.repeat(16);

/** Version 3, the length of all of it, the type, and the body given in hex. */
export function bmp(type: string, ...body: readonly string[]): Uint8Array {
  const octets = bytes(...body);
  const length = (6 + octets.length).toString(16).padStart(8, '0');
  return bytes('03', length, type, ...body);
}

/** RFC 7854 §4.2: a peer of the default instance over IPv4, no flags. */
export const peerHex = (flags = '00'): string =>
  [
    '00', // peer type: global
    flags,
    '0000000000000000', // distinguisher
    '000000000000000000000000 c0000202', // address 192.0.2.2, in the last four
    'fa56ea02', // AS 4200000002
    'c6336401', // BGP identifier 198.51.100.1
    '6553f100', // seconds 1700000000
    '000f423f', // microseconds 999999
  ].join('');

export const peer: RouterPeer = {
  peerType: 'global',
  ipv6: false,
  postPolicy: false,
  legacyAsPath: false,
  adjRibOut: false,
  distinguisher: bytes('0000000000000000'),
  address: bytes('c0000202'),
  asn: 4_200_000_002,
  bgpIdentifier: 0xc6336401,
  seconds: 1_700_000_000,
  microseconds: 999_999,
};

/** The same over IPv6, behind route distinguisher 65001:7. */
export const rdPeerHex = [
  '01', // peer type: RD instance
  '80', // V
  '0000 fde9 00000007', // distinguisher: type 0, AS 65001, number 7
  '20010db8000000000000000000000002', // address 2001:db8::2
  '0000fde9', // AS 65001
  'c6336401',
  '00000000', // no time
  '00000000',
].join('');

export const rdPeer: RouterPeer = {
  ...peer,
  peerType: 'rd',
  ipv6: true,
  distinguisher: bytes('0000fde900000007'),
  address: bytes('20010db8000000000000000000000002'),
  asn: 65001,
  seconds: 0,
  microseconds: 0,
};

/** RFC 9069 §5.1: zeros for the address, the router's own AS and identifier. */
export const locRibHex = (flags = '00'): string =>
  ['03', flags, '00'.repeat(8), '00'.repeat(16), '0000fde9', 'c0000201', '6553f100', '00000000'].join('');

export const locRib: LocRibPeer = {
  peerType: 'loc-rib',
  filtered: false,
  distinguisher: bytes('00'.repeat(8)),
  address: bytes('00'.repeat(16)),
  asn: 65001,
  bgpIdentifier: 0xc0000201,
  seconds: 1_700_000_000,
  microseconds: 0,
};

/** UPDATE: 203.0.113.0/24 over 192.0.2.2, AS_PATH 4200000002. RFC 4271 §4.3. */
export const updateHex = [
  MARKER,
  '002f 02', // length 47, UPDATE
  '0000', // withdrawn routes
  '0014', // path attributes: 20 octets
  '40010100', // ORIGIN igp
  '400206 0201 fa56ea02', // AS_PATH, one sequence of one AS of four octets
  '400304 c0000202', // NEXT_HOP
  '18 cb0071', // NLRI
].join('');

/** OPEN, RFC 4271 §4.2: version 4, AS_TRANS, hold 90, 198.51.100.1, four-octet AS 4200000002 (RFC 6793). */
export const peerOpenHex = [
  MARKER,
  '0025 01', // length 37, OPEN
  '04 5ba0 005a c6336401',
  '08 0206 4104 fa56ea02',
].join('');

/** OPEN: version 4, AS 65001, hold 180, 192.0.2.1, without capabilities. */
export const localOpenHex = [MARKER, '001d 01', '04 fde9 00b4 c0000201', '00'].join('');

/** NOTIFICATION, RFC 4271 §4.5: Cease / Administrative Shutdown. */
export const notificationHex = [MARKER, '0015 03', '06 02'].join('');

interface ByHand {
  readonly name: string;
  readonly octets: Uint8Array;
  readonly message: BmpMessage;
}

const peerUpHead = [
  peerHex(),
  '000000000000000000000000 c0000201', // local address 192.0.2.1
  '00b3', // local port 179
  'd431', // remote port 54321
  localOpenHex,
  peerOpenHex,
];

const peerUp = {
  type: 'peer-up',
  peer,
  localAddress: bytes('c0000201'),
  localPort: 179,
  remotePort: 54321,
  sentOpen: bytes(localOpenHex),
  receivedOpen: bytes(peerOpenHex),
} as const;

export const byHand: readonly ByHand[] = [
  {
    name: 'Route Monitoring, RFC 7854 §4.6',
    octets: bmp('00', peerHex(), updateHex),
    message: { type: 'route-monitoring', peer, bgp: bytes(updateHex) },
  },
  {
    name: 'Route Monitoring of a VPN peer over IPv6',
    octets: bmp('00', rdPeerHex, updateHex),
    message: { type: 'route-monitoring', peer: rdPeer, bgp: bytes(updateHex) },
  },
  {
    name: 'Route Monitoring of a Loc-RIB, RFC 9069 §5.4',
    octets: bmp('00', locRibHex('80'), updateHex),
    message: { type: 'route-monitoring', peer: { ...locRib, filtered: true }, bgp: bytes(updateHex) },
  },
  {
    name: 'Statistics Report with each length, RFC 7854 §4.8',
    octets: bmp(
      '01',
      peerHex(),
      '00000005', // five statistics
      '0000 0004 ffffffff', // type 0: a counter
      '0007 0008 ffffffffffffffff', // type 7: a gauge
      '0009 000b 0002 01 0000000000000003', // type 9: IPv6 unicast, 3
      '0011 000b 0001 80 0000000000000004', // type 17, RFC 8671: IPv4 VPN, 4
      'fffb 0003 010203', // type 65531: nobody knows
    ),
    message: {
      type: 'statistics-report',
      peer,
      statistics: [
        { kind: 'counter', type: 0, name: 'prefixes rejected by inbound policy', value: 0xffff_ffffn },
        { kind: 'gauge', type: 7, name: 'routes in Adj-RIBs-In', value: 0xffff_ffff_ffff_ffffn },
        {
          kind: 'family-gauge',
          type: 9,
          name: 'routes in Adj-RIB-In of a family',
          family: { afi: 2, safi: 1 },
          value: 3n,
        },
        {
          kind: 'family-gauge',
          type: 17,
          name: 'routes in Adj-RIB-Out after policy of a family',
          family: { afi: 1, safi: 128 },
          value: 4n,
        },
        { kind: 'bytes', type: 0xfffb, data: bytes('010203') },
      ],
    },
  },
  {
    name: 'Peer Down 1, a NOTIFICATION that the router sent, RFC 7854 §4.9',
    octets: bmp('02', peerHex(), '01', notificationHex),
    message: { type: 'peer-down', peer, reason: 'local-notification', bgp: bytes(notificationHex) },
  },
  {
    name: 'Peer Down 2, an event of the FSM',
    octets: bmp('02', peerHex(), '02', '000a'), // HoldTimer_Expires
    message: { type: 'peer-down', peer, reason: 'local-no-notification', fsmEvent: 10 },
  },
  {
    name: 'Peer Down 3, a NOTIFICATION that came',
    octets: bmp('02', peerHex(), '03', notificationHex),
    message: { type: 'peer-down', peer, reason: 'remote-notification', bgp: bytes(notificationHex) },
  },
  {
    name: 'Peer Down 4, the connection gone',
    octets: bmp('02', peerHex(), '04'),
    message: { type: 'peer-down', peer, reason: 'remote-no-notification' },
  },
  {
    name: 'Peer Down 5, no longer configured',
    octets: bmp('02', peerHex(), '05'),
    message: { type: 'peer-down', peer, reason: 'de-configured' },
  },
  {
    name: 'Peer Down 6 without a TLV, RFC 9069 §5.3',
    octets: bmp('02', locRibHex(), '06'),
    message: { type: 'peer-down', peer: locRib, reason: 'loc-rib-closed', tlvs: [] },
  },
  {
    name: 'Peer Down 6 with the name of the table',
    octets: bmp('02', locRibHex(), '06', '0003 0006 676c6f62616c'),
    message: {
      type: 'peer-down',
      peer: locRib,
      reason: 'loc-rib-closed',
      tlvs: [{ name: 'vrf-table-name', text: 'global' }],
    },
  },
  {
    name: 'Peer Down for a reason that nobody knows',
    octets: bmp('02', peerHex(), 'fa', '0102'),
    message: { type: 'peer-down', peer, reason: 'unknown', code: 250, data: bytes('0102') },
  },
  {
    name: 'Peer Up, RFC 7854 §4.10',
    octets: bmp('03', ...peerUpHead),
    message: { ...peerUp, tlvs: [] },
  },
  {
    name: 'Peer Up with TLVs, RFC 8671 §6.3.1, RFC 9736 §3',
    octets: bmp(
      '03',
      ...peerUpHead,
      '0004 0003 656464', // Admin Label "edd"
      '0000 0002 c3a9', // string "é"
      '0001 0001 78', // 1 belongs to Initiation
      '0004 0000', // Admin Label, again, empty
      '0000 0001 ff', // a string that is not UTF-8
    ),
    message: {
      ...peerUp,
      tlvs: [
        { name: 'admin-label', text: 'edd' },
        { name: 'string', text: 'é' },
        { name: 'unknown', type: 1, value: bytes('78') },
        { name: 'admin-label', text: '' },
        { name: 'unknown', type: 0, value: bytes('ff') },
      ],
    },
  },
  {
    name: 'Peer Up over IPv6',
    octets: bmp(
      '03',
      rdPeerHex,
      '20010db8000000000000000000000001', // local address
      '00b3 d431',
      localOpenHex,
      localOpenHex,
    ),
    message: {
      ...peerUp,
      peer: rdPeer,
      localAddress: bytes('20010db8000000000000000000000001'),
      receivedOpen: bytes(localOpenHex),
      tlvs: [],
    },
  },
  {
    name: 'Peer Up of a Loc-RIB, RFC 9069 §5.2',
    octets: bmp(
      '03',
      locRibHex(),
      '00'.repeat(16), // no local address
      '0000 0000', // no ports
      peerOpenHex,
      peerOpenHex,
      '0003 0006 676c6f62616c', // VRF/Table Name "global"
    ),
    message: {
      type: 'peer-up',
      peer: locRib,
      localAddress: bytes('00'.repeat(16)),
      localPort: 0,
      remotePort: 0,
      sentOpen: bytes(peerOpenHex),
      receivedOpen: bytes(peerOpenHex),
      tlvs: [{ name: 'vrf-table-name', text: 'global' }],
    },
  },
  {
    name: 'Initiation, RFC 7854 §4.3',
    octets: bmp(
      '04',
      '0002 0003 667272', // sysName "frr"
      '0001 0003 382e34', // sysDescr "8.4"
      '0000 0001 61', // string "a"
      '0000 0004 efbbbf62', // string "b" behind a byte order mark, which stays
      '0003 0001 00', // 3 belongs to Peer Up
    ),
    message: {
      type: 'initiation',
      tlvs: [
        { name: 'sys-name', text: 'frr' },
        { name: 'sys-descr', text: '8.4' },
        { name: 'string', text: 'a' },
        { name: 'string', text: '\ufeffb' },
        { name: 'unknown', type: 3, value: bytes('00') },
      ],
    },
  },
  {
    name: 'Termination, RFC 7854 §4.5',
    octets: bmp(
      '05',
      '0001 0002 0003', // reason: redundant connection
      '0000 0003 627965', // string "bye"
      '0001 0001 03', // a reason of one octet
    ),
    message: {
      type: 'termination',
      tlvs: [
        { name: 'reason', code: 3 },
        { name: 'string', text: 'bye' },
        { name: 'unknown', type: 1, value: bytes('03') },
      ],
    },
  },
  {
    name: 'Route Mirroring of a message that the router could not read, RFC 7854 §4.7',
    octets: bmp(
      '06',
      peerHex(),
      '0001 0002 0000', // information: errored PDU
      '0007 0000', // nobody knows
      '0000 0003 ffff00', // BGP message: no more than this came
    ),
    message: {
      type: 'route-mirroring',
      peer,
      tlvs: [
        { name: 'information', code: 0 },
        { name: 'unknown', type: 7, value: bytes('') },
        { name: 'bgp-message', bgp: bytes('ffff00') },
      ],
    },
  },
  {
    name: 'a message type that nobody knows',
    octets: bmp('64', '0102'),
    message: { type: 'unknown', number: 100, body: bytes('0102') },
  },
  {
    name: 'a peer type that nobody knows, whose flags stay as they are',
    octets: bmp('02', 'fb ff', '0102030405060708', 'c0'.repeat(16), '00000001 00000002 00000003 00000004', '04'),
    message: {
      type: 'peer-down',
      reason: 'remote-no-notification',
      peer: {
        peerType: 'unknown',
        number: 251,
        flags: 255,
        distinguisher: bytes('0102030405060708'),
        address: bytes('c0'.repeat(16)),
        asn: 1,
        bgpIdentifier: 2,
        seconds: 3,
        microseconds: 4,
      },
    },
  },
];
