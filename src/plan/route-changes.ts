/** What becomes of the routes of one node to the blocks of all others. Pure. */
import { addressIn } from '../agent/bgp-nodes.ts';
import { FAMILIES } from './sessions.ts';
import type { RouteExample, RouteRow } from './report.ts';
import type { RouteAt, Told, View } from './view.ts';

/** So many are told by name; the rest is counted. */
const MAX_EXAMPLES = 100;

interface Row {
  readonly change: RouteRow['change'];
  readonly pool: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  count: number;
  readonly remotes: Set<string>;
  readonly examples: RouteExample[];
}

export interface Worlds {
  readonly before: View;
  readonly after: View;
  /** Between two nodes the way to the same next hop is the same in both: neither pools nor addresses are others. */
  readonly hasSameWays: boolean;
}

/** Rows of routes that change alike, the gravest first. */
export function routeChanges(node: string, worlds: Worlds, origins: readonly string[]): readonly RouteRow[] {
  const changes = new RouteChanges(node, worlds);
  for (const origin of origins) if (origin !== node) changes.compare(origin);
  return changes.rows();
}

const GRAVEST_FIRST: readonly RouteRow['change'][] = ['is lost', 'changes way', 'goes', 'comes'];

class RouteChanges {
  readonly #node: string;
  readonly #before: View;
  readonly #after: View;
  readonly #hasSameWays: boolean;
  readonly #rows = new Map<string, Row>();

  constructor(node: string, { before, after, hasSameWays }: Worlds) {
    this.#hasSameWays = hasSameWays;
    this.#node = node;
    this.#before = before;
    this.#after = after;
  }

  compare(origin: string): void {
    const [then, now] = [this.#before.told(origin), this.#after.told(origin)];
    const hasFilters = this.#before.sessions.hasFilters || this.#after.sessions.hasFilters;
    if (then.text === now.text && !hasFilters) {
      if (this.#hasSameWays && this.#hasSameNextHop(origin)) return;
      // One question for all routes of a pool.
      for (const [i, { routes }] of now.groups.entries()) {
        this.#judge(origin, { former: then.groups[i]!.routes[0], told: routes[0], routes });
      }
      return;
    }
    const formerly = new Map(then.groups.flatMap(({ routes }) => routes.map((route) => [route.text, route])));
    const today = new Map(now.groups.flatMap(({ routes }) => routes.map((route) => [route.text, route])));
    for (const text of new Set([...formerly.keys(), ...today.keys()])) {
      const [former, told] = [formerly.get(text), today.get(text)];
      this.#judge(origin, { former, told, routes: [(told ?? former)!] });
    }
  }

  #hasSameNextHop(origin: string): boolean {
    const [{ sessions: then }, { sessions: now }] = [this.#before, this.#after];
    return (
      then === now ||
      FAMILIES.every(
        (family) =>
          this.#before.nextHop(this.#node, origin, family) === this.#after.nextHop(this.#node, origin, family),
      )
    );
  }

  /** `former` and `told` stand for all of `routes`. */
  #judge(
    origin: string,
    {
      former,
      told,
      routes,
    }: { readonly former: Told | undefined; readonly told: Told | undefined; readonly routes: readonly Told[] },
  ): void {
    const then = former && this.#before.routeAt(this.#node, origin, former);
    const now = told && this.#after.routeAt(this.#node, origin, told);
    if (then === undefined && now === undefined) return;
    if (then !== undefined && now !== undefined && isSameWay(then, now)) return;
    const change =
      then === undefined ? 'comes' : now !== undefined ? 'changes way' : told === undefined ? 'goes' : 'is lost';
    const pool = (told ?? former)?.pool?.name;
    const key = [change, pool, then?.device, now?.device].join(' ');
    const row: Row = this.#rows.get(key) ?? {
      ...{ change, pool, from: then?.device, to: now?.device },
      ...{ count: 0, remotes: new Set(), examples: [] },
    };
    this.#rows.set(key, row);
    row.count += routes.length;
    row.remotes.add(origin);
    for (const { text } of routes.slice(0, MAX_EXAMPLES - row.examples.length)) {
      row.examples.push({ prefix: text, ...this.#explain({ origin, then, now, told }) });
    }
  }

  #explain({
    origin,
    then,
    now,
    told,
  }: {
    readonly origin: string;
    readonly then: RouteAt | undefined;
    readonly now: RouteAt | undefined;
    readonly told: Told | undefined;
  }): Omit<RouteExample, 'prefix'> {
    const viaText = ({ address, nextHop }: RouteAt): string => `${address} (${nextHop})`;
    if (now !== undefined && told !== undefined) {
      const { family } = told.prefix.address;
      const hasMoved = then !== undefined && viaText(then) !== viaText(now);
      return {
        via: viaText(now),
        ...(hasMoved && { viaBefore: viaText(then) }),
        reason: this.#after.ways.way(told.pool, { from: this.#node, to: now.nextHop, family })!.reason,
      };
    }
    return { via: viaText(then!), reason: this.#whyGone(origin, told) };
  }

  #whyGone(origin: string, told: Told | undefined): string {
    if (!this.#after.world.nodes.has(origin)) return `Node(${origin}) is gone`;
    if (told === undefined) return `${origin} does not announce it any more`;
    const { family } = told.prefix.address;
    return this.#after.nextHop(this.#node, origin, family) !== undefined
      ? `a BGPFilter on the way from ${origin} rejects it`
      : `no BGP path leads from ${origin} to ${this.#node} any more`;
  }

  rows(): readonly RouteRow[] {
    return [...this.#rows.values()]
      .sort((a, b) => GRAVEST_FIRST.indexOf(a.change) - GRAVEST_FIRST.indexOf(b.change))
      .map(({ change, pool, from, to, count, remotes, examples }) => ({
        change,
        ...(pool !== undefined && { pool }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...{ count, remotes: remotes.size, examples },
      }));
  }
}

const isSameWay = (a: RouteAt, b: RouteAt): boolean => a.device === b.device && a.address === b.address;

/** Pairs of nodes of which one heard of the other in a family, and does not any more. */
export function lostPaths({ before, after }: Pick<Worlds, 'before' | 'after'>): readonly string[] {
  if (before.sessions === after.sessions) return [];
  const lost: string[] = [];
  const { names } = after.sessions;
  const used = FAMILIES.filter((family) => before.sessions.nodes.some((node) => addressIn(node, family) !== undefined));
  for (const [i, a] of names.entries()) {
    for (const b of names.slice(i + 1)) {
      const gone = used.filter((family) =>
        [
          [a, b],
          [b, a],
        ].some(
          ([to, from]) =>
            before.nextHop(to!, from!, family) !== undefined && after.nextHop(to!, from!, family) === undefined,
        ),
      );
      if (gone.length > 0) lost.push(`${a} and ${b}${gone.length === used.length ? '' : ` (IPv${gone[0]})`}`);
    }
  }
  return lost;
}
