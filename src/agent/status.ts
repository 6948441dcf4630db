import type { PeerView, RouteView } from '../../bird/index.ts';
import type { RouteStatus, RouteTarget } from '../../felix/index.ts';
import type { PathReport, PeerStatus, RouteReport } from '../api/contract.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';

/** bird's view of a peer in the API's words. */
export function peerStatus(view: PeerView): PeerStatus {
  const { settings } = view;
  return {
    address: formatIpAddress(settings.address),
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

export function routeReport({ route, state, error }: RouteStatus): RouteReport {
  return {
    prefix: formatPrefix(route.prefix),
    class: route.class,
    target: formatTarget(route.target),
    state,
    reason: route.reason,
    ...(route.pool === undefined ? {} : { pool: route.pool }),
    ...(error === undefined ? {} : { error }),
  };
}

/** As `ip route` says it. */
function formatTarget(target: RouteTarget): string {
  switch (target.kind) {
    case 'blackhole':
      return 'blackhole';
    case 'link':
      return `dev ${target.interfaceName} scope link`;
    case 'via':
      return target.hops
        .map((hop) => `via ${formatIpAddress(hop.gateway)} dev ${hop.interfaceName}${hop.onlink ? ' onlink' : ''}`)
        .join(' ');
  }
}
