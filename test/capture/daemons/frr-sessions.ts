import type { CaptureSession } from '../daemon.ts';
import { bothFamilies, ends, NEXT4, NEXT6, withdrawals } from '../expected.ts';
import { ASN, everything, EXTERNAL_ASN, LARGE_ASN, twoOctets, withAddPath } from '../our-side.ts';

/** What each route of the rich feed carries; it stands in `richRoutes` again, by hand. */
const ROUTE_MAPS = `
route-map RICH permit 10
 set origin egp
 set as-path prepend 4200000001 64513 4200000003
 set metric 50
 set local-preference 250
 set community 65010:1 no-peer
 set large-community 4200000001:1:2 65010:3:4294967295
 set extcommunity rt 65010:100 4200000001:9
 set extcommunity soo 192.0.2.1:7
 set atomic-aggregate
 set aggregator as 64513 192.0.2.1
route-map RICH6 permit 10
 set as-path prepend 4200000001 64513
 set metric 0
 set community 65010:6
 set large-community 65010:6:6
 set extcommunity rt 65010:6
route-map PART1 permit 10
 set as-path prepend 64513 4200000011
route-map PART2 permit 10
 set as-path prepend 64513 4200000012
route-map OUT permit 10
 set ipv6 next-hop global 2001:db8:99::2
`;

interface Router {
  readonly asn: number;
  readonly peer?: number;
  readonly neighbor?: string;
  readonly families: Readonly<Record<string, readonly string[]>>;
}

function router({ asn, peer = asn, neighbor = '10.99.0.1', families }: Router): string {
  const sections = Object.entries(families).map(
    ([family, lines]) => ` address-family ${family}
  neighbor ${neighbor} activate
${lines.map((line) => `  ${line.replaceAll('PEER', neighbor)}\n`).join('')} exit-address-family
`,
  );
  return `hostname capture
${ROUTE_MAPS}router bgp ${asn}
 bgp router-id 10.99.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 bgp graceful-restart
 bgp long-lived-graceful-restart stale-time 3600
 neighbor ${neighbor} remote-as ${peer}
 neighbor ${neighbor} passive
 neighbor ${neighbor} disable-connected-check
 neighbor ${neighbor} advertisement-interval 0
 neighbor ${neighbor} capability extended-nexthop
${sections.join('')}`;
}

const RICH = {
  'ipv4 unicast': [
    'network 10.10.0.0/16 route-map RICH',
    'network 10.11.128.0/17',
    'network 10.12.0.1/32',
    'network 10.14.1.0/24 route-map PART1',
    'network 10.14.2.0/24 route-map PART2',
    'aggregate-address 10.14.0.0/16 as-set summary-only',
  ],
  'ipv6 unicast': [
    'network 2001:db8:10::/48 route-map RICH6',
    'network 2001:db8:11::1/128',
    'neighbor PEER route-map OUT out',
  ],
};

const RICH_ATTRIBUTES = {
  origin: 'egp',
  ...NEXT4,
  med: 50,
  atomicAggregate: true,
  aggregator: '64513 192.0.2.1',
  communities: ['65010:1', '65535:65284'],
  largeCommunities: ['4200000001:1:2', '65010:3:4294967295'],
  extendedCommunities: ['rt 65010:100', 'rt 4200000001:9', 'soo 192.0.2.1:7'],
} as const;

const RICH6_ATTRIBUTES = {
  origin: 'igp',
  ...NEXT6,
  med: 0,
  communities: ['65010:6'],
  largeCommunities: ['65010:6:6'],
  extendedCommunities: ['rt 65010:6'],
} as const;

/** FRR gives each route of its own a MED. */
function richRoutes(prefix: string, others: { readonly localPref?: number }): CaptureSession['expect'] {
  const path = (rest: string): string => [prefix, rest].filter(Boolean).join(' ');
  const internal = others.localPref !== undefined;
  return [
    {
      family: '1/1',
      announce: '10.10.0.0/16',
      ...RICH_ATTRIBUTES,
      asPath: path('4200000001 64513 4200000003'),
      ...(internal && { localPref: 250 }),
    },
    ...['10.11.128.0/17', '10.12.0.1/32'].map((announce) => ({
      ...{ family: '1/1' as const, announce, origin: 'igp' as const, asPath: path(''), ...NEXT4, med: 0, ...others },
    })),
    {
      family: '1/1',
      announce: '10.14.0.0/16',
      ...{ origin: 'igp', asPath: path('64513 {4200000011,4200000012}'), ...NEXT4, med: 0, ...others },
      aggregator: `${prefix || ASN} 10.99.0.2`,
    },
    { family: '2/1', announce: '2001:db8:10::/48', ...RICH6_ATTRIBUTES, asPath: path('4200000001 64513'), ...others },
    {
      family: '2/1',
      announce: '2001:db8:11::1/128',
      ...{ origin: 'igp', asPath: path(''), ...NEXT6, med: 0, ...others },
    },
    ...ends('1/1', '2/1'),
  ];
}

const INTERNAL = { origin: 'igp', asPath: '', med: 0, localPref: 100 } as const;

