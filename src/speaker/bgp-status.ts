import type { PeerView, RouteView } from '../../bird/index.ts';
import type { PathReport, PeerStatus } from '../api/contract.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';

/** bird's view of a peer in the API's words. */
export function peerStatus(view: PeerView): PeerStatus {
  const { settings } = view;
  return {
    address: peerAddress(settings),
    port: settings.port,
    type: settings.kind,
    origin: settings.origin,
    remoteAsn: settings.remoteAsn,
    localAsn: settings.localAsn,
    state: view.state,
    since: new Date(view.since).toISOString(),
    ...(view.lastError === undefined ? {} : { lastError: view.lastError }),
    received: view.received,
    accepted: view.accepted,
    advertised: view.advertised,
    flaps: view.flaps,
    ...(view.gracefulRestart === undefined ? {} : { gracefulRestart: view.gracefulRestart }),
  };
}

export function pathReport(view: RouteView): PathReport {
  const { prefix, nextHop, ...rest } = view;
  return {
    ...rest,
    prefix: formatPrefix(prefix),
    ...(nextHop === undefined ? {} : { nextHop: formatIpAddress(nextHop) }),
  };
}

/** `10.0.0.2`, `fe80::1%eth0`. */
export const peerAddress = ({ address, interface: link }: PeerView['settings']): string =>
  link === undefined ? formatIpAddress(address) : `${formatIpAddress(address)}%${link}`;
