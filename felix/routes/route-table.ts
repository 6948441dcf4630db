/** Our routes in the kernel's main table: what is planned, what is there, and the difference between the two. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { formatPrefix } from '../../src/model/ip.ts';
import type { HostLink } from '../calc/host-view.ts';
import type { Course, PlannedRoute } from '../calc/planned-route.ts';
import { RoutePlan } from '../calc/route-plan.ts';
import type { RouteCount } from '../contract.ts';
import { DeltaTracker } from '../delta-tracker.ts';
import type { ReadonlyEntries } from '../delta-tracker.ts';
import type { DesiredRoute, RouteStatus } from '../desired.ts';
import { DesiredBodies } from './desired-bodies.ts';
import type { Kernel, KernelEvent } from '../kernel.ts';
import type { RouteBody, RouteChange } from './kernel-route.ts';
import { asStored, sameBody } from './kernel-route.ts';
import { isOurs } from '../ownership.ts';
import type { IsOurs } from '../ownership.ts';
import type { Change, PassResult } from '../reconcile.ts';
import { RecentWrites } from './recent-writes.ts';
import { RouteCounts } from './route-counts.ts';
import { reconcile } from '../reconcile.ts';
import { RepairGuard } from '../repair-guard.ts';
import { Repairs } from '../repairs.ts';
import { RetrySchedule } from '../retry.ts';
import { prefixId, prefixOfId, routeId } from './route-id.ts';
import type { RouteId } from './route-id.ts';
import { routeOf } from './route-list.ts';
import type { RouteList } from './route-list.ts';
import { RouteMap } from './route-map.ts';
import { KernelWords, fromKernelRoute } from './route-words.ts';

type Links = ReadonlyMap<string, HostLink>;

/** So many routes are looked at in some milliseconds. */
const STEP_ROUTES = 8192;
/** Counting is nobody's hurry: about a millisecond. */
const TALLY_STEP_ROUTES = 2048;

const noop = (): void => undefined;

const NO_PLAN = new RoutePlan({ programmed: new RouteMap(), unresolved: [], hasMeanwhile: false });

export class RouteTable {
  readonly #kernel: Pick<Kernel, 'writeRoutes'>;
  readonly #tracker = new DeltaTracker<RouteId, RouteBody>(sameBody);
  readonly #retry = new RetrySchedule<RouteId>();
  readonly #guard: RepairGuard<RouteId, RouteBody>;
  #plan = NO_PLAN;
  #links: Links = new Map();
  #words = new KernelWords(this.#links);
  /** Keys of routes that are wanted but cannot be worked out now: whatever the kernel has for them stays. */
  #waiting: ReadonlyEntries<RouteId, true> = new RouteMap<true>();
  #mayDelete = false;
  #isOurs: IsOurs = isOurs;
  readonly #written = new RecentWrites();
  /** Told beside the plan, which does not know them yet; see `writeAhead`. */
  readonly #ahead = new Set<RouteId>();
  /** Of these, what was written since the kernel was last asked for a list. */
  readonly #unlisted = new Map<RouteId, RouteBody>();
  /** What the batch on its way to the kernel removes, and when it is there. */
  #removing: { readonly ids: ReadonlySet<RouteId>; readonly over: Promise<void> } | undefined;

