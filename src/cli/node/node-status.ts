import type { HealthReport, NatReport, PeerStatus } from '../../api/contract.ts';
import { formatHealth } from '../../api/health-table.ts';
import { formatAddresses } from './node-status-addresses.ts';
import type { AnyStatus } from './node-verdict.ts';
import { formatFramed } from '../table.ts';

/** `calicoctl node status` as people and scripts know it, and below it what that one does not tell. */
export function formatNodeStatus(status: AnyStatus, now: number): string {
  const { asn, bgpIdentifier, peers } = status.bgp;
  const isAlone = status.dataplane === undefined;
  const ipv6 = peers.filter(({ address }) => address.includes(':'));
  const ipv4 = peers.filter((peer) => !ipv6.includes(peer));
  const lines = [
    isAlone ? `The speaker is running: AS ${asn}, BGP Identifier ${bgpIdentifier}.` : 'Calico process is running.',
    '',
    'IPv4 BGP status',
    ipv4.length === 0 ? 'No IPv4 peers found.\n' : table(ipv4, now),
    ...(ipv6.length === 0 ? [] : ['IPv6 BGP status', table(ipv6, now)]),
    ...(status.health === undefined ? [] : [`Health: ${inWords(status.health)}`, formatHealth(status.health)]),
  ];
  return `${lines.join('\n')}\n${formatAddresses(status.addresses ?? [])}${notes(status, now)}`;
}

const inWords = ({ live, ready }: HealthReport): string => (ready ? 'ready' : live ? 'live, not ready' : 'not live');

const table = (peers: readonly PeerStatus[], now: number): string =>
  formatFramed(
    HEADINGS,
    peers.map((peer) => row(peer, now)),
  );

const HEADINGS = ['peer address', 'peer type', 'state', 'since', 'info'];

function row(peer: PeerStatus, now: number): readonly string[] {
  const isUp = peer.state === 'Established';
  const info = isUp || peer.lastError === undefined ? peer.state : `${peer.state} ${peer.lastError}`;
  return [peer.address, peer.type, isUp ? 'up' : 'start', since(peer.since, now), info];
}

/** The time of day today, else the date: BIRD's manner. UTC, for a cluster's nodes are compared. */
function since(iso: string, now: number): string {
  const today = new Date(now).toISOString().slice(0, 10);
  return iso.startsWith(today) ? iso.slice(11, 19) : iso.slice(0, 10);
}

/** A mistake in one resource may be one sentence for each node. */
const MAX_UNMET = 10;

function notes(
  { bgp, configuration, datastore, dataplane, nat = [], unmet = [], settingProblems = [], leaks }: AnyStatus,
  now: number,
): string {
  const refused = configuration?.refused ?? [];
  const lines = [
    ...(bgp.converged ? [] : ['Waiting for the peers after a restart: routes are kept, none is removed.']),
    ...(datastore?.inSync === false ? ['The datastore has not been read yet.'] : []),
    ...(datastore?.locked === true
      ? ['The datastore is locked for a migration: what it said before is kept, and no pods can be added.']
      : []),
    ...staleNote(datastore, now),
    ...((dataplane?.failed ?? 0) === 0
      ? []
      : [`${dataplane?.failed} routes were refused by the kernel: calicoctl-ts routes`]),
    ...natNotes(nat),
    ...unmet.slice(0, MAX_UNMET).map((wish) => `Not done: ${wish}`),
    ...(unmet.length > MAX_UNMET ? [`Not done: ${unmet.length - MAX_UNMET} more, see -o json`] : []),
    ...(dataplane?.fights ?? []).map((fight) => `Somebody keeps undoing what we program: ${fight}`),
    ...leakNote(leaks),
    ...settingProblems.map((problem) => `Not in force: ${problem}`),
    ...(refused.length === 0
      ? []
      : [`${configuration?.file} is wrong, and what it said at ${configuration?.readAt} stays in force:`, ...refused]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function leakNote(leaks: AnyStatus['leaks']): readonly string[] {
  if (leaks === undefined || leaks.suspected === 0) return [];
  const { suspected, graceSeconds } = leaks;
  const when = `given back when that has been so for ${graceSeconds} s and the pod's interface is gone, too`;
  return [`Addresses that look leaked, since no endpoint has them: ${suspected}; ${when}. See calicoctl-ts ipam check`];
}

function staleNote(datastore: AnyStatus['datastore'], now: number): readonly string[] {
  if (datastore?.stale === undefined) return [];
  const { stale, staleSince } = datastore;
  const when = staleSince === undefined ? '' : ` since ${since(staleSince, now)}`;
  return [`The datastore is stale${when}, what was known is kept: ${stale}`];
}

/** Mostly one reason holds for all. */
function natNotes(nat: readonly NatReport[]): readonly string[] {
  const failed = Map.groupBy(
    nat.filter(({ state }) => state === 'failed'),
    ({ error }) => error ?? 'no reason given',
  );
  return [...failed].map(
    ([error, reports]) => `No NAT for ${reports.map(({ subject }) => subject).join(', ')}: ${error}`,
  );
}
