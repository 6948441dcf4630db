import { AS_TRANS, encodeMessage } from '../../bird/bgp-ts/index.ts';
import type { AddPathEntry, Capability, CodecContext, Family, Open } from '../../bird/bgp-ts/index.ts';
import type { OurSide } from './daemon.ts';

export const IPV4: Family = { afi: 1, safi: 1 };
export const IPV6: Family = { afi: 2, safi: 1 };

/** The AS of both sides of an internal session, and of the daemon in most others. */
export const ASN = 65010;
/** The daemon's AS where AS_TRANS must stand in for it. */
export const LARGE_ASN = 4200000100;
/** Ours in an external session. */
export const EXTERNAL_ASN = 64999;

const HOLD_SECONDS = 90;
const IDENTIFIER = 0x0a630001; // 10.99.0.1

const families = (list: readonly Family[]): readonly Capability[] =>
  list.map((family) => ({ name: 'multiprotocol', family }));

/** All that we can offer but ADD-PATH and the role. */
export function everything(asn: number, list: readonly Family[] = [IPV4, IPV6]): OurSide {
  return {
    asn,
    capabilities: [
      ...families(list),
      { name: 'route-refresh' },
      {
        name: 'extended-next-hop',
        entries: list.filter(({ afi }) => afi === 1).map((family) => ({ family, nextHopAfi: 2 })),
      },
      { name: 'extended-message' },
      {
        name: 'graceful-restart',
        restarting: false,
        notification: true,
        restartSeconds: 120,
        families: list.map((family) => ({ family, forwardingPreserved: true })),
      },
      { name: 'four-octet-as', asn },
      { name: 'enhanced-route-refresh' },
      {
        name: 'long-lived-graceful-restart',
        families: list.map((family) => ({ family, forwardingPreserved: false, staleSeconds: 3600 })),
      },
      { name: 'fqdn', hostname: 'recorder', domain: 'example' },
      { name: 'software-version', version: 'calico-ts capture' },
    ],
  };
}

/** Few capabilities, so that an OPEN of many families stays below the 255 octets where RFC 9072 begins. */
export const plain = (asn: number, list: readonly Family[]): OurSide => ({
  asn,
  capabilities: [
    ...families(list),
    { name: 'graceful-restart', restarting: false, notification: false, restartSeconds: 0, families: [] },
    { name: 'four-octet-as', asn },
  ],
});

/** As a speaker of 2006: two-octet AS numbers. Graceful restart only so that End-of-RIB comes. */
export const twoOctets = (asn: number): OurSide => ({
  asn,
  capabilities: [
    ...families([IPV4, IPV6]),
    { name: 'graceful-restart', restarting: false, notification: false, restartSeconds: 0, families: [] },
  ],
});

export function withAddPath(side: OurSide, mode: AddPathEntry['mode'] = 'both'): OurSide {
  const entries = [IPV4, IPV6].map((family) => ({ family, mode }));
  return { ...side, capabilities: [...side.capabilities, { name: 'add-path', entries }] };
}

export const openMessage = ({ asn, capabilities }: OurSide): Open => ({
  type: 'open',
  version: 4,
  asn: asn > 0xffff ? AS_TRANS : asn,
  holdSeconds: HOLD_SECONDS,
  bgpIdentifier: IDENTIFIER,
  capabilities,
});

/** Before the OPENs are exchanged nothing is settled. */
export const unsettled: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: false,
};

export const encodeOpen = (side: OurSide): Uint8Array => encodeMessage(openMessage(side), unsettled);
