import type { CaptureSession } from '../daemon.ts';
import { bothFamilies, ends, NEXT4, NEXT6, withdrawals } from '../expected.ts';
import { ASN, everything, EXTERNAL_ASN, LARGE_ASN, twoOctets, withAddPath } from '../our-side.ts';

/** The rich feed, as static routes: what each carries stands in `richRoutes` again, by hand. */
const RICH = `
protocol static feed4 {
  ipv4;
  route 10.10.0.0/16 blackhole {
    bgp_origin = ORIGIN_EGP;
    bgp_path.prepend(4200000003); bgp_path.prepend(64513); bgp_path.prepend(4200000001);
    bgp_med = 50; bgp_local_pref = 250;
    bgp_community.add((65010,1)); bgp_community.add((65535,65281));
    bgp_large_community.add((4200000001,1,2)); bgp_large_community.add((65010,3,4294967295));
    bgp_ext_community.add((rt,65010,100)); bgp_ext_community.add((ro,192.0.2.1,7));
    bgp_ext_community.add((rt,4200000001,9)); bgp_ext_community.add((generic,0x43000000,0x1));
  };
  route 10.11.128.0/17 blackhole { bgp_med = 4294967295; };
  route 10.12.0.1/32 blackhole { bgp_med = 4294967295; };
  route 0.0.0.0/0 blackhole { bgp_origin = ORIGIN_INCOMPLETE; };
}
protocol static feed6 {
  ipv6;
  route 2001:db8:10::/48 blackhole {
    bgp_path.prepend(64513); bgp_path.prepend(4200000001);
    bgp_med = 0; bgp_community.add((65010,6));
    bgp_large_community.add((65010,6,6)); bgp_ext_community.add((rt,65010,6));
  };
  route 2001:db8:11::1/128 blackhole;
  route ::/0 blackhole;
}
`;

const head = 'router id 10.99.0.2;\nprotocol device {}\n';

const session = (asn: number, peer: number, channels: string): string => `
protocol bgp recorder {
  local 10.99.0.2 as ${asn}; neighbor 10.99.0.1 as ${peer};
  passive; graceful restart; long lived graceful restart; enable extended messages; advertise hostname;
${channels}
}
`;

const channel = (name: string, options = ''): string => `  ${name} { import all; export all; ${options} };`;
const unicast = `${channel('ipv4')}\n${channel('ipv6')}`;

/**
 * To an external peer go no LOCAL_PREF, no non-transitive community, and a MED only where the path was empty; its IPv6
 * next hop has a link-local address.
 */
function richRoutes(prefix: string, others: { readonly localPref?: number }): CaptureSession['expect'] {
  const path = (rest: string): string => [prefix, rest].filter(Boolean).join(' ');
  const internal = others.localPref !== undefined;
  const next6 = { nextHop: internal ? '2001:db8:99::2' : '2001:db8:99::2 fe80::2' };
  const rtOnly = ['rt 65010:100', 'soo 192.0.2.1:7', 'rt 4200000001:9'];
  return [
    {
      family: '1/1',
      announce: '10.10.0.0/16',
      origin: 'egp',
      asPath: path('4200000001 64513 4200000003'),
      ...NEXT4,
      ...(internal && { med: 50, localPref: 250 }),
      communities: ['65010:1', '65535:65281'],
      largeCommunities: ['4200000001:1:2', '65010:3:4294967295'],
      extendedCommunities: internal ? [...rtOnly, '4300000000000001'] : rtOnly,
    },
    ...['10.11.128.0/17', '10.12.0.1/32'].map((announce) => ({
      ...{ family: '1/1' as const, announce, origin: 'igp' as const, asPath: path('') },
      ...NEXT4,
      med: 4294967295,
      ...others,
    })),
    { family: '1/1', announce: '0.0.0.0/0', origin: 'incomplete', asPath: path(''), ...NEXT4, ...others },
    {
      family: '2/1',
      announce: '2001:db8:10::/48',
      origin: 'igp',
      asPath: path('4200000001 64513'),
      ...next6,
      ...(internal && { med: 0 }),
      ...others,
      communities: ['65010:6'],
      largeCommunities: ['65010:6:6'],
      extendedCommunities: ['rt 65010:6'],
    },
    ...['2001:db8:11::1/128', '::/0'].map((announce) => ({
      ...{ family: '2/1' as const, announce, origin: 'igp' as const, asPath: path('') },
      ...next6,
      ...others,
    })),
    ...ends('1/1', '2/1'),
  ];
}

