/** What a change of resources means for every node, before anybody applies it. Pure; README.md tells how. */
import type { PeerSettings } from '../../bird/index.ts';
import type { BgpNode } from '../agent/bgp-nodes.ts';
import { isSame } from '../model/same.ts';
import { resourceLines, tunnelLines } from './cluster-lines.ts';
import { groupAlike, peerRows } from './node-rows.ts';
import type { NodeRows } from './node-rows.ts';
import { peerChanges, speakerChanges } from './peer-changes.ts';
import type { PeerRow, PlanReport, PlanSummary, RouteRow } from './report.ts';
import { routeChanges } from './route-changes.ts';
import { nodePeers, View } from './view.ts';
import type { NodePeers } from './view.ts';
import { planWarnings } from './warnings.ts';
import type { PeerCounts } from './warnings.ts';
import type { World } from './world.ts';

export type { PlanReport } from './report.ts';
export { worldOf } from './world.ts';
export type { World } from './world.ts';

export interface PlanOptions {
  /** Nodes that change alike are told one by one all the same. */
  readonly eachNode?: boolean;
}

/** Of a thousand nodes in a mesh it takes some seconds. */
export function planChange(before: World, after: World, { eachNode = false }: PlanOptions = {}): PlanReport {
  const planning = new Planning(before, after);
  const names = [...new Set([...before.nodes.keys(), ...after.nodes.keys()])].sort();
  for (const name of names) planning.comparePeers(name);
  const rows = names.filter((name) => after.nodes.has(name)).map((name) => planning.rowsOf(name, names));
  const changed = rows.filter(({ node, peers, routes }) => node.length + peers.length + routes.length > 0);
  return {
    summary: {
      nodes: after.nodes.size,
      changedNodes: changed.length,
      sessions: planning.sessionCounts(),
      routes: routeCounts(changed.flatMap(({ routes }) => routes)),
    },
    resources: resourceLines(before, after),
    warnings: planWarnings({ before: planning.before, after: planning.after }, planning.counts),
    cluster: tunnelLines(before, after),
    groups: eachNode ? changed.map(({ name, ...own }) => ({ nodes: [name], ...own })) : groupAlike(changed),
    unknown: unknownThings(after, planning.after),
  };
}

const NO_PEERS: NodePeers = { peers: [], unmet: [] };
const SESSION_COUNT = { comes: 'come', goes: 'go', 'is reset': 'reset', changes: 'change' } as const;

