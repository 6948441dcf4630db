import type { NodeStatus, PathReport, PeerStatus } from '../api/contract.ts';
import type { CalicoNodeStatus } from '../resources/index.ts';

type Status = NonNullable<CalicoNodeStatus['status']>;
type Daemon = NonNullable<NonNullable<Status['agent']>['birdV4']>;
type Routes = NonNullable<Status['routes']>;
type Route = NonNullable<Routes['routesV4']>[number];

export type StatusClass = CalicoNodeStatus['spec']['classes'][number];

/** What of a node a CalicoNodeStatus may ask for; paths are asked for where they are wanted alone. */
export interface StatusSources {
  readonly status: NodeStatus;
  readonly paths: () => readonly PathReport[];
  /** ISO 8601. */
  readonly now: string;
}

/** A full table would be larger than a datastore takes as one value. */
const MAX_ROUTES = 2000;

/** The `status` of a CalicoNodeStatus as Calico's node writes it, of the classes that are asked for. */
export function calicoStatus(classes: readonly StatusClass[], { status, paths, now }: StatusSources): Status {
  const { peers } = status.bgp;
  return {
    lastUpdated: now.replace(/\.\d+Z$/, 'Z'),
    ...(classes.includes('Agent') && { agent: { birdV4: daemon(status, 4), birdV6: daemon(status, 6) } }),
    ...(classes.includes('BGP') && { bgp: { ...sessions(peers, 4), ...sessions(peers, 6) } }),
    ...(classes.includes('Routes') && { routes: routes(paths(), peers) }),
  };
}

/** One speaker speaks both families; where no peer is of a family it is as a BIRD that Calico did not start. */
function daemon({ version, startedAt, bgp, health }: NodeStatus, family: 4 | 6): Daemon {
  const isWanted = family === 4 || bgp.peers.some(isOf(6));
  const isReady = health?.reporters.every(({ name, ready }) => name !== 'bgp' || ready) ?? true;
  return isWanted
    ? {
        ...{ state: isReady ? 'Ready' : 'NotReady', version, routerID: bgp.bgpIdentifier },
        ...{ lastBootTime: startedAt, lastReconfigurationTime: startedAt },
      }
    : { state: 'NotReady', version: '', routerID: '', lastBootTime: '', lastReconfigurationTime: '' };
}

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);
const isOf =
  (family: 4 | 6) =>
  ({ address }: { readonly address: string }): boolean =>
    familyOf(address) === family;

function sessions(all: readonly PeerStatus[], family: 4 | 6): NonNullable<Status['bgp']> {
  const peers = all.filter(isOf(family));
  const established = peers.filter(({ state }) => state === 'Established').length;
  return {
    [`numberEstablishedV${family}`]: established,
    [`numberNotEstablishedV${family}`]: peers.length - established,
    [`peersV${family}`]: peers.map(({ address, type, state, since }) => ({
      ...{ peerIP: address, type: peerType(type), state, since },
    })),
  };
}

const TYPES = new Map([
  ['node-to-node mesh', 'NodeMesh'],
  ['global', 'GlobalPeer'],
]);

const peerType = (type: string): string => TYPES.get(type) ?? 'NodePeer';

function routes(paths: readonly PathReport[], peers: readonly PeerStatus[]): Routes {
  return Object.fromEntries(
    ([4, 6] as const).map((family) => [
      `routesV${family}`,
      paths
        .filter(({ prefix }) => familyOf(prefix) === family)
        .slice(0, MAX_ROUTES)
        .map((path) => routeOf(path, peers)),
    ]),
  );
}

function routeOf({ prefix, best, nextHop, from }: PathReport, peers: readonly PeerStatus[]): Route {
  const peer = peers.find(({ address }) => from === address || from.startsWith(`${address} `));
  return {
    type: best ? 'FIB' : 'RIB',
    destination: prefix,
    gateway: peer === undefined ? 'N/A' : (nextHop ?? 'N/A'),
    interface: '',
    learnedFrom:
      peer === undefined
        ? { sourceType: 'Static' }
        : { sourceType: peerType(peer.type) === 'NodeMesh' ? 'NodeMesh' : 'BGPPeer', peerIP: peer.address },
  };
}
