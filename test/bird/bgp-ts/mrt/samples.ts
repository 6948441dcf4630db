import type { MrtRecord } from '../../../../bird/bgp-ts/mrt/index.ts';
import { bytes, frame } from '../../../support/bgp-bytes.ts';

/** The common header around a body, RFC 6396 §2; the time is that of the examples in its appendix. */
export function mrt(type: number, subtype: number, ...body: readonly string[]): Uint8Array {
  const octets = bytes(...body);
  const { length } = octets;
  const header = [0x4d, 0x83, 0xaf, 0x34, type >>> 8, type & 255, subtype >>> 8, subtype & 255];
  return Uint8Array.from([...header, 0, length >>> 16, (length >>> 8) & 255, length & 255, ...octets]);
}

export const timestampSeconds = 1_300_475_700;

export interface Sample {
  readonly name: string;
  readonly type: number;
  readonly subtype: number;
  readonly octets: Uint8Array;
  readonly record: MrtRecord;
}

const sample = (
  [type, subtype, name]: readonly [number, number, string],
  body: readonly string[],
  record: object,
): Sample => ({
  name,
  type,
  subtype,
  octets: mrt(type, subtype, ...body),
  // The expected values are written out; the types of the fields are the decoder's to keep.
  record: { timestampSeconds, ...record } as MrtRecord,
});

const v6 = (tail: string): string => `20010db8 00000000 00000000 ${tail.padStart(8, '0')}`;

/** ORIGIN igp, AS_PATH 65536 65001 in four octets each. */
const path = '40010100 4002 0a 0202 00010000 0000fde9';
const asPath = [{ type: 'sequence', asns: [65536, 65001] }];
const ipv4Block = `${path} 400304 c0000201`; // 24 octets
const ipv4Attributes = { origin: 'igp', asPath, nextHop: bytes('c0000201') };
/** MP_REACH of a RIB entry: the next hop's length and the next hop. */
const ipv6Block = `${path} 800e 11 10 ${v6('1')}`; // 37 octets
const ipv6Attributes = { origin: 'igp', asPath, nextHop: bytes(v6('1')) };
const entryTime = '4d83af34';
const originatedTime = timestampSeconds;
const none = { faults: [] };

const ribs: readonly Sample[] = [
  sample(
    [13, 2, 'RIB_IPV4_UNICAST'],
    [
      '0000002a', // sequence number
      '18 c63364', // 198.51.100.0/24
      '0002', // two entries
      `0000 ${entryTime} 0018 ${ipv4Block}`, // peer index, originated time, attribute length, attributes
      `000f ${entryTime} 0000`,
    ],
    {
      type: 'rib',
      addPath: false,
      sequence: 42,
      nlri: {
        kind: 'prefix',
        family: { afi: 1, safi: 1 },
        nlri: [{ pathId: 0, words: [0xc6336400], length: 24 }],
      },
      entries: [
        { peerIndex: 0, originatedTime, attributes: ipv4Attributes, ...none },
        { peerIndex: 15, originatedTime, attributes: {}, ...none },
      ],
    },
  ),
  sample(
    [13, 3, 'RIB_IPV4_MULTICAST'],
    ['00000000', '00', '0001', `0001 ${entryTime} 0019 ${path} 800e 05 04 c0000201`],
    {
      type: 'rib',
      addPath: false,
      sequence: 0,
      nlri: { kind: 'prefix', family: { afi: 1, safi: 2 }, nlri: [{ pathId: 0, words: [0], length: 0 }] },
      entries: [{ peerIndex: 1, originatedTime, attributes: ipv4Attributes, ...none }],
    },
  ),
  sample([13, 4, 'RIB_IPV6_UNICAST'], ['0000002a', '20 20010db8', '0001', `000f ${entryTime} 0025 ${ipv6Block}`], {
    type: 'rib',
    addPath: false,
    sequence: 42,
    nlri: {
      kind: 'prefix',
      family: { afi: 2, safi: 1 },
      nlri: [{ pathId: 0, words: [0x20010db8, 0, 0, 0], length: 32 }],
    },
    entries: [{ peerIndex: 15, originatedTime, attributes: ipv6Attributes, ...none }],
  }),
  sample([13, 5, 'RIB_IPV6_MULTICAST'], ['ffffffff', '08 20', '0001', `ffff ${entryTime} 0025 ${ipv6Block}`], {
    type: 'rib',
    addPath: false,
    sequence: 0xffffffff,
    nlri: {
      kind: 'prefix',
      family: { afi: 2, safi: 2 },
      nlri: [{ pathId: 0, words: [0x20000000, 0, 0, 0], length: 8 }],
    },
    entries: [{ peerIndex: 0xffff, originatedTime, attributes: ipv6Attributes, ...none }],
  }),
  sample(
    [13, 6, 'RIB_GENERIC'],
    [
      '00000007', // sequence number
      '0001 80', // AFI 1, SAFI 128
      '70 000641 0000fde900000064 0a0001', // 24 + 64 + 24 bits: label 100, RD 65001:100, 10.0.1.0/24
      '0001', // one entry
      `0000 ${entryTime} 0021 ${path} 800e 0d 0c 0000000000000000 c0000201`, // the next hop behind a distinguisher
    ],
    {
      type: 'rib',
      generic: true,
      addPath: false,
      sequence: 7,
      nlri: {
        kind: 'vpn',
        family: { afi: 1, safi: 128 },
        nlri: [
          {
            pathId: 0,
            labels: [100],
            routeDistinguisher: bytes('0000fde900000064'),
            words: [0x0a000100],
            length: 24,
          },
        ],
      },
      entries: [
        {
          peerIndex: 0,
          originatedTime,
          attributes: { origin: 'igp', asPath, nextHop: bytes('0000000000000000 c0000201') },
          ...none,
        },
      ],
    },
  ),
];