class Planning {
  readonly before: View;
  readonly after: View;
  readonly counts: PeerCounts[] = [];
  readonly #hasSamePeers: boolean;
  readonly #hasSameWays: boolean;
  readonly #peers = new Map<string, readonly PeerRow[]>();
  readonly #sessions = {
    come: new Set<string>(),
    go: new Set<string>(),
    reset: new Set<string>(),
    change: new Set<string>(),
  };

  constructor(before: World, after: World) {
    this.#hasSamePeers = hasSamePeers(before, after);
    this.#hasSameWays = hasSameWays(before, after);
    this.before = new View(before);
    this.after = new View(after, this.#hasSamePeers ? this.before.sessions : undefined);
  }

  /** Peers of whole clusters are many: they are compared node by node and forgotten, but for the ends of sessions. */
  comparePeers(name: string): void {
    const { before, after } = this;
    const then = before.world.nodes.has(name) ? nodePeers(before.world, name) : NO_PEERS;
    const now = this.#hasSamePeers ? then : after.world.nodes.has(name) ? nodePeers(after.world, name) : NO_PEERS;
    const [i, k] = [before.sessions.indexOf(name), after.sessions.indexOf(name)];
    if (i !== undefined) before.sessions.add(i, then.peers);
    if (k !== undefined && !this.#hasSamePeers) after.sessions.add(k, now.peers);
    const unmet = now.unmet.filter((wish) => !then.unmet.includes(wish));
    this.counts.push({ name, before: then.peers.length, after: k === undefined ? -1 : now.peers.length, unmet });
    const changes = now === then ? [] : peerChanges(then.peers, now.peers);
    // Of a node that is gone the peers are of no interest; the others' ends of its sessions are.
    if (k !== undefined)
      this.#peers.set(
        name,
        peerRows(changes, ({ peer }) => this.#nodeOf(peer)),
      );
    for (const { change, peer } of changes) this.#sessions[SESSION_COUNT[change]].add(this.#sessionOf(name, peer));
  }

  /** One name for a session, whichever of its ends is asked. */
  #sessionOf(name: string, { address, port }: PeerSettings): string {
    const remote = this.#ownerOf(address);
    const { family, words } = address;
    if (remote === undefined) return `${name} ${words.join()} ${port}`;
    return `${[name, remote].sort().join(' ')} ${family}`;
  }

  #ownerOf(address: PeerSettings['address']): string | undefined {
    for (const { sessions } of [this.after, this.before]) {
      const index = sessions.nodeAt(address);
      if (index !== undefined) return sessions.names[index];
    }
    return undefined;
  }

  #nodeOf({ address }: PeerSettings): BgpNode | undefined {
    const owner = this.#ownerOf(address);
    return owner === undefined ? undefined : (this.after.world.nodes.get(owner) ?? this.before.world.nodes.get(owner));
  }

  sessionCounts(): PlanSummary['sessions'] {
    const { come, go, reset, change } = this.#sessions;
    // Where one end is opened anew the other end's change is no matter of its own.
    const light = [...change].filter((session) => ![come, go, reset].some((others) => others.has(session)));
    return { come: come.size, go: go.size, reset: reset.size, change: light.length };
  }

  rowsOf(name: string, origins: readonly string[]): NodeRows {
    const [then, now] = [this.before.world.nodes.get(name), this.after.world.nodes.get(name)!];
    return {
      name,
      node: [...(then === undefined ? ['is new'] : speakerChanges(then, now)), ...this.#announcements(name)],
      peers: this.#peers.get(name) ?? [],
      routes: routeChanges(name, { before: this.before, after: this.after, hasSameWays: this.#hasSameWays }, origins),
    };
  }

  /** Without prefixes, so that nodes are alike; the other nodes' routes name them. */
  #announcements(name: string): readonly string[] {
    const [then, now] = [this.before.told(name), this.after.told(name)];
    const reasons = [...now.withheld].filter(([text]) => !then.withheld.has(text)).map(([, reason]) => reason);
    const openly = [...then.withheld].filter(([text]) => !now.withheld.has(text)).map(([, reason]) => reason);
    return [
      ...new Set([
        ...reasons.map((reason) => `announces no more: ${reason}`),
        ...openly.map((reason) => `announces again what it kept back: ${reason}`),
      ]),
    ];
  }
}

const PEER_KINDS = ['Node', 'BGPConfiguration', 'BGPPeer', 'BGPFilter'] as const;

/** Everything that peers are computed from is the same; of pools, what a route reflector passes on. */
const hasSamePeers = (before: World, after: World): boolean =>
  PEER_KINDS.every((kind) =>
    isSameOf<unknown>(before.resources[kind], after.resources[kind], (resource) => resource),
  ) && isSameOf(before.resources.IPPool, after.resources.IPPool, ({ spec }) => [spec.cidr, spec.disableBGPExport]);

const hasSameWays = (before: World, after: World): boolean =>
  isSameOf(before.resources.Node, after.resources.Node, ({ spec: { bgp } }) => [bgp?.ipv4Address, bgp?.ipv6Address]) &&
  isSameOf(before.resources.IPPool, after.resources.IPPool, ({ spec }) => [spec.cidr, spec.ipipMode, spec.vxlanMode]);

const isSameOf = <R>(
  before: ReadonlyMap<string, R>,
  after: ReadonlyMap<string, R>,
  part: (resource: R) => unknown,
): boolean =>
  before.size === after.size &&
  [...before].every(([name, former]) => {
    const current = after.get(name);
    return current === former || (current !== undefined && isSame(part(current), part(former)));
  });

function routeCounts(rows: readonly RouteRow[]): PlanSummary['routes'] {
  const sum = (change: RouteRow['change']): number =>
    rows.reduce((total, row) => total + (row.change === change ? row.count : 0), 0);
  return { come: sum('comes'), go: sum('goes'), lost: sum('is lost'), changeWay: sum('changes way') };
}

function unknownThings({ resources, unreadable }: World, { sessions }: View): readonly string[] {
  const bare = [...resources.Node.values()].filter(({ spec }) => /^[0-9.]+(\/32)?$/.test(spec.bgp?.ipv4Address ?? ''));
  const hasPasswords =
    [...resources.BGPPeer.values()].some(({ spec }) => spec.password !== undefined) ||
    [...resources.BGPConfiguration.values()].some(({ spec }) => spec.nodeMeshPassword !== undefined);
  return [
    'routes that peers outside the cluster tell or withhold, and whether a session comes up there',
    ...(hasPasswords ? ['whether the Secrets of passwords are on the nodes; here each is taken to be there'] : []),
    ...(sessions.hasFilters
      ? [
          'what BGPFilters make of communities, AS_PATHs, interfaces and priorities; here such rules let everything pass',
        ]
      : []),
    ...(bare.length > 0
      ? [
          `the subnets of ${bare.map(({ metadata }) => metadata.name).join(', ')}, which say none: here single addresses, the agents take their interfaces'`,
        ]
      : []),
    ...unreadable.map(({ key, reason }) => `${key}, which cannot be read and is left out: ${reason}`),
  ];
}