  constructor(kernel: Pick<Kernel, 'writeRoutes'>, repairs = new Repairs()) {
    this.#kernel = kernel;
    this.#guard = new RepairGuard(this.#tracker, repairs, {
      objectOf: (id) => ({ kind: 'route', name: formatPrefix(prefixOfId(id)) }),
      linksOf: ({ hops }) => hops.map(({ ifindex }) => ifindex),
      isSame: sameBody,
    });
  }

  /** How many routes of ours the kernel has, as far as we know. */
  get size(): number {
    return this.#tracker.actual.size;
  }

  /** Routes of ours in the kernel, as far as we know. */
  get actual(): ReadonlyEntries<RouteId, RouteBody> {
    return this.#tracker.actual;
  }

  /** Wanted, whether or not it can be in the kernel now. */
  isAwaited(id: RouteId): boolean {
    return this.#tracker.desired.has(id) || this.#waiting.has(id) || this.#ahead.has(id);
  }

  /** The kernel is about to be asked for the list that `setActual` gets. */
  beginListing(): void {
    this.#unlisted.clear();
  }

  /**
   * All routes of the main table, as just listed; what is not ours is left aside. Of what is as it should be, only the wanted body
   * is kept: most are.
   */
  async setActual(routes: RouteList, owns: IsOurs = isOurs): Promise<void> {
    const seen = new RouteMap<RouteBody>();
    let looked = 0;
    for (const [id, body] of routes.entries()) {
      if (++looked % STEP_ROUTES === 0) await nextTurn();
      if (!isOurs(body) && (owns === isOurs || !owns(routeOf(id, body)))) continue;
      const wanted = this.#tracker.desired.get(id);
      seen.set(id, wanted !== undefined && sameBody(body, wanted) ? wanted : body);
    }
    this.#isOurs = owns;
    for (const [id, body] of this.#unlisted) seen.set(id, body);
    this.#tracker.setActual(seen);
  }

  /**
   * Routes over a link that was just made, in the kernel when this resolves: whoever waits for them waits for no pass. Nothing
   * takes them away or leads them elsewhere until `leaveToPlan`, for the plan will want them only when the datastore has told of their pod,
   * and until then may want the address for whoever had it before.
   * Rejects with the kernel's refusal.
   */
  async writeAhead(routes: ReadonlyMap<RouteId, RouteBody>, now: number): Promise<void> {
    for (const id of routes.keys()) this.#ahead.add(id);
    // The kernel removes a prefix's route whatever its link, and of two orders the one that was posted last counts.
    while ([...routes.keys()].some((id) => this.#removing?.ids.has(id) === true)) await this.#removing?.over;
    const missing = [...routes].filter(([id, body]) => this.#tracker.isSurprise(id, body));
    if (missing.length === 0) return;
    this.#written.note(
      missing.map(([id]) => id),
      now,
    );
    const results = await this.#kernel.writeRoutes(
      missing.map(([id, body]) => ({ op: 'replace', route: routeOf(id, body) })),
    );
    for (const [i, [id, body]] of missing.entries()) {
      const refusal = results[i];
      if (refusal !== undefined) throw refusal;
      this.#tracker.actual.set(id, body);
      this.#unlisted.set(id, body);
    }
  }

  /** From here on the plan alone counts, as for every other route. */
  leaveToPlan(ids: Iterable<RouteId>): void {
    for (const id of ids) {
      this.#ahead.delete(id);
      this.#unlisted.delete(id);
    }
  }

  /** The same plan over the same links costs nothing: a resync has nothing else to do than to compare. */
  setDesired(plan: RoutePlan, links: Links): void {
    const areLinksSame = isDeepStrictEqual(links, this.#links);
    // What stays meanwhile depends on what the kernel has.
    if (plan === this.#plan && areLinksSame && !plan.hasMeanwhile) return;
    // A target that is the same as in the last plan has the very body that it had, so that to compare costs nothing.
    const words = areLinksSame ? this.#words : new KernelWords(links);
    const desired = new DesiredBodies(plan, words, plan.hasMeanwhile ? this.#olderWays(plan, words) : new Map());
    const waiting = new RouteMap<true>();
    for (const [id, { isRefused }] of plan.unresolved) if (isRefused !== true) waiting.set(id, true);
    this.#plan = plan;
    this.#links = links;
    this.#words = words;
    this.#waiting = waiting;
    this.#retry.keepOnly((id) => this.#tracker.isSameWish(id, desired));
    this.#tracker.setDesired(desired);
  }

  /** What the kernel has, where it is a way that may stay while the other end is not ready for the new one. */
  #olderWays({ programmed }: RoutePlan, words: KernelWords): ReadonlyMap<RouteId, RouteBody> {
    const older = new Map<RouteId, RouteBody>();
    for (const [id, { meanwhile }] of programmed) {
      const have = meanwhile && this.#tracker.actual.get(id);
      if (have === undefined) continue;
      if (meanwhile?.targets.some((target) => sameBody(have, words.bodyOf(id, target))) === true) older.set(id, have);
    }
    return older;
  }

  /** `mayDelete`: datastore and bird are in sync, so what nobody wants is really unwanted. */
  async reconcile(now: number, mayDelete: boolean): Promise<PassResult<RouteId>> {
    this.#mayDelete = mayDelete;
    const result = await reconcile(this.#tracker, (changes) => this.#write(changes, now), {
      retry: this.#retry,
      now,
      mayDelete: (id) => mayDelete && !this.#waiting.has(id) && !this.#ahead.has(id),
      mayUpdate: (id) => !this.#ahead.has(id) && this.#guard.mayUpdate(id, now),
    });
    this.#guard.finish(now, result);
    return result;
  }

  /** The pass is over, and what it wrote is written. */
  endPass(now: number): void {
    this.#written.endPass(now);
  }

  /** See RetrySchedule. */
  nextDueAt(after: number): number | undefined {
    return this.#retry.nextDueAt(after);
  }

  /**
   * What the event tells that we did not do ourselves. `noted`: we believe it now, and need not read anything; `unclear`: only
   * reading tells, because it may be older than what we wrote, which no event tells (the monitor leaves out our own).
   */
  surprise(event: KernelEvent & { readonly kind: 'route' }, now: number): 'noted' | 'unclear' | undefined {
    const { change, route } = event;
    const id = routeId(route);
    const { prefix, ...body } = asStored(route);
    const isOne = this.#isOurs(route);
    const isThere = change === 'set' && isOne;
    if (change === 'removed' && !isOne) return undefined;
    if (!this.#tracker.isSurprise(id, isThere ? body : undefined)) return undefined;
    // Somebody else's route in its place is the host's to know. Of several IPv6 hops the kernel tells one by one.
    if (!isOne || prefix.address.family === 6 || this.#written.has(id, now)) return 'unclear';
    if (isThere) this.#tracker.actual.set(id, body);
    else this.#tracker.actual.delete(id);
    return 'noted';
  }

  isLinkInUse(ifindex: number): boolean {
    for (const [, { hops }] of this.#tracker.actual) if (hops.some((hop) => hop.ifindex === ifindex)) return true;
    return false;
  }

  statuses(links: Links): readonly RouteStatus[] {
    const words = new KernelWords(links);
    const statuses: RouteStatus[] = [];
    for (const planned of this.#plan) statuses.push(this.#statusOf(planned, words));
    for (const [id, body] of this.#tracker.pendingDeletions()) {
      if (!this.#waiting.has(id) && !this.#ahead.has(id)) statuses.push(this.#statusOfUnwanted(id, body, links));
    }
    return statuses;
  }

  /** What statuses() would tell, counted in turns that are short. */
  async tally(links: Links): Promise<readonly RouteCount[]> {
    const counts = new RouteCounts();
    const words = new KernelWords(links);
    const plan = this.#plan;
    let looked = 0;
    for (const [id, course] of plan.programmed) {
      if (++looked % TALLY_STEP_ROUTES === 0) await nextTurn();
      const isWanted = plan === this.#plan || this.#plan.programmed.has(id);
      if (isWanted) counts.add(course.route.class, this.#stateOf(id, course, words));
    }
    for (const [, { route }] of plan.unresolved) counts.add(route.class, 'unresolved');
    for (const id of this.#tracker.actual.keys()) {
      if (++looked % TALLY_STEP_ROUTES === 0) await nextTurn();
      if (this.#tracker.desired.has(id) || this.#waiting.has(id) || this.#ahead.has(id)) continue;
      const body = this.#tracker.actual.get(id);
      if (body === undefined) continue;
      const { route, state } = this.#statusOfUnwanted(id, body, links);
      counts.add(route.class, state);
    }
    return counts.list();
  }

  #write(changes: readonly Change<RouteId, RouteBody>[], now: number): ReturnType<Kernel['writeRoutes']> {
    this.#written.note(
      changes.map(({ key }) => key),
      now,
    );
    const written = this.#kernel.writeRoutes(new RouteChanges(changes));
    const ids = new Set(changes.flatMap(({ op, key }) => (op === 'remove' ? [key] : [])));
    const removing = { ids, over: written.then(noop, noop) };
    this.#removing = removing;
    void removing.over.then(() => {
      if (this.#removing === removing) this.#removing = undefined;
    });
    return written;
  }

  /** As #statusOf, without making an object of each. */
  #stateOf(id: RouteId, { route, meanwhile }: Course, words: KernelWords): RouteStatus['state'] {
    if (meanwhile !== undefined) {
      const desired = this.#tracker.desired.get(id);
      if (desired !== undefined && !sameBody(desired, words.bodyOf(id, route.target))) return 'unresolved';
    }
    if (this.#tracker.isCorrect(id)) return 'programmed';
    return this.#retry.error(id) === undefined ? 'pending' : 'failed';
  }

  #statusOf({ route, unresolved, meanwhile }: PlannedRoute, words: KernelWords): RouteStatus {
    if (unresolved !== undefined) return { route, state: 'unresolved', error: unresolved };
    const id = prefixId(route.prefix);
    const desired = this.#tracker.desired.get(id);
    if (meanwhile !== undefined && desired !== undefined && !sameBody(desired, words.bodyOf(id, route.target))) {
      return { route, state: 'unresolved', error: `${meanwhile.reason}; the way that was there before stays` };
    }
    if (this.#tracker.isCorrect(id)) return { route, state: 'programmed' };
    return this.#notYet(id, route);
  }

  #statusOfUnwanted(id: RouteId, body: RouteBody, links: Links): RouteStatus {
    const route = routeOf(id, body);
    if (this.#mayDelete) return this.#notYet(id, fromKernelRoute(route, 'nobody wants it any more', links));
    const reason = 'an earlier process left it; kept until datastore and bird are in sync';
    return { route: fromKernelRoute(route, reason, links), state: 'retained' };
  }

  #notYet(id: RouteId, route: DesiredRoute): RouteStatus {
    const error = this.#retry.error(id);
    return error === undefined ? { route, state: 'pending' } : { route, state: 'failed', error: error.message };
  }
}

/** Made one by one while they are encoded: 100,000 at once would be most of what felix needs. */
class RouteChanges implements Iterable<RouteChange> {
  readonly #changes: readonly Change<RouteId, RouteBody>[];

  constructor(changes: readonly Change<RouteId, RouteBody>[]) {
    this.#changes = changes;
  }

  *[Symbol.iterator](): Generator<RouteChange> {
    for (const { op, key, value } of this.#changes) yield { op, route: routeOf(key, value) };
  }
}
