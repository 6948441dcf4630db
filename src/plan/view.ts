/** What all agents together make of one world: peers, sessions, whose routes reach whom, and which way. Pure. */
import type { PeerSettings } from '../../bird/index.ts';
import type { Pool } from '../../felix/index.ts';
import { ownRoutes } from '../agent/own-routes.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../agent/peers.ts';
import type { PasswordLookup } from '../agent/peerings.ts';
import { unmetWishes } from '../agent/unmet.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';
import type { IpFamily, Prefix } from '../model/ip.ts';
import { Reach } from './reach.ts';
import { Sessions } from './sessions.ts';
import { Ways } from './ways.ts';
import type { Device } from './ways.ts';
import { knowledgeOf } from './world.ts';
import type { World } from './world.ts';

/** A plan is made where no Secret lies: each is taken to be there, and is known by its name. */
const passwords: PasswordLookup = ({ name, key }) => ({ password: `${name}/${key}` });

export interface NodePeers {
  readonly peers: readonly PeerSettings[];
  readonly unmet: readonly string[];
}

export function nodePeers({ resources, nodes }: World, name: string): NodePeers {
  const computed = computePeers(resources, name, { ...CALICO_PEER_DEFAULTS, passwords, nodes });
  return { peers: computed.peers, unmet: unmetWishes(resources, nodes.get(name), computed) };
}

/** A route of a node's own that its peers are told. */
export interface Told {
  readonly prefix: Prefix;
  readonly text: string;
  readonly pool: Pool | undefined;
}

/** Those of one pool and family: which way they go is one question. */
export interface ToldGroup {
  readonly pool: Pool | undefined;
  readonly family: IpFamily;
  readonly routes: readonly Told[];
}

export interface ToldBy {
  readonly groups: readonly ToldGroup[];
  /** What all groups hold, in one text: equal texts, equal routes. */
  readonly text: string;
  readonly withheld: ReadonlyMap<string, string>;
}

/** The way of a route at one node. */
export interface RouteAt {
  readonly device: Device;
  readonly nextHop: string;
  /** Of the next hop. */
  readonly address: string;
}

/** Filled by `Sessions.add` for every node before anything is asked. */
export class View {
  readonly world: World;
  readonly sessions: Sessions;
  readonly ways: Ways;
  readonly #told = new Map<string, ToldBy>();
  readonly #reach = new Map<IpFamily, Reach>();

  constructor(world: World, sessions = new Sessions(world.nodes)) {
    this.world = world;
    this.sessions = sessions;
    this.ways = new Ways(world);
  }

  reach(family: IpFamily): Reach {
    const known = this.#reach.get(family);
    if (known !== undefined) return known;
    const reach = new Reach(this.sessions, family);
    this.#reach.set(family, reach);
    return reach;
  }

  /** Nothing of a node that is not there. */
  told(node: string): ToldBy {
    const known = this.#told.get(node);
    if (known !== undefined) return known;
    const told = this.#tell(node);
    this.#told.set(node, told);
    return told;
  }

  #tell(node: string): ToldBy {
    if (!this.world.nodes.has(node)) return { groups: [], text: '', withheld: new Map() };
    const { originated, withheld } = ownRoutes(knowledgeOf(this.world, node));
    const routes = originated.map(({ prefix }): Told => ({
      prefix,
      text: formatPrefix(prefix),
      pool: this.ways.poolOf(prefix),
    }));
    const groups = Map.groupBy(routes, ({ prefix, pool }) => `${prefix.address.family} ${pool?.name ?? ''}`);
    const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      groups: sorted.map(([, own]) => ({ pool: own[0]!.pool, family: own[0]!.prefix.address.family, routes: own })),
      text: sorted.map(([key, own]) => `${key}: ${own.map(({ text }) => text).join()}`).join('\n'),
      withheld: new Map(withheld.map(({ prefix, reason }) => [formatPrefix(prefix), reason])),
    };
  }

  /** Which way `receiver` sends what is for a route of `origin`; undefined where it has none. */
  routeAt(receiver: string, origin: string, { prefix, pool }: Told): RouteAt | undefined {
    const { family } = prefix.address;
    const nextHop = this.nextHop(receiver, origin, family);
    if (nextHop === undefined) return undefined;
    if (this.sessions.hasFilters && !this.#isLet(receiver, origin, prefix)) return undefined;
    const device = this.ways.device(pool, { from: receiver, to: nextHop, family });
    const address = this.ways.address(nextHop, family);
    return device && address && { device, nextHop, address: formatIpAddress(address.address) };
  }

  /** Of the routes of `origin`, whatever BGPFilters say of single ones; undefined where `receiver` does not hear of them. */
  nextHop(receiver: string, origin: string, family: IpFamily): string | undefined {
    const [to, from] = [this.sessions.indexOf(receiver), this.sessions.indexOf(origin)];
    if (to === undefined || from === undefined) return undefined;
    const nextHop = this.reach(family).nextHop(to, from);
    return nextHop < 0 ? undefined : this.sessions.names[nextHop];
  }

  #isLet(receiver: string, origin: string, prefix: Prefix): boolean {
    const reach = this.reach(prefix.address.family);
    const to = this.sessions.indexOf(receiver)!;
    const path = reach.path(to, this.sessions.indexOf(origin)!);
    return path !== undefined && reach.lets(prefix, to, path) !== 'no';
  }
}
