/** One node's changes as rows, and nodes that change alike put together. Pure. */
import type { BgpNode } from '../agent/bgp-nodes.ts';
import { formatIpAddress } from '../model/ip.ts';
import type { PeerChangeOf } from './peer-changes.ts';
import type { NodeGroup, PeerRow, RouteRow } from './report.ts';

/** So many peers of a row are told by name. */
const MAX_NAMES = 100;

const GRAVEST_FIRST: readonly PeerRow['change'][] = ['goes', 'is reset', 'changes', 'comes'];

/** Peers that change alike are one row. `ownerOf`: the node that has an address, if any. */
export function peerRows(
  changes: readonly PeerChangeOf[],
  ownerOf: (peer: PeerChangeOf) => BgpNode | undefined,
): readonly PeerRow[] {
  const rows = Map.groupBy(changes, ({ change, peer, fields }) =>
    [change, peer.origin, peer.kind, peer.remoteAsn, ...fields].join('|'),
  );
  return [...rows.values()]
    .map((alike): PeerRow => {
      const { change, peer, fields } = alike[0]!;
      return {
        ...{ change, origin: peer.origin, type: peer.kind, asn: peer.remoteAsn, fields, count: alike.length },
        peers: alike.slice(0, MAX_NAMES).map((each) => peerText(each, ownerOf(each))),
      };
    })
    .sort((a, b) => GRAVEST_FIRST.indexOf(a.change) - GRAVEST_FIRST.indexOf(b.change));
}

function peerText({ peer: { address, port } }: PeerChangeOf, owner: BgpNode | undefined): string {
  const text = formatIpAddress(address);
  const place = port === 179 ? text : address.family === 4 ? `${text}:${port}` : `[${text}]:${port}`;
  return owner === undefined ? place : `${place} (${owner.name})`;
}

export interface NodeRows {
  readonly name: string;
  readonly node: readonly string[];
  readonly peers: readonly PeerRow[];
  readonly routes: readonly RouteRow[];
}

/** A row that names so few peers is alike only in another node's where that names the same. */
const FEW = 3;

/** In the order of the nodes; within a group single peers and routes are those of the first. */
export function groupAlike(rows: readonly NodeRows[]): readonly NodeGroup[] {
  const groups = Map.groupBy(rows, likeness);
  return [...groups.values()].map((alike): NodeGroup => {
    const { node, peers, routes } = alike[0]!;
    return { nodes: alike.map(({ name }) => name), node, peers, routes };
  });
}

const likeness = ({ node, peers, routes }: NodeRows): string =>
  JSON.stringify([
    node,
    peers.map(({ change, origin, type, asn, fields, count, peers: named }) => [
      ...[change, origin, type, asn, fields],
      count <= FEW ? named : '',
    ]),
    routes.map(({ change, pool, from, to }) => [change, pool, from, to]),
  ]);
