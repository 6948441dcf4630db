/** Our routes in the kernel's main table: from our words to the kernel's, and the difference between the two. */
import { isDeepStrictEqual } from 'node:util';
import { unreachable } from '../src/model/invalid.ts';
import { formatPrefix } from '../src/model/ip.ts';
import type { HostLink } from './calc/host-view.ts';
import type { PlannedRoute } from './calc/planned-route.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import { DeltaTracker } from './delta-tracker.ts';
import type { DesiredRoute, Hop, RouteClass, RouteStatus, RouteTarget } from './desired.ts';
import type { Kernel, KernelEvent, KernelHop, KernelRoute } from './kernel.ts';
import { asStored, MAIN_TABLE, routeKey, sameRoute, SCOPE } from './kernel.ts';
import { isOurs, OUR_PROTOCOL } from './ownership.ts';
import type { IsOurs } from './ownership.ts';
import type { Change, PassResult } from './reconcile.ts';
import { reconcile } from './reconcile.ts';
import { RepairGuard } from './repair-guard.ts';
import { Repairs } from './repairs.ts';
import { RetrySchedule } from './retry.ts';
import { SharedHops } from './shared-hops.ts';

type Links = ReadonlyMap<string, HostLink>;

/** Longer than any event is on its way. */
const EVENT_DELAY_MS = 2000;

export class RouteTable {
  readonly #kernel: Pick<Kernel, 'writeRoutes'>;
  readonly #tracker = new DeltaTracker<string, KernelRoute>(sameRoute);
  readonly #retry = new RetrySchedule<string>();
  readonly #guard: RepairGuard<KernelRoute>;
  #planned: readonly PlannedRoute[] = [];
  #hasMeanwhile = false;
  #links: Links = new Map();
  /** Keys of routes that are wanted but cannot be worked out now: whatever the kernel has for them stays. */
  #waiting: ReadonlySet<string> = new Set();
  #mayDelete = false;
  #isOurs: IsOurs = isOurs;
  /** Of late; Infinity: in this pass. */
  #written: { readonly at: number; readonly keys: ReadonlySet<string> } = { at: -Infinity, keys: new Set() };

