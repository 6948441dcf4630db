import type { CaptureSession } from '../daemon.ts';
import { bothFamilies, ends, NEXT4, NEXT6, vpnAndFlow, withdrawals } from '../expected.ts';
import type { Expected } from '../fixture.ts';
import { ASN, everything, EXTERNAL_ASN, LARGE_ASN, twoOctets, withAddPath } from '../our-side.ts';

interface Neighbor {
  readonly asn: number;
  readonly peer?: number;
  readonly neighbor?: string;
  readonly addPaths?: true;
  readonly families?: readonly string[];
}

function config({ asn, peer = asn, neighbor = '10.99.0.1', ...more }: Neighbor): string {
  const addPaths = `
    [neighbors.afi-safis.add-paths.config]
      send-max = 4
      receive = true`;
  const families = (more.families ?? ['ipv4-unicast', 'ipv6-unicast']).map(
    (name) => `
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${name}"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
    [neighbors.afi-safis.long-lived-graceful-restart.config]
      enabled = true
      restart-time = 3600${more.addPaths ? addPaths : ''}`,
  );
  return `[global.config]
  as = ${asn}
  router-id = "10.99.0.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${neighbor}"
    peer-as = ${peer}
  [neighbors.transport.config]
    passive-mode = true
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120
    notification-enabled = true
    long-lived-enabled = true${families.join('')}
`;
}

const add = (family: string, route: string): string => `global rib add -a ${family} ${route}`;

/** The rich feed, as its command line takes it; it stands in `richRoutes` again, by hand. */
const RICH: readonly string[] = [
  add(
    'ipv4',
    '10.10.0.0/16 origin egp aspath "4200000001,64513,{4200000003,7}" med 50 local-pref 250 community 65010:1,no-peer large-community 4200000001:1:2,65010:3:4294967295 rt 65010:100 192.0.2.1:7 aggregator 4200000005:192.0.2.1 nexthop 10.99.0.2',
  ),
  add('ipv4', '10.11.128.0/17 nexthop 10.99.0.2 aigp metric 77'),
  add('ipv4', '10.12.0.1/32 nexthop 10.99.0.2 origin incomplete'),
  add(
    'ipv6',
    '2001:db8:10::/48 aspath "4200000001,64513" med 0 origin igp community 65010:6 large-community 65010:6:6 rt 65010:6 nexthop 2001:db8:99::2',
  ),
  add('ipv6', '2001:db8:11::1/128 nexthop 2001:db8:99::2'),
];

const del = (line: string): string => line.replace(' add ', ' del ');

/** A route that its command line gives no origin is incomplete. MED goes to external peers, LOCAL_PREF does not. */
function richRoutes(prefix: string, others: { readonly localPref?: number }): CaptureSession['expect'] {
  const path = (rest: string): string => [prefix, rest].filter(Boolean).join(' ');
  const internal = others.localPref !== undefined;
  return [
    {
      family: '1/1',
      announce: '10.10.0.0/16',
      ...{ origin: 'egp', asPath: path('4200000001 64513 {4200000003,7}'), ...NEXT4, med: 50 },
      ...(internal && { localPref: 250 }),
      aggregator: '4200000005 192.0.2.1',
      communities: ['65010:1', '65535:65284'],
      largeCommunities: ['4200000001:1:2', '65010:3:4294967295'],
      extendedCommunities: ['rt 65010:100', 'rt 192.0.2.1:7'],
    },
    {
      family: '1/1',
      announce: '10.11.128.0/17',
      ...{ origin: 'incomplete', asPath: path(''), ...NEXT4, ...others, aigp: 77 },
    },
    { family: '1/1', announce: '10.12.0.1/32', ...{ origin: 'incomplete', asPath: path(''), ...NEXT4, ...others } },
    {
      family: '2/1',
      announce: '2001:db8:10::/48',
      ...{ origin: 'igp', asPath: path('4200000001 64513'), ...NEXT6, med: 0, ...others },
      communities: ['65010:6'],
      largeCommunities: ['65010:6:6'],
      extendedCommunities: ['rt 65010:6'],
    },
    {
      family: '2/1',
      announce: '2001:db8:11::1/128',
      ...{ origin: 'incomplete', asPath: path(''), ...NEXT6, ...others },
    },
    ...ends('1/1', '2/1'),
  ];
}

const INTERNAL = { origin: 'incomplete', asPath: '', localPref: 100 } as const;

