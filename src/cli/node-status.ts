import type { NodeStatus, PeerStatus } from '../api/contract.ts';
import { formatFramed } from './table.ts';

/** `calicoctl node status` as people and scripts know it, and below it what that one does not tell. */
export function formatNodeStatus(status: NodeStatus, now: number): string {
  const peers = status.bgp.peers.filter(({ address }) => !address.includes(':'));
  const lines = ['Calico process is running.', '', 'IPv4 BGP status'];
  const table =
    peers.length === 0
      ? 'No IPv4 peers found.\n'
      : formatFramed(
          HEADINGS,
          peers.map((peer) => row(peer, now)),
        );
  return `${lines.join('\n')}\n${table}\n${notes(status)}`;
}

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

function notes({ bgp, datastore, dataplane }: NodeStatus): string {
  const lines = [
    ...(bgp.converged ? [] : ['Waiting for the peers after a restart: routes are kept, none is removed.']),
    ...(datastore.inSync ? [] : ['The datastore has not been read yet.']),
    ...(datastore.stale === undefined ? [] : [`The datastore is away, what it said is kept: ${datastore.stale}`]),
    ...(dataplane.failed === 0 ? [] : [`${dataplane.failed} routes were refused by the kernel: calicoctl-ts routes`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