const addPathRibs: readonly Sample[] = [
  sample(
    [13, 8, 'RIB_IPV4_UNICAST_ADDPATH'],
    [
      '00000001',
      '10 0a01',
      '0002',
      `0000 ${entryTime} 00000001 0018 ${ipv4Block}`, // the path identifier stands before the attribute length
      `0000 ${entryTime} ffffffff 0018 ${ipv4Block}`,
    ],
    {
      type: 'rib',
      addPath: true,
      sequence: 1,
      nlri: { kind: 'prefix', family: { afi: 1, safi: 1 }, nlri: [{ pathId: 0, words: [0x0a010000], length: 16 }] },
      entries: [
        { peerIndex: 0, originatedTime, pathId: 1, attributes: ipv4Attributes, ...none },
        { peerIndex: 0, originatedTime, pathId: 0xffffffff, attributes: ipv4Attributes, ...none },
      ],
    },
  ),
  sample([13, 9, 'RIB_IPV4_MULTICAST_ADDPATH'], ['00000001', '10 0a01', '0001', `0000 ${entryTime} 00000000 0000`], {
    type: 'rib',
    addPath: true,
    sequence: 1,
    nlri: { kind: 'prefix', family: { afi: 1, safi: 2 }, nlri: [{ pathId: 0, words: [0x0a010000], length: 16 }] },
    entries: [{ peerIndex: 0, originatedTime, pathId: 0, attributes: {}, ...none }],
  }),
  sample(
    [13, 10, 'RIB_IPV6_UNICAST_ADDPATH'],
    ['00000001', `80 ${v6('1')}`, '0001', `0000 ${entryTime} 00000005 0025 ${ipv6Block}`],
    {
      type: 'rib',
      addPath: true,
      sequence: 1,
      nlri: {
        kind: 'prefix',
        family: { afi: 2, safi: 1 },
        nlri: [{ pathId: 0, words: [0x20010db8, 0, 0, 1], length: 128 }],
      },
      entries: [{ peerIndex: 0, originatedTime, pathId: 5, attributes: ipv6Attributes, ...none }],
    },
  ),
  sample([13, 11, 'RIB_IPV6_MULTICAST_ADDPATH'], ['00000001', '08 ff', '0000'], {
    type: 'rib',
    addPath: true,
    sequence: 1,
    nlri: {
      kind: 'prefix',
      family: { afi: 2, safi: 2 },
      nlri: [{ pathId: 0, words: [0xff000000, 0, 0, 0], length: 8 }],
    },
    entries: [],
  }),
  sample(
    [13, 12, 'RIB_GENERIC_ADDPATH'],
    [
      '00000001',
      '0001 85', // AFI 1, SAFI 133: FlowSpec
      '00000009', // the path identifier is part of the NLRI
      '0b 01180a0001 0206c4 038106', // 11 octets: type 1 10.0.1.0/24, type 2 196.0.0.0/6, type 3 = 6 and the end
      '0001',
      `0000 ${entryTime} 0011 ${path}`, // a plain entry
    ],
    {
      type: 'rib',
      generic: true,
      addPath: true,
      sequence: 1,
      nlri: {
        kind: 'flow',
        family: { afi: 1, safi: 133 },
        nlri: [
          {
            pathId: 9,
            components: [
              { type: 1, words: [0x0a000100], length: 24, offset: 0 },
              { type: 2, words: [0xc4000000], length: 6, offset: 0 },
              { type: 3, matches: [{ and: false, operator: 1, octets: 1, value: 6n }] },
            ],
          },
        ],
      },
      entries: [{ peerIndex: 0, originatedTime, attributes: { origin: 'igp', asPath }, ...none }],
    },
  ),
];