export const gobgpSessions: readonly CaptureSession[] = [
  {
    name: 'ibgp',
    ours: everything(ASN),
    config: config({ asn: ASN }),
    before: RICH,
    expect: richRoutes('', { localPref: 100 }),
  },
  {
    name: 'as2',
    ours: twoOctets(EXTERNAL_ASN),
    config: config({ asn: LARGE_ASN, peer: EXTERNAL_ASN }),
    before: RICH,
    expect: richRoutes(String(LARGE_ASN), {}),
  },
  {
    name: 'addpath',
    ours: withAddPath(everything(ASN)),
    config: config({ asn: ASN, addPaths: true }),
    before: [1, 2].flatMap((id) => [
      add('ipv4', `10.20.0.0/16 identifier ${id} med ${id} nexthop 10.99.0.2`),
      add('ipv6', `2001:db8:20::/48 identifier ${id} med ${id} nexthop 2001:db8:99::2`),
    ]),
    expect: [
      ...[1, 2].flatMap((id): readonly Expected[] => [
        { family: '1/1', announce: { prefix: '10.20.0.0/16', pathId: id }, ...INTERNAL, ...NEXT4, med: id },
        { family: '2/1', announce: { prefix: '2001:db8:20::/48', pathId: id }, ...INTERNAL, ...NEXT6, med: id },
      ]),
      ...ends('1/1', '2/1'),
    ],
  },
  {
    name: 'families',
    ours: everything(ASN, bothFamilies(4, 128, 133)),
    config: config({
      asn: ASN,
      families: [
        ...['ipv4-labelled-unicast', 'ipv6-labelled-unicast', 'l3vpn-ipv4-unicast', 'l3vpn-ipv6-unicast'],
        ...['ipv4-flowspec', 'ipv6-flowspec'],
      ],
    }),
    before: [
      add('ipv4-mpls', '10.34.0.0/16 100 nexthop 10.99.0.2'),
      add('ipv6-mpls', '2001:db8:34::/48 1048575 nexthop 2001:db8:99::2'),
      add('vpnv4', '10.32.0.0/16 label 100 rd 65010:1 rt 65010:32 nexthop 10.99.0.2'),
      add('vpnv6', '2001:db8:32::/48 label 16 rd 192.0.2.1:2 rt 65010:32 nexthop 2001:db8:99::2'),
      add(
        'ipv4-flowspec',
        'match destination 10.30.0.0/16 source 192.0.2.0/24 protocol tcp destination-port ==80 ==443 >=8000&<=8080 tcp-flags =S packet-length >=40&<=1500 dscp ==46 then discard',
      ),
      add(
        'ipv4-flowspec',
        'match destination 10.31.0.1/32 icmp-type ==8 icmp-code ==0 fragment is-fragment then redirect 65010:9',
      ),
      add(
        'ipv6-flowspec',
        'match destination 2001:db8:30::/48 0 protocol udp source-port >1024 label ==74565 then mark 46',
      ),
    ],
    expect: [
      { family: '1/4', announce: { prefix: '10.34.0.0/16', labels: [100] }, ...INTERNAL, ...NEXT4 },
      { family: '2/4', announce: { prefix: '2001:db8:34::/48', labels: [1048575] }, ...INTERNAL, ...NEXT6 },
      ...vpnAndFlow(INTERNAL),
      ...ends('1/4', '2/4', '1/128', '2/128', '1/133', '2/133'),
    ],
  },
  {
    name: 'withdraw',
    ours: everything(ASN),
    config: config({ asn: ASN }),
    before: RICH,
    after: RICH.map(del),
    expect: [
      ...richRoutes('', { localPref: 100 }),
      ...withdrawals('1/1', '10.10.0.0/16', '10.11.128.0/17', '10.12.0.1/32'),
      ...withdrawals('2/1', '2001:db8:10::/48', '2001:db8:11::1/128'),
    ],
  },
  {
    name: 'nexthop6',
    ours: { ...everything(ASN), over: 6 },
    config: config({ asn: ASN, neighbor: '2001:db8:99::1', families: ['ipv4-unicast'] }),
    before: [add('ipv4', '10.40.0.0/16 nexthop 2001:db8:99::2'), add('ipv4', '10.41.0.0/24 nexthop 2001:db8:99::2')],
    after: ['global rib del -a ipv4 10.40.0.0/16', 'global rib del -a ipv4 10.41.0.0/24'],
    expect: [
      ...['10.40.0.0/16', '10.41.0.0/24'].flatMap((prefix): readonly Expected[] => [
        { family: '1/1', announce: prefix, ...INTERNAL, ...NEXT6 },
        { family: '1/1', withdraw: prefix },
      ]),
      ...ends('1/1'),
    ],
  },
];
