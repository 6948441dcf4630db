/** Whose routes reach whom over which BGP path, and who is their next hop: a question about a graph. Pure. */
import type { IpFamily, Prefix } from '../model/ip.ts';
import { verdictOf } from './filters.ts';
import type { Verdict } from './filters.ts';
import { isExternal } from './sessions.ts';
import type { End, Sessions } from './sessions.ts';

/** How a node came to the routes of another one. */
export interface Path {
  /** Index of the node that is the next hop: mostly the origin itself. */
  readonly nextHop: number;
  /** The origin first, then the reflectors; not the receiver. */
  readonly through: readonly number[];
}

/**
 * The ways of the own routes of every node to every other. A node tells everybody its own routes; a route reflector passes on
 * within its AS what RFC 4456 §6 lets it, and to other ASes what lies in the pools. Of several ways the one through the
 * fewest nodes counts: where reflectors keep the next hop, as they do unless nextHopMode says otherwise, all lead the same way.
 */
export class Reach {
  readonly #family: IpFamily;
  readonly #sessions: Sessions;
  /** By receiver, then origin: one more than the index of the next hop, and of the node that told; 0: none. */
  readonly #nextHops: readonly Int32Array[];
  readonly #tellers: readonly Int32Array[];

  constructor(sessions: Sessions, family: IpFamily) {
    this.#family = family;
    this.#sessions = sessions;
    const count = sessions.names.length;
    this.#nextHops = sessions.names.map(() => new Int32Array(count));
    this.#tellers = sessions.names.map(() => new Int32Array(count));
    const neighbours = this.#neighbours();
    for (let origin = 0; origin < count; origin++) this.#spread(origin, neighbours);
  }

  /** Undefined where the receiver does not hear of the origin. */
  path(receiver: number, origin: number): Path | undefined {
    const nextHop = this.#nextHops[receiver]![origin]! - 1;
    if (nextHop < 0) return undefined;
    const through: number[] = [];
    for (let node = receiver; node !== origin;) {
      node = this.#tellers[node]![origin]! - 1;
      through.unshift(node);
    }
    return { nextHop, through };
  }

  /** The same as a number, -1 for none: for a whole cluster at once. */
  nextHop(receiver: number, origin: number): number {
    return this.#nextHops[receiver]![origin]! - 1;
  }

  /** Whether BGPFilters let one route of the origin through to the receiver. `unknown`: they ask for what is not known here. */
  lets(prefix: Prefix, receiver: number, { through }: Path): 'yes' | 'no' | 'unknown' {
    let isUnknown = false;
    for (const [i, from] of through.entries()) {
      const to = through[i + 1] ?? receiver;
      const sending = this.#end(from, to);
      const receiving = this.#end(to, from);
      const told = verdictOf(sending.exportFilters, { prefix, isOwn: i === 0, isExternal: isExternal(sending) });
      const taken = verdictOf(receiving.importFilters, { prefix, isOwn: false, isExternal: isExternal(receiving) });
      if (told === 'reject' || taken === 'reject' || (i > 0 && isExternal(sending) && told === 'no rule')) return 'no';
      isUnknown ||= [told, taken].includes('unknown' satisfies Verdict);
    }
    return isUnknown ? 'unknown' : 'yes';
  }

  #end(from: number, to: number): End {
    return this.#sessions.end(this.#family, from, to)!;
  }

  #neighbours(): readonly (readonly number[])[] {
    const { names } = this.#sessions;
    const neighbours: number[][] = names.map(() => []);
    for (let a = 0; a < names.length; a++) {
      for (let b = a + 1; b < names.length; b++) {
        if (!this.#sessions.isUp(this.#family, a, b)) continue;
        neighbours[a]!.push(b);
        neighbours[b]!.push(a);
      }
    }
    return neighbours;
  }

  #spread(origin: number, neighbours: readonly (readonly number[])[]): void {
    const queue: Carried[] = [{ node: origin, nextHop: origin, asPath: [], clusters: [], from: undefined }];
    for (let head = 0; head < queue.length; head++) {
      const carried = queue[head]!;
      for (const to of neighbours[carried.node]!) {
        if (to === origin || this.#nextHops[to]![origin] !== 0) continue;
        const arrived = this.#carry(carried, to);
        if (arrived === undefined) continue;
        this.#nextHops[to]![origin] = arrived.nextHop + 1;
        this.#tellers[to]![origin] = carried.node + 1;
        if (this.#sessions.nodes[to]!.clusterId !== undefined) queue.push(arrived);
      }
    }
  }

  /** What arrives at a neighbour, or nothing: the teller keeps it back, or the neighbour knows it for a loop. */
  #carry({ node, nextHop, asPath, clusters, from }: Carried, to: number): Carried | undefined {
    const sending = this.#end(node, to);
    const receiving = this.#end(to, node);
    const isOut = isExternal(sending);
    const { clusterId } = this.#sessions.nodes[node]!;
    if (from !== undefined) {
      const isWithin = !from.isExternal && !isOut;
      if (isWithin ? !(from.isClient || sending.routeReflectorClient) : !passesOn(sending)) return undefined;
    }
    const path = isOut ? [sending.localAsn, ...asPath] : asPath;
    if (path.filter((asn) => asn === receiving.localAsn).length > receiving.allowOwnAsn) return undefined;
    const list = from === undefined || isOut || clusterId === undefined ? clusters : [clusterId, ...clusters];
    const own = this.#sessions.nodes[to]!.clusterId;
    if (!isOut && own !== undefined && list.includes(own)) return undefined;
    const keeps = from !== undefined && sending.nextHop !== 'self' && (!isOut || sending.nextHop === 'keep');
    return {
      node: to,
      nextHop: keeps ? nextHop : node,
      asPath: path,
      clusters: isOut ? [] : list,
      from: { isExternal: isExternal(receiving), isClient: receiving.routeReflectorClient },
    };
  }
}

/** A route on its way: where it is, and what it brought along. */
interface Carried {
  readonly node: number;
  readonly nextHop: number;
  readonly asPath: readonly number[];
  readonly clusters: readonly string[];
  /** Over what kind of session it came; undefined at its origin. */
  readonly from: { readonly isExternal: boolean; readonly isClient: boolean } | undefined;
}

/** Between ASes a node passes on what a filter accepts of others' routes: a reflector has one for the pools. */
const passesOn = ({ exportFilters = [] }: End): boolean =>
  exportFilters.some(({ rules }) => rules.some(({ action, match }) => action === 'accept' && match.source !== 'local'));