const tables: readonly Sample[] = [
  sample(
    [13, 1, 'PEER_INDEX_TABLE'],
    [
      'c6336404', // collector 198.51.100.4
      '0004 76c3a477', // view name "väw" in UTF-8
      '0003', // three peers
      '02 c6336405 c6336405 0000fde9', // four-octet AS: identifier, IPv4 address, AS 65001
      '00 c6336406 c6336406 fdea', // two-octet AS
      `03 c6336407 ${v6('7')} 00010000`, // IPv6 address, AS 65536
    ],
    {
      type: 'peer-index-table',
      collectorBgpIdentifier: 0xc6336404,
      viewName: 'väw',
      peers: [
        { bgpIdentifier: 0xc6336405, address: bytes('c6336405'), asn: 65001, fourOctetAs: true },
        { bgpIdentifier: 0xc6336406, address: bytes('c6336406'), asn: 65002, fourOctetAs: false },
        { bgpIdentifier: 0xc6336407, address: bytes(v6('7')), asn: 65536, fourOctetAs: true },
      ],
    },
  ),
  sample(
    [13, 7, 'GEO_PEER_TABLE'],
    [
      'c6336404', // collector 198.51.100.4
      '424e0000 c0600000', // 51.5, -3.5 as 32-bit floats
      '0002', // two peers
      '02 c6336405 7fc00000 7fc00000', // peer type, identifier, NaN twice: private
      '01 c6336406 00000000 43340000', // 0, 180
    ],
    {
      type: 'geo-peer-table',
      collectorBgpIdentifier: 0xc6336404,
      latitude: 51.5,
      longitude: -3.5,
      peers: [
        { peerType: 2, bgpIdentifier: 0xc6336405, latitude: NaN, longitude: NaN },
        { peerType: 1, bgpIdentifier: 0xc6336406, latitude: 0, longitude: 180 },
      ],
    },
  ),
];

const keepalive = frame(4, new Uint8Array());
const keepaliveHex = `${'ff'.repeat(16)} 0013 04`;

/** Peer AS, local AS, interface index 7, AFI 1, 192.0.2.2, 192.0.2.1. */
const twoOctets = 'fdea fde9 0007 0001 c0000202 c0000201';
const fourOctets = '00010000 0000fde9 0007 0001 c0000202 c0000201';
const ends = { interfaceIndex: 7, peerAddress: bytes('c0000202'), localAddress: bytes('c0000201') };
const twoOctetEnds = { peerAsn: 65002, localAsn: 65001, ...ends, fourOctetAs: false };
const fourOctetEnds = { peerAsn: 65536, localAsn: 65001, ...ends, fourOctetAs: true };
const messageType = { type: 'bgp4mp-message', bgp: keepalive };

