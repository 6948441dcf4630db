import { isIpv6LinkLocal } from '../../src/model/ip.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { addressFromOctets } from '../peer/address.ts';
import { familyOf, ipFamilyOf } from '../peer/negotiate.ts';
import type { ExportView } from '../update/export-group.ts';
import { familyKey } from '../wire.ts';
import type { NextHopBytes } from '../wire.ts';
import type { RoutingPeer } from './peer.ts';
import { exportTarget } from '../policy/export.ts';

/** What of the speaker as a whole is seen by every peer. */
export interface SpeakerView {
  readonly transit: boolean;
  readonly clusterId: number | undefined;
  readonly draining: boolean;
  readonly aigp: boolean;
}

/** What the peer of a session that is up sees of us in one family. */
export function exportView(peer: RoutingPeer, family: IpFamily, speaker: SpeakerView): ExportView {
  const { negotiated, localAddress } = peer.session!;
  const { send, external, peerAsn } = negotiated;
  const { transit, clusterId, draining, aigp } = speaker;
  const isExtended = send.extendedNextHop.has(familyKey(familyOf(family)));
  const target = exportTarget(peer.settings, {
    external,
    peerAsn,
    transit,
    clusterId,
    draining,
    longLived: negotiated.gracefulRestart?.longLived.some((each) => ipFamilyOf(each.family) === family) ?? false,
    localAddress: nextHopOf(localAddress, family, isExtended),
    nextHopFamily: isExtended ? undefined : family,
  });
  return { family, target, filters: peer.settings.exportFilters ?? [], send, aigp };
}

/**
 * Our end of the session as a next hop of `family`. An address of the other family is none (RFC 4760 §3), unless an IPv6
 * one was agreed on for IPv4 (RFC 8950). A link-local one stands in both places of 32 octets: there is no other on the
 * link, and RFC 2545 §3 has none alone.
 */
function nextHopOf(localAddress: Uint8Array, family: IpFamily, isExtended: boolean): NextHopBytes | undefined {
  const own = localAddress.length === 4 ? 4 : 6;
  if (own !== family && !(family === 4 && isExtended)) return undefined;
  return isIpv6LinkLocal(addressFromOctets(localAddress))
    ? Uint8Array.of(...localAddress, ...localAddress)
    : localAddress;
}
