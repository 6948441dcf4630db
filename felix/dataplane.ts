/** The loop: reads the host, works out what it should have, writes the difference; again on every reason to. */
import { formatPrefix, parseIpAddress } from '../src/model/ip.ts';
import type { IpAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { HostView } from './calc/host-view.ts';
import { RoutePlanner } from './routes/route-planner.ts';
import { planSysctls } from './calc/sysctls.ts';
import { TunnelPeerPlanner } from './calc/tunnel-peer-planner.ts';
import type { TunnelPlan } from './calc/tunnels.ts';
import { planTunnels, podMtu } from './calc/tunnels.ts';
import { FightReport } from './fight-report.ts';
import type { Surprise } from './host-watch.ts';
import { HostWatch } from './host-watch.ts';
import { hostInterfaces } from './host-interfaces.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { findParent, hasLost, hostLinks, readHost, viewHost } from './host-snapshot.ts';
import type {
  Dataplane,
  DataplaneHealth,
  DataplaneSettings,
  DataplaneTally,
  HostInterface,
  RepairStatus,
  WorkloadInterface,
  WorkloadNames,
  WorkloadSight,
} from './contract.ts';
import { samePools } from './inputs.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { Kernel, KernelLink } from './kernel.ts';
import { LinkTable } from './link-table.ts';
import type { NatStatus } from './nat/nat-table.ts';
import { NatTableKeeper } from './nat/nat-table.ts';
import type { Nftables } from './nat/nftables.ts';
import { NatPlanner } from './nat/nat-planner.ts';
import type { NatPlan } from './nat/plan.ts';
import { MovedAddresses } from './moved-addresses.ts';
import { NeighbourTable } from './neighbour-table.ts';
import { Newcomers } from './newcomers.ts';
import { BIRD_PROTOCOL, isOurs, isOursOrCalicos } from './ownership.ts';
import type { IsOurs } from './ownership.ts';
import { PassCounter } from './pass-counter.ts';
import { PassScheduler } from './pass-scheduler.ts';
import { reportPass } from './pass-report.ts';
import type { PassResult } from './reconcile.ts';
import { asError } from './reconcile.ts';
import { Repairs } from './repairs.ts';
import type { RouteId } from './routes/route-id.ts';
import { RouteTable } from './routes/route-table.ts';
import { SysctlTable } from './sysctl-table.ts';
import type { RouteStatus } from './desired.ts';
import type { WorkloadPorts } from './workload-interface.ts';
import { addWorkloadInterface, removeWorkloadInterface, RP_FILTER_DEFAULT } from './workload-interface.ts';
import { lookAtWorkloadInterface } from './workload-sight.ts';
import { requirePermission } from './permission.ts';

export interface DataplanePorts {
  /** Closed by the dataplane's close(). */
  readonly kernel: Kernel;
  /** Closed by the dataplane's close(). Absent: no NAT, and nat() says so. */
  readonly nftables?: Nftables;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The kernel inside a pod's network namespace, by path. */
  readonly openNamespace: WorkloadPorts['openNamespace'];
}

/** Host MTU where no interface carries our address yet, as in felix. */
const FALLBACK_MTU = 1460;
/** After the kernel refused to be read at all. */
const READ_RETRY_MS = 1000;

/** Long enough that a burst of changes to our NAT table is one pass. */
const NAT_TOUCHED_MS = 20;

const LOOPBACK = parseIpAddress('127.0.0.1');
/** What CNI's interfaces on the host begin with. */
const WORKLOAD_PREFIX = 'cali';

const EMPTY_HOST: HostSnapshot = { links: [], addresses: [], routes: [] };

export class NodeDataplane implements Dataplane {
  #settings: DataplaneSettings;
  readonly #ports: DataplanePorts;
  readonly #scheduler: PassScheduler;
  readonly #watch: HostWatch;
  readonly #planner = new RoutePlanner();
  readonly #peerPlanner = new TunnelPeerPlanner();
  readonly #routes: RouteTable;
  readonly #links: LinkTable;
  readonly #neighbours: NeighbourTable;
  readonly #nat: NatTableKeeper;
  readonly #natPlanner = new NatPlanner();
  readonly #sysctls: SysctlTable;
  readonly #moved: MovedAddresses;
  readonly #repairs = new Repairs();
  readonly #fights: FightReport;
  readonly #passes = new PassCounter();
  readonly #listeners = new Set<() => void>();
  readonly #newcomers: Newcomers;
  #host = EMPTY_HOST;
  #inputs: DataplaneInputs | undefined;
  #adopted = 0;
  #isStale = true;
  #resyncAt = 0;
  #resyncedAt = 0;
  #health: DataplaneHealth = { hasReconciled: false };
  #rpFilter = '1';

  constructor(settings: DataplaneSettings, ports: DataplanePorts) {
    const { kernel, nftables, clock, log } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#routes = new RouteTable(kernel, this.#repairs);
    this.#newcomers = new Newcomers(this.#routes, clock);
    this.#links = new LinkTable(kernel, this.#repairs);
    this.#neighbours = new NeighbourTable(kernel, this.#repairs);
    this.#sysctls = new SysctlTable(kernel, this.#repairs);
    this.#moved = new MovedAddresses(kernel, ports.log);
    this.#fights = new FightReport(kernel, ports.log, this.#repairs);
    this.#scheduler = new PassScheduler(clock, () => this.#pass());
    const onSurprise = (): void => this.#scheduler.request(NAT_TOUCHED_MS);
    this.#nat = new NatTableKeeper({ nftables, log, repairs: this.#repairs, onSurprise });
    this.#watch = new HostWatch({
      believed: () => ({
        ...{ host: this.#host, now: clock.now(), routes: this.#routes },
        ...{ neighbours: this.#neighbours, sysctls: this.#sysctls },
      }),
      onSurprise: (surprise) => this.#onSurprise(surprise),
      onLink: (ifindex) => this.#repairs.noteLink(ifindex),
    });
  }

  async start(): Promise<void> {
    const { kernel, log } = this.#ports;
    await requirePermission(kernel);
    await this.#watch.start(kernel);
    this.#watch.hold();
    await this.#resync();
    this.#watch.release();
    this.#rpFilter = await kernel.readSysctl(RP_FILTER_DEFAULT);
    this.#adopted = this.#routes.size;
    log.info({ adoptedRoutes: this.#adopted, links: this.#host.links.length }, 'kernel state read');
  }

  adoptedRoutes(): number {
    return this.#adopted;
  }

  configure(settings: DataplaneSettings): void {
    const adopts = settings.adoptCalicoRoutes === true;
    if (adopts !== (this.#settings.adoptCalicoRoutes === true)) this.#isStale = true;
    this.#settings = settings;
    if (this.#resyncAt > 0) this.#resyncAt = this.#nextResyncAt();
    if (this.#inputs !== undefined) this.#scheduler.ask();
  }

  update(inputs: DataplaneInputs): void {
    // What is ours may depend on the pools.
    if (this.#settings.adoptCalicoRoutes === true && !samePools(this.#inputs, inputs)) this.#isStale = true;
    this.#inputs = inputs;
    this.#scheduler.ask();
  }

  settled(): Promise<void> {
    return this.#scheduler.settled();
  }

  ready(): Promise<void> {
    return this.#scheduler.ready();
  }

  routes(): readonly RouteStatus[] {
    const statuses = this.#routes.statuses(hostLinks(this.#host));
    const fights = this.#fights.status().fights.filter(({ kind }) => kind === 'route');
    if (fights.length === 0) return statuses;
    const told = new Map(fights.map(({ name, repairs, by }) => [name, `${repairs} repairs, ${by}`]));
    return statuses.map((status) => {
      const fight = told.get(formatPrefix(status.route.prefix));
      return fight === undefined ? status : { ...status, fight };
    });
  }

  async tally(): Promise<DataplaneTally> {
    const { links } = this.#host;
    return {
      routes: await this.#routes.tally(hostLinks(this.#host)),
      tunnels: tunnelStatuses(links),
      workloadInterfaces: links.filter(({ name }) => name.startsWith(WORKLOAD_PREFIX)).length,
      passes: this.#passes.counts(),
    };
  }

  repairs(): RepairStatus {
    return this.#fights.status();
  }

  nat(): readonly NatStatus[] {
    return this.#nat.statuses();
  }

  health(): DataplaneHealth {
    return this.#health;
  }

  async heartbeat(): Promise<void> {
    await this.#ports.kernel.resolve(LOOPBACK);
  }

  interfaces(): Promise<readonly HostInterface[]> {
    return hostInterfaces(this.#ports.kernel);
  }

  async addWorkloadInterface(workload: WorkloadInterface): Promise<{ readonly mac: string; readonly mtu: number }> {
    const { kernel: host, openNamespace } = this.#ports;
    const mtu = workload.mtu > 0 ? workload.mtu : this.#podMtu();
    const routeOver = (hostSide: KernelLink): Promise<void> => this.#newcomers.route(workload, hostSide);
    try {
      return await addWorkloadInterface({ ...workload, mtu }, { host, openNamespace, routeOver });
    } catch (error) {
      this.#newcomers.leave(workload.hostInterface);
      throw error;
    }
  }

  lookAtWorkloadInterface(workload: WorkloadNames, addresses: readonly IpAddress[]): Promise<WorkloadSight> {
    const { kernel: host, openNamespace } = this.#ports;
    return lookAtWorkloadInterface(workload, addresses, { host, openNamespace });
  }

  removeWorkloadInterface(hostInterface: string): Promise<void> {
    this.#newcomers.leave(hostInterface);
    return removeWorkloadInterface(hostInterface, this.#ports.kernel);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.#scheduler.close();
    await this.#ports.nftables?.close();
    await this.#ports.kernel.close();
  }

  #podMtu(): number {
    const own = this.#inputs?.local.address ?? this.#inputs?.local.ipv6?.address;
    const parent = own && findParent(this.#host, own.address);
    return podMtu(this.#inputs, parent?.link.mtu ?? FALLBACK_MTU, this.#settings);
  }

  #onSurprise({ delayMs, about, culprit }: Surprise): void {
    if (about === 'host') this.#isStale = true;
    if (culprit !== undefined) this.#repairs.noteBlame(culprit.object, culprit.blame);
    if (this.#inputs !== undefined) this.#scheduler.request(delayMs);
  }

  /** Never rejects; resolves to the time until the next pass that is due by itself. */
  async #pass(): Promise<number | undefined> {
    const inputs = this.#inputs;
    if (inputs === undefined) return undefined;
    const startedAt = this.#ports.clock.now();
    this.#watch.hold();
    this.#health = { ...this.#health, passSince: startedAt };
    const outcome = await this.#converge(inputs, startedAt).catch(asError);
    const hasFailed = outcome instanceof Error || outcome.failed.size > 0;
    this.#passes.ended({ startedAt, endedAt: this.#ports.clock.now(), hasFailed });
    const { hasReconciled } = this.#health;
    this.#health = outcome instanceof Error ? { hasReconciled, error: outcome.message } : { hasReconciled: true };
    await this.#fights.endPass(this.#ports.clock.now());
    this.#routes.endPass(this.#ports.clock.now());
    this.#watch.release();
    if (outcome instanceof Error) {
      this.#isStale = true;
      this.#ports.log.error({ error: outcome.message }, 'the kernel could not be read; trying again');
    } else {
      // What the kernel made of a refused change is not known: look again before the next try.
      if (outcome.failed.size > 0) this.#isStale = true;
      if (outcome.changed === 0 && outcome.failed.size === 0) return this.#nextPassMs(startedAt);
    }
    for (const listener of this.#listeners) listener();
    return outcome instanceof Error ? READ_RETRY_MS : this.#nextPassMs(startedAt);
  }

  /** `after`: when the pass began that has just ended. */
  #nextPassMs(after: number): number {
    const tables = [this.#repairs, this.#routes, this.#links, this.#neighbours, this.#sysctls, this.#moved, this.#nat];
    const times = [this.#resyncAt, ...tables.map((table) => table.nextDueAt(after))];
    return Math.max(0, Math.min(...times.filter((time) => time !== undefined)) - this.#ports.clock.now());
  }

  async #converge(inputs: DataplaneInputs, now: number): Promise<PassResult<unknown>> {
    const isFull = now >= this.#resyncAt;
    if (this.#isStale || isFull) await this.#resync();
    const mayDelete = inputs.learnedComplete;
    const results: PassResult<unknown>[] = [];

    const plans = planTunnels(inputs, this.#view(inputs), this.#settings);
    results.push(
      await this.#reconcileLinks(
        plans.filter(({ state }) => state !== 'unwanted'),
        now,
        mayDelete,
      ),
    );

    const view = this.#view(inputs, plans);
    this.#sysctls.setDesired(planSysctls(inputs, view, this.#rpFilter));
    results.push(await this.#sysctls.reconcile(now, isFull));
    if (isFull) {
      this.#passes.full(now);
      this.#resyncedAt = now;
      this.#resyncAt = this.#nextResyncAt();
    }
    this.#neighbours.setDesired(this.#peerPlanner.plan(inputs), view.links);
    this.#routes.setDesired(await this.#planner.plan(inputs, view), view.links);
    this.#newcomers.planned(inputs);
    // A route may need a neighbour, so neighbours come before routes and go after them; links go last of all.
    results.push(await this.#neighbours.reconcile(now, false));
    results.push(await this.#reconcileRoutes(now, mayDelete));
    results.push(await this.#neighbours.reconcile(now, mayDelete));
    results.push(
      await this.#reconcileLinks(
        plans.filter(({ state }) => state === 'unwanted'),
        now,
        mayDelete,
      ),
    );
    results.push(await this.#nat.reconcile(await this.#planNat(inputs, plans), now, isFull));
    return reportPass(results, this.#routes.size, this.#ports.log);
  }

  async #planNat(inputs: DataplaneInputs, plans: readonly TunnelPlan[]): Promise<NatPlan> {
    const { nat: settings, vxlanPort } = this.#settings;
    const leaving = plans.flatMap((plan) => (plan.state === 'unwanted' ? [plan.name] : []));
    const there = leaving.filter((name) => this.#host.links.some((link) => link.name === name));
    const keptLinks = await this.#nat.linksWithRules(there);
    return this.#natPlanner.plan(inputs, plans, { settings, vxlanPort, keptLinks });
  }

  /** Up to a tenth later, as in felix, so that the nodes of a cluster do not resync in step. */
  #nextResyncAt(): number {
    const { resyncSeconds } = this.#settings;
    if (resyncSeconds === 0) return Infinity;
    return this.#resyncedAt + resyncSeconds * 1000 * (1 + this.#ports.random() / 10);
  }

  async #reconcileRoutes(now: number, mayDelete: boolean): Promise<PassResult<unknown>> {
    const inKernel = { actual: this.#routes.actual, isAwaited: (id: RouteId) => this.#routes.isAwaited(id) };
    this.#moved.observe(inKernel);
    const result = await this.#routes.reconcile(now, mayDelete);
    this.#moved.observe(inKernel);
    await this.#moved.flush(now);
    return result;
  }

  #view(inputs: DataplaneInputs, plans: readonly TunnelPlan[] = []): HostView {
    const view = viewHost(this.#host, inputs.local, this.#links.errors(plans));
    return this.#settings.adoptCalicoRoutes === true ? { ...view, abandonedProtocol: BIRD_PROTOCOL } : view;
  }

  /** The way that needs no memory: all that the kernel has is read again. */
  async #resync(): Promise<void> {
    // What is told while it is read may make it stale again.
    this.#isStale = false;
    this.#routes.beginListing();
    const { links, addresses, routes } = await readHost(this.#ports.kernel);
    // Ours are the route table's to know; kept here too they would be twice in memory.
    this.#host = { links, addresses, routes: routes.without(isOurs) };
    await this.#routes.setActual(routes, this.#ownership());
    await this.#neighbours.resync(hostLinks(this.#host));
  }

  /** After a change of ours to a link. With a link that is gone or down its routes are gone too, so all is read again. */
  async #rereadLinks(): Promise<HostSnapshot> {
    const { kernel } = this.#ports;
    const before = this.#host.links;
    const [links, addresses] = [await kernel.listLinks(), await kernel.listAddresses()];
    if (hasLost(before, links)) {
      await this.#resync();
    } else {
      this.#host = { ...this.#host, links, addresses };
      await this.#neighbours.resync(hostLinks(this.#host));
    }
    return this.#host;
  }

  #ownership(): IsOurs {
    if (this.#settings.adoptCalicoRoutes !== true) return isOurs;
    return isOursOrCalicos(this.#inputs?.pools.map(({ cidr }) => cidr) ?? [], this.#host.links);
  }

  async #reconcileLinks(plans: readonly TunnelPlan[], now: number, mayDelete: boolean): Promise<PassResult<unknown>> {
    const may = { mayDelete, isInUse: (ifindex: number) => this.#routes.isLinkInUse(ifindex) };
    const failed = new Map<unknown, Error>();
    let changed = 0;
    for (const plan of plans) {
      const read = (): Promise<HostSnapshot> => this.#rereadLinks();
      const outcome = await this.#links.reconcile(plan, now, { host: this.#host, read, may });
      changed += outcome.changed;
      if (outcome.error !== undefined) failed.set(outcome.name, outcome.error);
    }
    if (failed.size > 0) await this.#resync();
    return { changed, failed };
  }
}

const tunnelStatuses = (links: HostSnapshot['links']): DataplaneTally['tunnels'] =>
  Object.values(TUNNEL_LINKS).flatMap((tunnel) =>
    links.filter(({ name }) => name === tunnel).map(({ name, up, mtu }) => ({ name, up, mtu })),
  );
