/** felix to whoever has it: takes inputs, decides when a pass is due, and tells what is there and what came of it. */
import { formatPrefix, parseIpAddress } from '../src/model/ip.ts';
import type { IpAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import { podMtu } from './calc/tunnels.ts';
import { Convergence } from './convergence.ts';
import type { Tables } from './convergence.ts';
import { FightReport } from './fight-report.ts';
import type { Surprise } from './host-watch.ts';
import { HostWatch } from './host-watch.ts';
import { HostBelief } from './host-belief.ts';
import { hostInterfaces } from './host-interfaces.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { findParent, hostLinks } from './host-snapshot.ts';
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
import { MovedAddresses } from './moved-addresses.ts';
import { NeighbourTable } from './neighbour-table.ts';
import { Newcomers } from './newcomers.ts';
import { PassCounter } from './pass-counter.ts';
import { PassScheduler } from './pass-scheduler.ts';
import { asError } from './reconcile.ts';
import { Repairs } from './repairs.ts';
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

export class NodeDataplane implements Dataplane {
  #settings: DataplaneSettings;
  readonly #ports: DataplanePorts;
  readonly #scheduler: PassScheduler;
  readonly #watch: HostWatch;
  readonly #tables: Tables;
  readonly #convergence: Convergence;
  readonly #repairs = new Repairs();
  readonly #fights: FightReport;
  readonly #passes = new PassCounter();
  readonly #listeners = new Set<() => void>();
  readonly #newcomers: Newcomers;
  readonly #host: HostBelief;
  #inputs: DataplaneInputs | undefined;
  #adopted = 0;
  #health: DataplaneHealth = { hasReconciled: false };

  constructor(settings: DataplaneSettings, ports: DataplanePorts) {
    const { kernel, nftables, clock, log } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#scheduler = new PassScheduler(clock, () => this.#pass());
    const onSurprise = (): void => this.#scheduler.request(NAT_TOUCHED_MS);
    this.#tables = {
      routes: new RouteTable(kernel, this.#repairs),
      links: new LinkTable(kernel, this.#repairs),
      neighbours: new NeighbourTable(kernel, this.#repairs),
      sysctls: new SysctlTable(kernel, this.#repairs),
      moved: new MovedAddresses(kernel, log),
      nat: new NatTableKeeper({ nftables, log, repairs: this.#repairs, onSurprise }),
    };
    const { routes, neighbours, sysctls } = this.#tables;
    this.#host = new HostBelief({
      ...{ kernel, clock, random: ports.random, routes, neighbours },
      settings: () => this.#settings,
      inputs: () => this.#inputs,
    });
    this.#newcomers = new Newcomers(routes, clock);
    this.#convergence = new Convergence({
      ...{ host: this.#host, tables: this.#tables, newcomers: this.#newcomers, passes: this.#passes, log },
      settings: () => this.#settings,
    });
    this.#fights = new FightReport(kernel, log, this.#repairs);
    this.#watch = new HostWatch({
      believed: () => ({ host: this.#host.snapshot, now: clock.now(), routes, neighbours, sysctls }),
      onSurprise: (surprise) => this.#onSurprise(surprise),
      onLink: (ifindex) => this.#repairs.noteLink(ifindex),
    });
  }

  async start(): Promise<void> {
    const { kernel, log } = this.#ports;
    await requirePermission(kernel);
    await this.#watch.start(kernel);
    this.#watch.hold();
    await this.#host.read();
    this.#watch.release();
    this.#convergence.setRpFilter(await kernel.readSysctl(RP_FILTER_DEFAULT));
    this.#adopted = this.#tables.routes.size;
    log.info({ adoptedRoutes: this.#adopted, links: this.#host.snapshot.links.length }, 'kernel state read');
  }

  adoptedRoutes(): number {
    return this.#adopted;
  }

  configure(settings: DataplaneSettings): void {
    const adopts = settings.adoptCalicoRoutes === true;
    if (adopts !== (this.#settings.adoptCalicoRoutes === true)) this.#host.doubt();
    this.#settings = settings;
    this.#host.reschedule();
    if (this.#inputs !== undefined) this.#scheduler.ask();
  }

  update(inputs: DataplaneInputs): void {
    // What is ours may depend on the pools.
    if (this.#settings.adoptCalicoRoutes === true && !samePools(this.#inputs, inputs)) this.#host.doubt();
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
    const statuses = this.#tables.routes.statuses(hostLinks(this.#host.snapshot));
    const fights = this.#fights.status().fights.filter(({ kind }) => kind === 'route');
    if (fights.length === 0) return statuses;
    const told = new Map(fights.map(({ name, repairs, by }) => [name, `${repairs} repairs, ${by}`]));
    return statuses.map((status) => {
      const fight = told.get(formatPrefix(status.route.prefix));
      return fight === undefined ? status : { ...status, fight };
    });
  }

  async tally(): Promise<DataplaneTally> {
    const { links } = this.#host.snapshot;
    return {
      routes: await this.#tables.routes.tally(hostLinks(this.#host.snapshot)),
      tunnels: tunnelStatuses(links),
      workloadInterfaces: links.filter(({ name }) => name.startsWith(WORKLOAD_PREFIX)).length,
      passes: this.#passes.counts(),
    };
  }

  repairs(): RepairStatus {
    return this.#fights.status();
  }

  nat(): readonly NatStatus[] {
    return this.#tables.nat.statuses();
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
    const parent = own && findParent(this.#host.snapshot, own.address);
    return podMtu(this.#inputs, parent?.link.mtu ?? FALLBACK_MTU, this.#settings);
  }

  #onSurprise({ delayMs, about, culprit }: Surprise): void {
    if (about === 'host') this.#host.doubt();
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
    const outcome = await this.#convergence.run(inputs, startedAt).catch(asError);
    const hasFailed = outcome instanceof Error || outcome.failed.size > 0;
    this.#passes.ended({ startedAt, endedAt: this.#ports.clock.now(), hasFailed });
    const { hasReconciled } = this.#health;
    this.#health = outcome instanceof Error ? { hasReconciled, error: outcome.message } : { hasReconciled: true };
    await this.#fights.endPass(this.#ports.clock.now());
    this.#tables.routes.endPass(this.#ports.clock.now());
    this.#watch.release();
    if (outcome instanceof Error) {
      this.#host.doubt();
      this.#ports.log.error({ error: outcome.message }, 'the kernel could not be read; trying again');
    } else {
      // What the kernel made of a refused change is not known: look again before the next try.
      if (outcome.failed.size > 0) this.#host.doubt();
      if (outcome.changed === 0 && outcome.failed.size === 0) return this.#nextPassMs(startedAt);
    }
    for (const listener of this.#listeners) listener();
    return outcome instanceof Error ? READ_RETRY_MS : this.#nextPassMs(startedAt);
  }

  /** `after`: when the pass began that has just ended. */
  #nextPassMs(after: number): number {
    const { routes, links, neighbours, sysctls, moved, nat } = this.#tables;
    const tables = [this.#repairs, routes, links, neighbours, sysctls, moved, nat];
    const times = [this.#host.resyncAt, ...tables.map((table) => table.nextDueAt(after))];
    return Math.max(0, Math.min(...times.filter((time) => time !== undefined)) - this.#ports.clock.now());
  }
}

const tunnelStatuses = (links: HostSnapshot['links']): DataplaneTally['tunnels'] =>
  Object.values(TUNNEL_LINKS).flatMap((tunnel) =>
    links.filter(({ name }) => name === tunnel).map(({ name, up, mtu }) => ({ name, up, mtu })),
  );
