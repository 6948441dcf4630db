/** Who stands around the speaker: iBGP client and non-client, and two external peers, over IPv4 and over IPv6; then again. */
import type { LabPeer } from '../support/scripted-peer-lab.ts';
import { SPEAKER, SPEAKER_ASN } from '../support/scripted-peer-lab.ts';

export const SPEAKER6 = 'fd66::1';
export const LISTEN = [SPEAKER, SPEAKER6].map((address) => ({ address, port: 179 }));
export const CLUSTER_ID = 0x0a42_00c1;
/** 10.66.0.1, as the lab starts it. */
export const SPEAKER_IDENTIFIER = 0x0a42_0001;

/** A peer and the speaker's settings for it, of which some change on the way. */
export interface SoakPeer {
  readonly index: number;
  readonly asn: number;
  readonly external: boolean;
  readonly address: string;
  /** The speaker's end. */
  readonly speaker: string;
  /** `10.66.2.1` */
  readonly bgpIdentifier: string;
  readonly settings: { client: boolean; nextHop: 'auto' | 'keep'; restartSeconds: number };
}

/** The unsigned word of `10.66.2.1`. */
export const wordOf = (address: string): number =>
  address.split('.').reduce((word, octet) => word * 256 + Number(octet), 0);

export function makePeers(count: number): readonly SoakPeer[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = index % 4;
    const isOverIpv6 = index % 2 === 1;
    const external = kind >= 2;
    return {
      index,
      external,
      asn: external ? 65001 + index : SPEAKER_ASN,
      address: isOverIpv6 ? `fd66::2:${(index + 1).toString(16)}` : `10.66.2.${index + 1}`,
      speaker: isOverIpv6 ? SPEAKER6 : SPEAKER,
      bgpIdentifier: `10.66.2.${index + 1}`,
      settings: { client: kind === 0, nextHop: kind === 3 ? 'keep' : 'auto', restartSeconds: 300 },
    };
  });
}

/** All addresses of the host that are not in 10.66.0.0/16. */
export const ipv6Addresses = (peers: readonly SoakPeer[]): readonly string[] => [
  `${SPEAKER6}/64`,
  ...peers.filter(({ address }) => address.includes(':')).map(({ address }) => `${address}/64`),
];

export const labPeer = ({ address, asn, settings }: SoakPeer): LabPeer => ({
  address,
  asn,
  holdSeconds: 90,
  routeReflectorClient: settings.client,
  nextHop: settings.nextHop,
  gracefulRestartSeconds: settings.restartSeconds,
});

/** `count` prefixes, two in five IPv6, of many lengths; none inside another, so each can be told from all others. */
export function makePrefixes(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    if (i % 5 < 3) return `${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/${24 + (i % 9)}`;
    return `2001:db8:${i.toString(16)}::/${48 + (i % 17)}`;
  });
}

/** A prefix that only this peer ever announces: when another peer sees it, all before it has been read. */
export const markerOf = ({ index }: SoakPeer): string => `198.18.${index}.0/24`;
