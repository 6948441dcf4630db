import type { Speaker, SpeakerSettings } from '../../bird/index.ts';
import { natSubjectText } from '../../felix/index.ts';
import type { Dataplane, NatStatus, RouteStatus, RouteTarget } from '../../felix/index.ts';
import type {
  AddressCandidate,
  AddressReport,
  HealthReport,
  LeakReport,
  NatReport,
  NodeStatus,
  RouteReport,
} from '../api/contract.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { formatIpAddress, formatIpv4, formatPrefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import { peerStatus } from '../speaker/bgp-status.ts';
import type { ChosenAddress } from './address-choice.ts';
import type { Candidate } from './autodetect.ts';
import { clusterNode } from './cluster-view.ts';
import type { Knowledge } from './cluster-view.ts';

/** What is known of a node at a moment, as its parts tell it. */
export interface StatusSources {
  readonly node: string;
  readonly version: string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly datastoreType: string;
  readonly dataplane: Pick<Dataplane, 'routes' | 'repairs' | 'nat'>;
  readonly knowledge: Knowledge;
  /** Undefined until the datastore is followed. */
  readonly view: SyncView | undefined;
  readonly isLocked: boolean;
  /** Undefined until it listens; its settings, while the node has no address. */
  readonly speaker: Pick<Speaker, 'isConverged' | 'peers'> | undefined;
  readonly speakerSettings: Pick<SpeakerSettings, 'asn' | 'bgpIdentifier'> | undefined;
  /** Undefined before the node is registered. */
  readonly addresses: readonly ChosenAddress[] | undefined;
  readonly unmet: readonly string[];
  /** Undefined where nothing is collected. */
  readonly leaks: LeakReport | undefined;
  readonly settingProblems: readonly string[];
  readonly health: HealthReport;
}

export function nodeStatus(sources: StatusSources): NodeStatus {
  const { node, version, clock, dataplane, addresses, view, isLocked, datastoreType, leaks } = sources;
  return {
    ...{ node, version, pid: process.pid, startedAt: new Date(sources.startedAt).toISOString() },
    bgp: bgpReport(sources),
    ...(addresses && { addresses: addresses.map(addressReport) }),
    datastore: { type: datastoreType, ...datastoreReport(view, clock), ...(isLocked && { locked: true }) },
    dataplane: dataplaneReport(dataplane),
    nat: dataplane.nat().map(natReport),
    unmet: sources.unmet,
    ...(leaks && { leaks }),
    health: sources.health,
    settingProblems: sources.settingProblems,
  };
}

function bgpReport({ node, knowledge, speaker, speakerSettings }: StatusSources): NodeStatus['bgp'] {
  const self = knowledge.resources.Node.get(node);
  const own = self === undefined ? undefined : clusterNode(self);
  const address = (own?.address ?? own?.ipv6?.address)?.address;
  return {
    asn: speakerSettings?.asn ?? 0,
    bgpIdentifier: formatIpv4(speakerSettings?.bgpIdentifier ?? 0),
    address: address === undefined ? '' : formatIpAddress(address),
    converged: speaker?.isConverged() ?? false,
    peers: (speaker?.peers() ?? []).map(peerStatus),
  };
}

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
