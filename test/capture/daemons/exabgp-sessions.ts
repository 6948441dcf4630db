import type { CaptureSession } from '../daemon.ts';
import { bothFamilies, ends, NEXT4, NEXT6, vpnAndFlow } from '../expected.ts';
import type { Expected } from '../fixture.ts';
import { ASN, everything, EXTERNAL_ASN, LARGE_ASN, plain, twoOctets, withAddPath } from '../our-side.ts';

interface Neighbor {
  readonly asn: number;
  readonly peer?: number;
  readonly over?: 4 | 6;
  readonly families?: readonly string[];
  readonly capability?: string;
  readonly more?: string;
}

function config(
  { asn, peer = asn, over = 4, capability = '', more = '', ...rest }: Neighbor,
  announce: string,
): string {
  const [remote, local] = over === 4 ? ['10.99.0.1', '10.99.0.2'] : ['2001:db8:99::1', '2001:db8:99::2'];
  const families = rest.families ?? ['ipv4 unicast', 'ipv6 unicast'];
  return `
process commands { run /usr/bin/tail -n +1 -f COMMANDS; encoder text; }
neighbor ${remote} {
  router-id 10.99.0.2; local-address ${local}; local-as ${asn}; peer-as ${peer}; hold-time 90;
  capability { graceful-restart 120; route-refresh enable; asn4 enable; ${capability} }
  family { ${families.map((family) => `${family}; `).join('')}}
  api { processes [ commands ]; }
${more}
  announce {
${announce}
  }
}
`;
}

/** The rich feed; it stands in `richRoutes` again, by hand. */
const RICH = `
    ipv4 {
      unicast 10.10.0.0/16 next-hop 10.99.0.2 origin egp as-path [ 4200000001 64513 ( 4200000003 7 ) ] med 50 local-preference 250 atomic-aggregate aggregator ( 4200000005:192.0.2.1 ) community [ 65010:1 65535:65284 ] large-community [ 4200000001:1:2 65010:3:4294967295 ] extended-community [ target:65010:100 origin:65010:7 target:4200000001L:9 ]REFLECTED;
      unicast 10.11.128.0/17 next-hop 10.99.0.2 aigp 77;
      unicast 10.12.0.1/32 next-hop 10.99.0.2 origin incomplete attribute [ 0x63 0xc0 0x0102030405 ];
      unicast 0.0.0.0/0 next-hop 10.99.0.2;
    }
    ipv6 {
      unicast 2001:db8:10::/48 next-hop 2001:db8:99::2 as-path [ 4200000001 64513 ] med 0 community [ 65010:6 ] large-community [ 65010:6:6 ] extended-community [ target:65010:6 ];
      unicast 2001:db8:11::1/128 next-hop 2001:db8:99::2;
      unicast ::/0 next-hop 2001:db8:99::2;
    }
`;

/** As a route reflector sends it. */
const INTERNAL_RICH = RICH.replace('REFLECTED', ' originator-id 192.0.2.9 cluster-list [ 192.0.2.7 192.0.2.8 ]');

/** Where the configuration gives a path, ExaBGP does not put its own AS before it. To external peers goes no AIGP. */
function richRoutes(own: string, others: { readonly localPref?: number }): CaptureSession['expect'] {
  const internal = others.localPref !== undefined;
  const simple = { origin: 'igp', asPath: own, ...others } as const;
  return [
    {
      family: '1/1',
      announce: '10.10.0.0/16',
      ...{ origin: 'egp', asPath: '4200000001 64513 {4200000003,7}', ...NEXT4, med: 50 },
      ...(internal && { localPref: 250, originatorId: '192.0.2.9', clusterList: ['192.0.2.7', '192.0.2.8'] }),
      atomicAggregate: true,
      aggregator: '4200000005 192.0.2.1',
      communities: ['65010:1', '65535:65284'],
      largeCommunities: ['4200000001:1:2', '65010:3:4294967295'],
      extendedCommunities: ['rt 65010:100', 'soo 65010:7', 'rt 4200000001:9'],
    },
    { family: '1/1', announce: '10.11.128.0/17', ...simple, ...NEXT4, ...(internal && { aigp: 77 }) },
    { family: '1/1', announce: '10.12.0.1/32', ...simple, ...NEXT4, origin: 'incomplete', unknown: ['99 0102030405'] },
    { family: '1/1', announce: '0.0.0.0/0', ...simple, ...NEXT4 },
    {
      family: '2/1',
      announce: '2001:db8:10::/48',
      ...{ origin: 'igp', asPath: '4200000001 64513', ...NEXT6, med: 0, ...others },
      communities: ['65010:6'],
      largeCommunities: ['65010:6:6'],
      extendedCommunities: ['rt 65010:6'],
    },
    { family: '2/1', announce: '2001:db8:11::1/128', ...simple, ...NEXT6 },
    { family: '2/1', announce: '::/0', ...simple, ...NEXT6 },
    ...ends('1/1', '2/1'),
  ];
}

const INTERNAL = { origin: 'igp', asPath: '', localPref: 100 } as const;