export const frrSessions: readonly CaptureSession[] = [
  {
    name: 'ibgp',
    ours: everything(ASN),
    config: router({ asn: ASN, families: RICH }),
    expect: richRoutes('', { localPref: 100 }),
  },
  {
    name: 'as2',
    ours: twoOctets(EXTERNAL_ASN),
    config: router({ asn: LARGE_ASN, peer: EXTERNAL_ASN, families: RICH }),
    expect: richRoutes(String(LARGE_ASN), {}),
  },
  {
    name: 'addpath',
    ours: withAddPath(everything(ASN)),
    config: router({
      asn: ASN,
      families: {
        'ipv4 unicast': [
          'network 10.20.0.0/16 route-map RICH',
          'network 10.20.1.0/24',
          'aggregate-address 10.20.0.0/16 summary-only',
          'neighbor PEER addpath-tx-all-paths',
        ],
        'ipv6 unicast': [
          'network 2001:db8:20::/48 route-map RICH6',
          'network 2001:db8:20:1::/64',
          'aggregate-address 2001:db8:20::/48 summary-only',
          'neighbor PEER addpath-tx-all-paths',
          'neighbor PEER route-map OUT out',
        ],
      },
    }),
    expect: [
      {
        family: '1/1',
        announce: { prefix: '10.20.0.0/16', pathId: 'any' },
        ...RICH_ATTRIBUTES,
        asPath: '4200000001 64513 4200000003',
        localPref: 250,
      },
      {
        family: '1/1',
        announce: { prefix: '10.20.0.0/16', pathId: 'any' },
        ...INTERNAL,
        ...NEXT4,
        atomicAggregate: true,
        aggregator: `${ASN} 10.99.0.2`,
      },
      {
        family: '2/1',
        announce: { prefix: '2001:db8:20::/48', pathId: 'any' },
        ...RICH6_ATTRIBUTES,
        asPath: '4200000001 64513',
        localPref: 100,
      },
      {
        family: '2/1',
        announce: { prefix: '2001:db8:20::/48', pathId: 'any' },
        ...INTERNAL,
        ...NEXT6,
        atomicAggregate: true,
        aggregator: `${ASN} 10.99.0.2`,
      },
      ...ends('1/1', '2/1'),
    ],
  },
  {
    name: 'families',
    ours: everything(ASN, bothFamilies(128, 2)),
    config: router({
      asn: ASN,
      families: {
        'ipv4 vpn': ['network 10.32.0.0/16 rd 65010:1 label 100'],
        'ipv6 vpn': ['network 2001:db8:32::/48 rd 192.0.2.1:2 label 1048575', 'neighbor PEER route-map OUT out'],
        'ipv4 multicast': ['network 10.33.0.0/16'],
        'ipv6 multicast': ['network 2001:db8:33::/48', 'neighbor PEER route-map OUT out'],
      },
    }),
    expect: [
      {
        family: '1/128',
        announce: { prefix: '10.32.0.0/16', labels: [100], rd: '0:65010:1' },
        ...INTERNAL,
        nextHop: '0:0:0 10.99.0.2',
      },
      {
        family: '2/128',
        announce: { prefix: '2001:db8:32::/48', labels: [1048575], rd: '1:192.0.2.1:2' },
        ...INTERNAL,
        nextHop: '0:0:0 2001:db8:99::2',
      },
      { family: '1/2', announce: '10.33.0.0/16', ...INTERNAL, ...NEXT4 },
      { family: '2/2', announce: '2001:db8:33::/48', ...INTERNAL, ...NEXT6 },
      ...ends('1/128', '2/128', '1/2', '2/2'),
    ],
  },
  {
    name: 'withdraw',
    ours: everything(ASN),
    config: router({ asn: ASN, families: RICH }),
    after: [
      `configure ; router bgp ${ASN} ; address-family ipv4 unicast ; no network 10.10.0.0/16 ; no network 10.11.128.0/17 ; no network 10.12.0.1/32 ; no network 10.14.1.0/24 ; no network 10.14.2.0/24`,
      `configure ; router bgp ${ASN} ; address-family ipv6 unicast ; no network 2001:db8:10::/48 ; no network 2001:db8:11::1/128`,
    ],
    expect: [
      ...richRoutes('', { localPref: 100 }),
      ...withdrawals('1/1', '10.10.0.0/16', '10.11.128.0/17', '10.12.0.1/32', '10.14.0.0/16'),
      ...withdrawals('2/1', '2001:db8:10::/48', '2001:db8:11::1/128'),
    ],
  },
  {
    name: 'nexthop6',
    ours: { ...everything(ASN), over: 6 },
    config: router({
      asn: ASN,
      neighbor: '2001:db8:99::1',
      families: {
        'ipv4 unicast': ['network 10.40.0.0/16', 'network 10.41.0.0/24', 'neighbor PEER route-map OUT out'],
      },
    }),
    after: [
      `configure ; router bgp ${ASN} ; address-family ipv4 unicast ; no network 10.40.0.0/16 ; no network 10.41.0.0/24`,
    ],
    expect: [
      ...['10.40.0.0/16', '10.41.0.0/24'].map(
        (announce) => ({ family: '1/1', announce, ...INTERNAL, ...NEXT6 }) as const,
      ),
      { family: '1/1', endOfRib: true },
      ...withdrawals('1/1', '10.40.0.0/16', '10.41.0.0/24'),
    ],
  },
];