/** Two static protocols for one prefix make two routes; the identifiers are BIRD's own choice. */
const TWICE = ['a', 'b']
  .map(
    (name, index) => `
protocol static ${name}4 { ipv4; route 10.20.0.0/16 blackhole { bgp_med = ${index + 1}; }; }
protocol static ${name}6 { ipv6; route 2001:db8:20::/48 blackhole { bgp_med = ${index + 1}; }; }`,
  )
  .join('');

const twice: CaptureSession['expect'] = [1, 2].flatMap((med) => [
  {
    family: '1/1' as const,
    announce: { prefix: '10.20.0.0/16', pathId: 'any' as const },
    ...{ origin: 'igp' as const, asPath: '', nextHop: '10.99.0.2', med, localPref: 100 },
  },
  {
    family: '2/1' as const,
    announce: { prefix: '2001:db8:20::/48', pathId: 'any' as const },
    ...{ origin: 'igp' as const, asPath: '', nextHop: '2001:db8:99::2', med, localPref: 100 },
  },
]);

const FAMILIES = `
flow4 table flowtab4;
flow6 table flowtab6;
vpn4 table vpntab4;
vpn6 table vpntab6;
ipv4 table multicast4;
ipv6 table multicast6;
protocol static {
  flow4;
  route flow4 { dst 10.30.0.0/16; src 192.0.2.0/24; proto = 6; dport = 80 || 443 || 8000..8080; tcp flags 0x02/0x12; length 40..1500; dscp = 46; }
    { bgp_ext_community.add((generic, 0x80060000, 0x49742400)); };
  route flow4 { dst 10.31.0.1/32; icmp type 8; icmp code 0; fragment is_fragment; };
}
protocol static {
  flow6;
  route flow6 { dst 2001:db8:30::/48; next header = 17; sport > 1024; label 4660; };
}
protocol static { vpn4; route 65010:1 10.32.0.0/16 blackhole { bgp_ext_community.add((rt,65010,32)); }; }
protocol static { vpn6; route 4200000001:2 2001:db8:32::/48 blackhole { bgp_ext_community.add((rt,65010,32)); }; }
protocol static { ipv4; route 10.34.0.0/16 blackhole; }
protocol static { ipv6; route 2001:db8:34::/48 blackhole; }
protocol static { ipv4 { table multicast4; }; route 10.33.0.0/16 blackhole; }
protocol static { ipv6 { table multicast6; }; route 2001:db8:33::/48 blackhole; }
`;

const INTERNAL = { origin: 'igp', asPath: '', localPref: 100 } as const;