export const exabgpSessions: readonly CaptureSession[] = [
  {
    name: 'ibgp',
    ours: everything(ASN),
    config: config({ asn: ASN }, INTERNAL_RICH),
    expect: richRoutes('', { localPref: 100 }),
  },
  {
    name: 'as2',
    ours: twoOctets(EXTERNAL_ASN),
    config: config({ asn: LARGE_ASN, peer: EXTERNAL_ASN }, RICH.replace('REFLECTED', '')),
    expect: richRoutes(String(LARGE_ASN), {}),
  },
  {
    name: 'addpath',
    ours: withAddPath(everything(ASN)),
    config: config(
      { asn: ASN, capability: 'add-path send/receive;' },
      `
    ipv4 {
      unicast 10.20.0.0/16 next-hop 10.99.0.2 path-information 0.0.0.1 med 1;
      unicast 10.20.0.0/16 next-hop 10.99.0.2 path-information 255.255.255.255 med 2;
    }
    ipv6 {
      unicast 2001:db8:20::/48 next-hop 2001:db8:99::2 path-information 0.0.0.1 med 1;
      unicast 2001:db8:20::/48 next-hop 2001:db8:99::2 path-information 255.255.255.255 med 2;
    }
`,
    ),
    expect: [
      ...[1, 4294967295].flatMap((pathId, index): readonly Expected[] => [
        { family: '1/1', announce: { prefix: '10.20.0.0/16', pathId }, ...INTERNAL, ...NEXT4, med: index + 1 },
        { family: '2/1', announce: { prefix: '2001:db8:20::/48', pathId }, ...INTERNAL, ...NEXT6, med: index + 1 },
      ]),
      ...ends('1/1', '2/1'),
    ],
  },
  {
    name: 'families',
    ours: plain(ASN, bothFamilies(4, 128, 133, 134)),
    config: config(
      {
        asn: ASN,
        families: [
          ...['ipv4 nlri-mpls', 'ipv4 mpls-vpn', 'ipv4 flow', 'ipv4 flow-vpn'],
          ...['ipv6 unicast', 'ipv6 nlri-mpls', 'ipv6 mpls-vpn', 'ipv6 flow', 'ipv6 flow-vpn'],
        ],
        more: `
  static {
    route 10.32.0.0/16 rd 65010:1 label 100 next-hop 10.99.0.2 extended-community [ target:65010:32 ];
    route 2001:db8:32::/48 rd 192.0.2.1:2 label 16 next-hop 2001:db8:99::2 extended-community [ target:65010:32 ];
  }
  flow {
    route { match { destination 10.30.0.0/16; source 192.0.2.0/24; protocol =tcp; destination-port [ =80 =443 >=8000&<=8080 ]; tcp-flags =syn; packet-length >=40&<=1500; dscp =46; } then { discard; } }
    route { match { destination 10.31.0.1/32; icmp-type =8; icmp-code =0; fragment is-fragment; } then { redirect 65010:9; } }
    route { match { destination 2001:db8:30::/48; next-header =udp; source-port >1024; flow-label =74565; } then { mark 46; } }
    route { rd 65010:1; match { destination 10.35.0.0/16; } then { rate-limit 9600; } }
  }
`,
      },
      `
    ipv4 {
      nlri-mpls 10.34.0.0/16 next-hop 10.99.0.2 label [ 100 200 ];
    }
    ipv6 {
      nlri-mpls 2001:db8:34::/48 next-hop 2001:db8:99::2 label 1048575;
    }
`,
    ),
    expect: [
      { family: '1/4', announce: { prefix: '10.34.0.0/16', labels: [100, 200] }, ...INTERNAL, ...NEXT4 },
      { family: '2/4', announce: { prefix: '2001:db8:34::/48', labels: [1048575] }, ...INTERNAL, ...NEXT6 },
      ...vpnAndFlow(INTERNAL),
      {
        family: '1/134',
        announce: { flow: ['destination 10.35.0.0/16'], rd: '0:65010:1' },
        ...INTERNAL,
        // 9600 as a binary32 of IEEE 754.
        extendedCommunities: ['8006000046160000'],
      },
      ...ends('1/4', '2/4', '1/128', '2/128', '1/133', '2/133', '1/134', '2/134'),
    ],
  },
  {
    name: 'withdraw',
    ours: everything(ASN),
    config: config({ asn: ASN }, INTERNAL_RICH),
    after: [
      'withdraw route 10.11.128.0/17 next-hop 10.99.0.2',
      'withdraw route 0.0.0.0/0 next-hop 10.99.0.2',
      'withdraw route 2001:db8:11::1/128 next-hop 2001:db8:99::2',
    ],
    expect: [
      ...richRoutes('', { localPref: 100 }),
      { family: '1/1', withdraw: '10.11.128.0/17' },
      { family: '1/1', withdraw: '0.0.0.0/0' },
      { family: '2/1', withdraw: '2001:db8:11::1/128' },
    ],
  },
  {
    name: 'nexthop6',
    ours: { ...everything(ASN), over: 6 },
    config: config(
      {
        asn: ASN,
        over: 6,
        families: ['ipv4 unicast', 'ipv6 unicast'],
        capability: 'nexthop enable;',
        more: '  nexthop { ipv4 unicast ipv6; }',
      },
      `
    ipv4 {
      unicast 10.40.0.0/16 next-hop 2001:db8:99::2;
      unicast 10.41.0.0/24 next-hop 2001:db8:99::2;
    }
`,
    ),
    after: ['withdraw route 10.40.0.0/16 next-hop 2001:db8:99::2'],
    expect: [
      { family: '1/1', announce: '10.40.0.0/16', ...INTERNAL, ...NEXT6 },
      { family: '1/1', announce: '10.41.0.0/24', ...INTERNAL, ...NEXT6 },
      ...ends('1/1', '2/1'),
      { family: '1/1', withdraw: '10.40.0.0/16' },
    ],
  },
];
