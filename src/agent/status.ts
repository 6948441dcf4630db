import { natSubjectText } from '../../felix/index.ts';
import type { Dataplane, NatStatus, RouteStatus, RouteTarget } from '../../felix/index.ts';
import type { AddressCandidate, AddressReport, NatReport, NodeStatus, RouteReport } from '../api/contract.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ChosenAddress } from './address-choice.ts';
import type { Candidate } from './autodetect.ts';

export function routeReport({ route, state, error, fight }: RouteStatus): RouteReport {
  return {
    prefix: formatPrefix(route.prefix),
    class: route.class,
    target: formatTarget(route.target),
    state,
    reason: route.reason,
    ...(route.pool === undefined ? {} : { pool: route.pool }),
    ...(error === undefined ? {} : { error }),
    ...(fight === undefined ? {} : { fight }),
  };
}

export function dataplaneReport(dataplane: Pick<Dataplane, 'routes' | 'repairs'>): NodeStatus['dataplane'] {
  const routes = dataplane.routes();
  const { counts, fights } = dataplane.repairs();
  return {
    routes: routes.length,
    pending: routes.filter(({ state }) => state === 'pending').length,
    failed: routes.filter(({ state }) => state === 'failed').length,
    repairs: counts,
    fights: fights.map(({ kind, name, repairs, by }) => `${kind} ${name}: ${repairs} repairs, ${by}`),
  };
}

/** What is known of the datastore; undefined before it is followed. `staleSince` is told by the wall clock. */
export function datastoreReport(view: SyncView | undefined, clock: Clock): Omit<NodeStatus['datastore'], 'type'> {
  if (view === undefined) return { inSync: false, revision: 0 };
  const { inSync, revision, stale, staleSince = clock.now() } = view;
  if (stale === undefined) return { inSync, revision };
  const since = new Date(clock.wallTime() - (clock.now() - staleSince)).toISOString();
  return { inSync, revision, stale, staleSince: since };
}

export const natReport = ({ subject, ...rest }: NatStatus): NatReport => ({
  subject: natSubjectText({ subject }),
  ...rest,
});

export const addressReport = ({ reason, warnings, isAmbiguous, candidates }: ChosenAddress): AddressReport => ({
  ...{ reason, warnings, ambiguous: isAmbiguous },
  candidates: candidates.map(addressCandidate),
});

export const addressCandidate = ({ interfaceName, address, standing, reason }: Candidate): AddressCandidate => ({
  interface: interfaceName,
  ...(address && { address: formatPrefix(address) }),
  ...{ standing, reason },
});

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