export const birdSessions: readonly CaptureSession[] = [
  {
    name: 'ibgp',
    ours: everything(ASN),
    config: head + RICH + session(ASN, ASN, unicast),
    expect: richRoutes('', { localPref: 100 }),
  },
  {
    name: 'as2',
    ours: twoOctets(EXTERNAL_ASN),
    config: head + RICH + session(LARGE_ASN, EXTERNAL_ASN, unicast),
    expect: richRoutes(String(LARGE_ASN), {}),
  },
  {
    name: 'addpath',
    ours: withAddPath(everything(ASN)),
    config: head + TWICE + session(ASN, ASN, `${channel('ipv4', 'add paths;')}\n${channel('ipv6', 'add paths;')}`),
    expect: [...twice, ...ends('1/1', '2/1')],
  },
  {
    name: 'families',
    ours: everything(ASN, bothFamilies(4, 128, 133, 2)),
    config:
      head +
      FAMILIES +
      session(
        ASN,
        ASN,
        [
          ...['ipv4 mpls', 'ipv6 mpls', 'vpn4 mpls', 'vpn6 mpls', 'flow4', 'flow6'].map((name) => channel(name)),
          channel('ipv4 multicast', 'table multicast4;'),
          channel('ipv6 multicast', 'table multicast6;'),
        ].join('\n'),
      ),
    expect: [
      {
        family: '1/133',
        announce: {
          flow: [
            'destination 10.30.0.0/16',
            'source 192.0.2.0/24',
            'protocol =6',
            'destination-port =80 | =443 | >=8000&<=8080',
            'tcp-flags =2&!16',
            'packet-length >=40&<=1500',
            'dscp =46',
          ],
        },
        ...INTERNAL,
        extendedCommunities: ['8006000049742400'],
      },
      {
        family: '1/133',
        announce: { flow: ['destination 10.31.0.1/32', 'icmp-type =8', 'icmp-code =0', 'fragment =2'] },
        ...INTERNAL,
      },
      {
        family: '2/133',
        announce: {
          flow: ['destination 2001:db8:30::/48 offset 0', 'protocol =17', 'source-port >1024', 'flow-label =4660'],
        },
        ...INTERNAL,
      },
      {
        family: '1/128',
        announce: { prefix: '10.32.0.0/16', labels: [3], rd: '0:65010:1' },
        ...INTERNAL,
        nextHop: '0:0:0 10.99.0.2',
        extendedCommunities: ['rt 65010:32'],
      },
      {
        family: '2/128',
        announce: { prefix: '2001:db8:32::/48', labels: [3], rd: '2:4200000001:2' },
        ...INTERNAL,
        nextHop: '0:0:0 2001:db8:99::2',
        extendedCommunities: ['rt 65010:32'],
      },
      { family: '1/4', announce: { prefix: '10.34.0.0/16', labels: [3] }, ...INTERNAL, ...NEXT4 },
      { family: '2/4', announce: { prefix: '2001:db8:34::/48', labels: [3] }, ...INTERNAL, ...NEXT6 },
      { family: '1/2', announce: '10.33.0.0/16', ...INTERNAL, ...NEXT4 },
      { family: '2/2', announce: '2001:db8:33::/48', ...INTERNAL, ...NEXT6 },
      ...ends('1/4', '2/4', '1/128', '2/128', '1/133', '2/133', '1/2', '2/2'),
    ],
  },
  {
    name: 'withdraw',
    ours: everything(ASN),
    config: head + RICH + session(ASN, ASN, unicast),
    after: ['disable feed4', 'disable feed6'],
    expect: [
      ...richRoutes('', { localPref: 100 }),
      ...withdrawals('1/1', '10.10.0.0/16', '10.11.128.0/17', '10.12.0.1/32', '0.0.0.0/0'),
      ...withdrawals('2/1', '2001:db8:10::/48', '2001:db8:11::1/128', '::/0'),
    ],
  },
  {
    name: 'nexthop6',
    ours: { ...everything(ASN), over: 6 },
    config:
      head +
      `protocol static { ipv4; route 10.40.0.0/16 blackhole { bgp_med = 40; }; route 10.41.0.0/24 blackhole { bgp_med = 40; }; }
protocol bgp recorder {
  local 2001:db8:99::2 as ${ASN}; neighbor 2001:db8:99::1 as ${ASN};
  passive; graceful restart;
${channel('ipv4', 'extended next hop;')}
}
`,
    after: ['disable static1'],
    expect: [
      ...['10.40.0.0/16', '10.41.0.0/24'].map(
        (announce) => ({ family: '1/1', announce, ...INTERNAL, nextHop: '2001:db8:99::2', med: 40 }) as const,
      ),
      ...ends('1/1'),
      ...withdrawals('1/1', '10.40.0.0/16', '10.41.0.0/24'),
    ],
  },
];
