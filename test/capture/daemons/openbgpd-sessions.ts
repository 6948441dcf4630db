import type { CaptureSession } from '../daemon.ts';
import { ends, NEXT4, NEXT6 } from '../expected.ts';
import type { NlriText } from '../fixture.ts';
import { ASN, everything, EXTERNAL_ASN, LARGE_ASN, twoOctets, withAddPath } from '../our-side.ts';

interface Neighbor {
  readonly asn: number;
  readonly peer?: number;
  readonly announce?: readonly string[];
}

const head = ({ asn, peer = asn, announce = ['IPv4 unicast', 'IPv6 unicast'] }: Neighbor): string => `
AS ${asn}
router-id 10.99.0.2
fib-update no
socket "SOCKET"
listen on 10.99.0.2
neighbor 10.99.0.1 {
  remote-as ${peer}
  passive
  announce refresh yes
  announce enhanced refresh yes
  announce restart yes
${announce.map((line) => `  announce ${line}\n`).join('')}}
allow from any
allow to any
`;

/** The rich feed; it stands in `richRoutes` again, by hand. */
const RICH = `
network 10.10.0.0/16 set { origin egp med 50 localpref 250 prepend-self 2 community 65010:1 community 65535:65284 large-community 4200000001:1:2 large-community 65010:3:4294967295 ext-community rt 65010:100 ext-community soo 192.0.2.1:7 ext-community rt 4200000001:9 nexthop 10.99.0.2 }
network 10.11.128.0/17 set nexthop 10.99.0.2
network 10.12.0.1/32 set { origin incomplete nexthop 10.99.0.2 }
network 2001:db8:10::/48 set { med 0 community 65010:6 large-community 65010:6:6 ext-community rt 65010:6 nexthop 2001:db8:99::2 }
network 2001:db8:11::1/128 set nexthop 2001:db8:99::2
`;

interface Feed {
  readonly asn: number;
  readonly localPref?: number;
  readonly pathId?: 'any';
}

/** To external peers goes no LOCAL_PREF, the AS once more, and as IPv6 next hop of an IPv4 session the loopback address. */
function richRoutes({ asn, localPref, pathId }: Feed): CaptureSession['expect'] {
  const own = localPref === undefined ? [asn] : [];
  const others = { asPath: own.join(' '), ...(localPref !== undefined && { localPref }) };
  const next6 = localPref === undefined ? { nextHop: '::1' } : NEXT6;
  const nlri = (prefix: string): NlriText => (pathId === undefined ? prefix : { prefix, pathId });
  return [
    {
      family: '1/1',
      announce: nlri('10.10.0.0/16'),
      ...{ origin: 'egp', ...others, asPath: [...own, asn, asn].join(' '), ...NEXT4, med: 50 },
      ...(localPref !== undefined && { localPref: 250 }),
      communities: ['65010:1', '65535:65284'],
      largeCommunities: ['4200000001:1:2', '65010:3:4294967295'],
      extendedCommunities: ['rt 65010:100', 'soo 192.0.2.1:7', 'rt 4200000001:9'],
    },
    { family: '1/1', announce: nlri('10.11.128.0/17'), origin: 'igp', ...others, ...NEXT4 },
    { family: '1/1', announce: nlri('10.12.0.1/32'), origin: 'incomplete', ...others, ...NEXT4 },
    {
      family: '2/1',
      announce: nlri('2001:db8:10::/48'),
      ...{ origin: 'igp', ...others, ...next6, med: 0 },
      communities: ['65010:6'],
      largeCommunities: ['65010:6:6'],
      extendedCommunities: ['rt 65010:6'],
    },
    { family: '2/1', announce: nlri('2001:db8:11::1/128'), origin: 'igp', ...others, ...next6 },
    ...ends('1/1', '2/1'),
  ];
}

const INTERNAL = { origin: 'igp', asPath: '', localPref: 100 } as const;

export const openbgpdSessions: readonly CaptureSession[] = [
  {
    name: 'ibgp',
    ours: everything(ASN),
    config: head({ asn: ASN }) + RICH,
    expect: richRoutes({ asn: ASN, localPref: 100 }),
  },
  {
    name: 'as2',
    ours: twoOctets(EXTERNAL_ASN),
    config: head({ asn: LARGE_ASN, peer: EXTERNAL_ASN }) + RICH,
    expect: richRoutes({ asn: LARGE_ASN }),
  },
  {
    name: 'addpath',
    ours: withAddPath(everything(ASN)),
    config:
      head({ asn: ASN, announce: ['IPv4 unicast', 'IPv6 unicast', 'add-path send all', 'add-path recv yes'] }) + RICH,
    expect: richRoutes({ asn: ASN, localPref: 100, pathId: 'any' }),
  },
  {
    name: 'withdraw',
    ours: everything(ASN),
    config: head({ asn: ASN }),
    before: [
      'network add 10.10.0.0/16 nexthop 10.99.0.2 community 65010:1',
      'network add 10.11.128.0/17 nexthop 10.99.0.2 metric 7',
      'network add 2001:db8:10::/48 nexthop 2001:db8:99::2 large-community 65010:6:6',
    ],
    after: ['network delete 10.10.0.0/16', 'network delete 10.11.128.0/17', 'network delete 2001:db8:10::/48'],
    expect: [
      { family: '1/1', announce: '10.10.0.0/16', ...INTERNAL, ...NEXT4, communities: ['65010:1'] },
      { family: '1/1', announce: '10.11.128.0/17', ...INTERNAL, ...NEXT4, med: 7 },
      { family: '2/1', announce: '2001:db8:10::/48', ...INTERNAL, ...NEXT6, largeCommunities: ['65010:6:6'] },
      ...ends('1/1', '2/1'),
      { family: '1/1', withdraw: '10.10.0.0/16' },
      { family: '1/1', withdraw: '10.11.128.0/17' },
      { family: '2/1', withdraw: '2001:db8:10::/48' },
    ],
  },
];
