import type { Family } from '../../bird/bgp-ts/index.ts';
import type { AttributesText, Expected, NlriText } from './fixture.ts';

/** The next hop of routes of the daemon's own. */
export const NEXT4 = { nextHop: '10.99.0.2' } as const;
export const NEXT6 = { nextHop: '2001:db8:99::2' } as const;

/** End-of-RIB of each family. */
export const ends = (...families: readonly Expected['family'][]): readonly Expected[] =>
  families.map((family) => ({ family, endOfRib: true }));

export const withdrawals = (family: Expected['family'], ...list: readonly NlriText[]): readonly Expected[] =>
  list.map((withdraw) => ({ family, withdraw }));

/** The families of IPv4 and IPv6 with these SAFIs. */
export const bothFamilies = (...safis: readonly number[]): readonly Family[] =>
  safis.flatMap((safi) => [
    { afi: 1, safi },
    { afi: 2, safi },
  ]);

/** VPN prefixes and FlowSpec rules that more than one daemon is told to announce, with these attributes. */
export const vpnAndFlow = (attributes: AttributesText): readonly Expected[] => [
  {
    family: '1/128',
    announce: { prefix: '10.32.0.0/16', labels: [100], rd: '0:65010:1' },
    ...attributes,
    nextHop: '0:0:0 10.99.0.2',
    extendedCommunities: ['rt 65010:32'],
  },
  {
    family: '2/128',
    announce: { prefix: '2001:db8:32::/48', labels: [16], rd: '1:192.0.2.1:2' },
    ...attributes,
    nextHop: '0:0:0 2001:db8:99::2',
    extendedCommunities: ['rt 65010:32'],
  },
  {
    family: '1/133',
    announce: {
      flow: [
        'destination 10.30.0.0/16',
        'source 192.0.2.0/24',
        'protocol =6',
        'destination-port =80 | =443 | >=8000&<=8080',
        'tcp-flags =2',
        'packet-length >=40&<=1500',
        'dscp =46',
      ],
    },
    ...attributes,
    extendedCommunities: ['8006000000000000'],
  },
  {
    family: '1/133',
    announce: { flow: ['destination 10.31.0.1/32', 'icmp-type =8', 'icmp-code =0', 'fragment 2'] },
    ...attributes,
    extendedCommunities: ['8008fdf200000009'],
  },
  {
    family: '2/133',
    announce: {
      flow: ['destination 2001:db8:30::/48 offset 0', 'protocol =17', 'source-port >1024', 'flow-label =74565'],
    },
    ...attributes,
    extendedCommunities: ['800900000000002e'],
  },
];