  constructor(kernel: Pick<Kernel, 'writeRoutes'>, repairs = new Repairs()) {
    this.#kernel = kernel;
    this.#guard = new RepairGuard(this.#tracker, repairs, {
      objectOf: (_, { prefix }) => ({ kind: 'route', name: formatPrefix(prefix) }),
      linksOf: ({ hops }) => hops.map(({ ifindex }) => ifindex),
      isSame: sameRoute,
    });
  }

  /** How many routes of ours the kernel has, as far as we know. */
  get size(): number {
    return this.#tracker.actual.size;
  }

  /** Routes of ours in the kernel, as far as we know, by routeKey. */
  get actual(): ReadonlyMap<string, KernelRoute> {
    return this.#tracker.actual;
  }

  /** Wanted, whether or not it can be in the kernel now. */
  isAwaited(key: string): boolean {
    return this.#tracker.desired.has(key) || this.#waiting.has(key);
  }

  /** All routes of the main table, as just listed; what is not ours is left aside. */
  setActual(routes: readonly KernelRoute[], owns: IsOurs = isOurs): void {
    this.#isOurs = owns;
    const seen = new Map<string, KernelRoute>();
    for (const route of routes) if (owns(route)) seen.set(routeKey(route), route);
    this.#tracker.setActual(seen);
  }

  /** The same plan over the same links costs nothing: a resync has nothing else to do than to compare. */
  setDesired(planned: readonly PlannedRoute[], links: Links): void {
    const isSame = planned === this.#planned && isDeepStrictEqual(links, this.#links);
    // What stays meanwhile depends on what the kernel has.
    if (isSame && !this.#hasMeanwhile) return;
    const toKernel = kernelWords(links);
    const desired = new Map<string, KernelRoute>();
    const waiting = new Set<string>();
    for (const entry of planned) {
      const { route, unresolved, isRefused } = entry;
      const kernelRoute = toKernel(route);
      const key = routeKey(kernelRoute);
      if (unresolved === undefined) desired.set(key, this.#olderWay(entry, key, links) ?? kernelRoute);
      else if (isRefused !== true) waiting.add(key);
    }
    this.#planned = planned;
    this.#hasMeanwhile = planned.some(({ meanwhile }) => meanwhile !== undefined);
    this.#links = links;
    this.#waiting = waiting;
    this.#retry.keepOnly((key) => this.#tracker.isSameWish(key, desired));
    this.#tracker.setDesired(desired);
  }

  /** What the kernel has, where it is a way that may stay while the other end is not ready for the new one. */
  #olderWay({ route, meanwhile }: PlannedRoute, key: string, links: Links): KernelRoute | undefined {
    const have = meanwhile && this.#tracker.actual.get(key);
    if (have === undefined) return undefined;
    const isAllowed = meanwhile?.targets.some((target) => sameRoute(have, toKernelRoute({ ...route, target }, links)));
    return isAllowed === true ? have : undefined;
  }

  /** `mayDelete`: datastore and bird are in sync, so what nobody wants is really unwanted. */
  async reconcile(now: number, mayDelete: boolean): Promise<PassResult<string>> {
    this.#mayDelete = mayDelete;
    const result = await reconcile(this.#tracker, (changes) => this.#write(changes, now), {
      retry: this.#retry,
      now,
      mayDelete: (key) => mayDelete && !this.#waiting.has(key),
      mayUpdate: (key) => this.#guard.mayUpdate(key, now),
    });
    this.#guard.finish(now);
    return result;
  }

  /** The pass is over, and what it wrote is written. */
  endPass(now: number): void {
    if (this.#written.at === Infinity) this.#written = { ...this.#written, at: now };
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
    const key = routeKey(route);
    const isOne = this.#isOurs(route);
    const isThere = change === 'set' && isOne;
    if (change === 'removed' && !isOne) return undefined;
    if (!this.#tracker.isSurprise(key, isThere ? asStored(route) : undefined)) return undefined;
    // Somebody else's route in its place is the host's to know. Of several IPv6 hops the kernel tells one by one.
    if (!isOne || route.prefix.address.family === 6 || this.#isJustWritten(key, now)) return 'unclear';
    if (isThere) this.#tracker.actual.set(key, asStored(route));
    else this.#tracker.actual.delete(key);
    return 'noted';
  }

  isLinkInUse(ifindex: number): boolean {
    for (const { hops } of this.#tracker.actual.values()) if (hops.some((hop) => hop.ifindex === ifindex)) return true;
    return false;
  }

  statuses(links: Links): readonly RouteStatus[] {
    const planned = this.#planned.map((entry) => this.#statusOf(entry, links));
    const unwanted = this.#tracker
      .pendingDeletions()
      .filter(([key]) => !this.#waiting.has(key))
      .map(([key, kernelRoute]) => this.#statusOfUnwanted(key, kernelRoute, links));
    return [...planned, ...unwanted];
  }

  #write(changes: readonly Change<string, KernelRoute>[], now: number): ReturnType<Kernel['writeRoutes']> {
    const before = now - this.#written.at > EVENT_DELAY_MS ? [] : this.#written.keys;
    this.#written = { at: Infinity, keys: new Set([...before, ...changes.map(({ key }) => key)]) };
    return this.#kernel.writeRoutes(changes.map(toRouteChange));
  }

  #isJustWritten(key: string, now: number): boolean {
    return now - this.#written.at <= EVENT_DELAY_MS && this.#written.keys.has(key);
  }

  #statusOf({ route, unresolved, meanwhile }: PlannedRoute, links: Links): RouteStatus {
    if (unresolved !== undefined) return { route, state: 'unresolved', error: unresolved };
    const wanted = toKernelRoute(route, links);
    const key = routeKey(wanted);
    const desired = this.#tracker.desired.get(key);
    if (meanwhile !== undefined && desired !== undefined && !sameRoute(desired, wanted)) {
      return { route, state: 'unresolved', error: `${meanwhile.reason}; the way that was there before stays` };
    }
    if (this.#tracker.isCorrect(key)) return { route, state: 'programmed' };
    return this.#notYet(key, route);
  }

  #statusOfUnwanted(key: string, kernelRoute: KernelRoute, links: Links): RouteStatus {
    if (this.#mayDelete) return this.#notYet(key, fromKernelRoute(kernelRoute, 'nobody wants it any more', links));
    const reason = 'an earlier process left it; kept until datastore and bird are in sync';
    return { route: fromKernelRoute(kernelRoute, reason, links), state: 'retained' };
  }

  #notYet(key: string, route: DesiredRoute): RouteStatus {
    const error = this.#retry.error(key);
    return error === undefined ? { route, state: 'pending' } : { route, state: 'failed', error: error.message };
  }
}

const toRouteChange = ({ op, value }: Change<string, KernelRoute>) => ({ op, route: value });

export const toKernelRoute = (route: DesiredRoute, links: Links): KernelRoute => kernelWords(links)(route);

/** The one place where our words become the kernel's. A hop over a link that is gone is left out. */
function kernelWords(links: Links): (route: DesiredRoute) => KernelRoute {
  const shared = new SharedHops();
  const base = { table: MAIN_TABLE, protocol: OUR_PROTOCOL, metric: 0 };
  return ({ prefix, target }) => {
    switch (target.kind) {
      case 'blackhole':
        return asStored({ prefix, ...base, type: 'blackhole', scope: SCOPE.universe, hops: [] });
      case 'link': {
        const ifindex = links.get(target.interfaceName)?.index;
        const hops = ifindex === undefined ? [] : [{ ifindex, onlink: false }];
        return asStored({ prefix, ...base, type: 'unicast', scope: SCOPE.link, hops });
      }
      case 'via': {
        const hops = toKernelHops(target.hops, links, shared);
        return asStored({ prefix, ...base, type: 'unicast', scope: SCOPE.universe, hops });
      }
      default:
        return unreachable(target);
    }
  };
}

function toKernelHops(hops: readonly Hop[], links: Links, shared: SharedHops): readonly KernelHop[] {
  const [only, ...others] = hops;
  const ifindex = only && others.length === 0 ? links.get(only.interfaceName)?.index : undefined;
  if (only?.gateway.family === 4 && ifindex !== undefined) {
    return shared.ipv4(only.gateway.words[0]!, ifindex, only.onlink);
  }
  return hops.flatMap(({ gateway, interfaceName, onlink }) => {
    const index = links.get(interfaceName)?.index;
    return index === undefined ? [] : [{ gateway, ifindex: index, onlink }];
  });
}

/** A route of ours that no calculation asked for, in words that `calicoctl-ts routes` can show. */
function fromKernelRoute({ prefix, type, hops }: KernelRoute, reason: string, links: Links): DesiredRoute {
  const nameOf = (ifindex: number): string =>
    [...links.values()].find(({ index }) => index === ifindex)?.name ?? `interface ${ifindex}`;
  const described = hops.map(({ gateway, ifindex, onlink }) => ({ gateway, interfaceName: nameOf(ifindex), onlink }));
  const via = described.flatMap(({ gateway, ...hop }) => (gateway === undefined ? [] : [{ ...hop, gateway }]));
  const [first] = described;
  if (type !== 'unicast' || first === undefined) {
    return { prefix, class: 'local-block', target: { kind: 'blackhole' }, reason };
  }
  const target: RouteTarget =
    via.length === 0 ? { kind: 'link', interfaceName: first.interfaceName } : { kind: 'via', hops: via };
  return { prefix, class: classOfLink(first.interfaceName, target), target, reason };
}

function classOfLink(interfaceName: string, target: RouteTarget): RouteClass {
  if (target.kind === 'link') return 'local-workload';
  if (interfaceName === TUNNEL_LINKS.ipip) return 'ipip';
  const isVxlan = interfaceName === TUNNEL_LINKS.vxlan || interfaceName === TUNNEL_LINKS['vxlan-v6'];
  return isVxlan ? 'vxlan' : 'external';
}