const sessions: readonly Sample[] = [
  sample([16, 0, 'BGP4MP_STATE_CHANGE'], [twoOctets, '0005 0006'], {
    type: 'bgp4mp-state-change',
    ...twoOctetEnds,
    oldState: 'OpenConfirm',
    newState: 'Established',
  }),
  sample([16, 5, 'BGP4MP_STATE_CHANGE_AS4'], [`00010000 0000fde9 0000 0002 ${v6('2')} ${v6('1')}`, '0001 0007'], {
    type: 'bgp4mp-state-change',
    ...fourOctetEnds,
    interfaceIndex: 0,
    peerAddress: bytes(v6('2')),
    localAddress: bytes(v6('1')),
    oldState: 'Idle',
    newState: 7,
  }),
  sample([17, 5, 'BGP4MP_ET STATE_CHANGE_AS4'], ['0001e240', fourOctets, '0006 0001'], {
    type: 'bgp4mp-state-change',
    microseconds: 123456,
    ...fourOctetEnds,
    oldState: 'Established',
    newState: 'Idle',
  }),
  ...(
    [
      [1, 'MESSAGE', false, false, false],
      [4, 'MESSAGE_AS4', true, false, false],
      [6, 'MESSAGE_LOCAL', false, true, false],
      [7, 'MESSAGE_AS4_LOCAL', true, true, false],
      [8, 'MESSAGE_ADDPATH', false, false, true],
      [9, 'MESSAGE_AS4_ADDPATH', true, false, true],
      [10, 'MESSAGE_LOCAL_ADDPATH', false, true, true],
      [11, 'MESSAGE_AS4_LOCAL_ADDPATH', true, true, true],
    ] as const
  ).flatMap(([subtype, name, fourOctetAs, local, addPath]) => {
    const head = fourOctetAs ? fourOctets : twoOctets;
    const record = { ...messageType, ...(fourOctetAs ? fourOctetEnds : twoOctetEnds), local, addPath };
    return [
      sample([16, subtype, `BGP4MP_${name}`], [head, keepaliveHex], record),
      sample([17, subtype, `BGP4MP_ET ${name}`], ['000f423f', head, keepaliveHex], { ...record, microseconds: 999999 }),
    ];
  }),
];

const others: readonly Sample[] = [
  sample([12, 1, 'TABLE_DUMP'], ['0000 0001 0a000000 08 01 4d83af34 c0000202 fdea 0000'], {
    type: 'unknown',
    mrtType: 12,
    subtype: 1,
    body: bytes('0000 0001 0a000000 08 01 4d83af34 c0000202 fdea 0000'),
  }),
  sample([11, 0, 'OSPFv2'], ['c0000202 c0000201 0201'], {
    type: 'unknown',
    mrtType: 11,
    subtype: 0,
    body: bytes('c0000202 c0000201 0201'),
  }),
  sample([49, 0, 'OSPFv3_ET'], ['00000001', '0002'], {
    type: 'unknown',
    microseconds: 1,
    mrtType: 49,
    subtype: 0,
    body: bytes('0002'),
  }),
  sample([16, 3, 'BGP4MP_SNAPSHOT, deprecated'], [''], {
    type: 'unknown',
    mrtType: 16,
    subtype: 3,
    body: bytes(''),
  }),
  sample([17, 99, 'an unknown subtype of BGP4MP_ET'], ['00000000'], {
    type: 'unknown',
    microseconds: 0,
    mrtType: 17,
    subtype: 99,
    body: bytes(''),
  }),
  sample([13, 6, 'RIB_GENERIC of a family without a codec'], ['00000001', '0019 46', '0102 abcd'], {
    type: 'unknown',
    mrtType: 13,
    subtype: 6,
    body: bytes('00000001 0019 46 0102 abcd'),
  }),
];

/** Records made by hand from the layouts of RFC 6396, 6397 and 8050, and what they hold. Each is canonical. */
export const samples: readonly Sample[] = [...tables, ...ribs, ...addPathRibs, ...sessions, ...others];
