/** The loop: reads the host, works out what it should have, writes the difference; again on every reason to. */
import { parseIpAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import type { HostView } from './calc/host-view.ts';
import { planRoutes } from './calc/routes.ts';
import { planSysctls } from './calc/sysctls.ts';
import type { TunnelPlan } from './calc/tunnels.ts';
import { planTunnelPeers, planTunnels, podMtu, TUNNEL_LINKS } from './calc/tunnels.ts';
import { HostWatch } from './host-watch.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { findParent, hostLinks, readHost, viewHost } from './host-snapshot.ts';
import type { Dataplane, DataplaneHealth, DataplaneSettings, HostInterface, WorkloadInterface } from './contract.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { Kernel } from './kernel.ts';
import { LinkTable } from './link-table.ts';
import { NeighbourTable } from './neighbour-table.ts';
import { PassScheduler } from './pass-scheduler.ts';
import type { PassResult } from './reconcile.ts';
import { asError } from './reconcile.ts';
import { RouteTable } from './route-table.ts';
import type { RouteStatus } from './desired.ts';
import type { WorkloadPorts } from './workload-interface.ts';
import { addWorkloadInterface, removeWorkloadInterface } from './workload-interface.ts';
import { requirePermission } from './permission.ts';

export interface DataplanePorts {
  /** Closed by the dataplane's close(). */
  readonly kernel: Kernel;
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

/** A kernel that refuses one route may refuse ten thousand; routes() tells of each. */
const MAX_LOGGED = 5;

const LOOPBACK = parseIpAddress('127.0.0.1');

const EMPTY_HOST: HostSnapshot = { links: [], addresses: [], routes: [] };

export class NodeDataplane implements Dataplane {
  readonly #settings: DataplaneSettings;
  readonly #ports: DataplanePorts;
  readonly #scheduler: PassScheduler;
  readonly #watch: HostWatch;
  readonly #routes: RouteTable;
  readonly #links: LinkTable;
  readonly #neighbours: NeighbourTable;
  readonly #listeners = new Set<() => void>();
  #host = EMPTY_HOST;
  #inputs: DataplaneInputs | undefined;
  #adopted = 0;
  #isStale = true;
  #resyncAt = 0;
  #health: DataplaneHealth = { hasReconciled: false };

  constructor(settings: DataplaneSettings, ports: DataplanePorts) {
    const { kernel, clock } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#routes = new RouteTable(kernel);
    this.#links = new LinkTable(kernel);
    this.#neighbours = new NeighbourTable(kernel);
    this.#scheduler = new PassScheduler(clock, () => this.#pass());
    this.#watch = new HostWatch({
      believed: () => ({ host: this.#host, routes: this.#routes }),
      onSurprise: (delayMs) => this.#onSurprise(delayMs),
    });
  }

  async start(): Promise<void> {
    const { kernel, log } = this.#ports;
    await requirePermission(kernel);
    await this.#watch.start(kernel);
    await this.#resync();
    this.#adopted = this.#routes.size;
    log.info({ adoptedRoutes: this.#adopted, links: this.#host.links.length }, 'kernel state read');
  }

  adoptedRoutes(): number {
    return this.#adopted;
  }

  update(inputs: DataplaneInputs): void {
    this.#inputs = inputs;
    this.#scheduler.ask();
  }

  settled(): Promise<void> {
    return this.#scheduler.settled();
  }

  routes(): readonly RouteStatus[] {
    return this.#routes.statuses(hostLinks(this.#host));
  }

  health(): DataplaneHealth {
    return this.#health;
  }

  async heartbeat(): Promise<void> {
    await this.#ports.kernel.resolve(LOOPBACK);
  }

  async interfaces(): Promise<readonly HostInterface[]> {
    const { kernel } = this.#ports;
    const [links, addresses] = [await kernel.listLinks(), await kernel.listAddresses()];
    return links.map(({ name, index, up, mtu, mac }) => ({
      ...{ name, index, up, mtu, mac },
      addresses: addresses.filter(({ ifindex }) => ifindex === index).map(({ address }) => address),
    }));
  }

  addWorkloadInterface(workload: WorkloadInterface): Promise<{ readonly mac: string }> {
    const { kernel: host, openNamespace } = this.#ports;
    const mtu = workload.mtu > 0 ? workload.mtu : this.#podMtu();
    return addWorkloadInterface({ ...workload, mtu }, { host, openNamespace });
  }

  removeWorkloadInterface(hostInterface: string): Promise<void> {
    return removeWorkloadInterface(hostInterface, this.#ports.kernel);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.#scheduler.close();
    await this.#ports.kernel.close();
  }

  #podMtu(): number {
    const parent = this.#inputs && findParent(this.#host, this.#inputs.local.address.address);
    return podMtu(this.#inputs, parent?.link.mtu ?? FALLBACK_MTU, this.#settings);
  }

  #onSurprise(delayMs: number): void {
    this.#isStale = true;
    if (this.#inputs !== undefined) this.#scheduler.request(delayMs);
  }

  /** Never rejects; resolves to the time until the next pass that is due by itself. */
  async #pass(): Promise<number | undefined> {
    const inputs = this.#inputs;
    if (inputs === undefined) return undefined;
    this.#watch.hold();
    this.#health = { ...this.#health, passSince: this.#ports.clock.now() };
    const outcome = await this.#converge(inputs).catch(asError);
    const { hasReconciled } = this.#health;
    this.#health = outcome instanceof Error ? { hasReconciled, error: outcome.message } : { hasReconciled: true };
    this.#watch.release();
    if (outcome instanceof Error) {
      this.#isStale = true;
      this.#ports.log.error({ error: outcome.message }, 'the kernel could not be read; trying again');
    } else {
      // What the kernel made of a refused change is not known: look again before the next try.
      if (outcome.failed.size > 0) this.#isStale = true;
      if (outcome.changed === 0 && outcome.failed.size === 0) return this.#nextPassMs();
    }
    for (const listener of this.#listeners) listener();
    return outcome instanceof Error ? READ_RETRY_MS : this.#nextPassMs();
  }

  #nextPassMs(): number {
    const times = [this.#resyncAt, this.#routes.nextDueAt(), this.#links.nextDueAt(), this.#neighbours.nextDueAt()];
    const next = Math.min(...times.filter((time) => time !== undefined));
    return Math.max(0, next - this.#ports.clock.now());
  }

  async #converge(inputs: DataplaneInputs): Promise<PassResult<string>> {
    const now = this.#ports.clock.now();
    const isFull = now >= this.#resyncAt;
    if (this.#isStale || isFull) await this.#resync();
    const mayDelete = inputs.learnedComplete;
    const results: PassResult<string>[] = [];

    const plans = planTunnels(inputs, this.#view(inputs), this.#settings);
    results.push(
      await this.#reconcileLinks(
        plans.filter(({ state }) => state !== 'unwanted'),
        now,
        mayDelete,
      ),
    );

    const view = this.#view(inputs, plans);
    if (isFull) {
      results.push(await this.#reconcileSysctls(inputs, view));
      // Up to a tenth later, as in felix, so that the nodes of a cluster do not resync in step.
      this.#resyncAt = now + this.#settings.resyncSeconds * 1000 * (1 + this.#ports.random() / 10);
    }
    this.#neighbours.setDesired(planTunnelPeers(inputs), view.links.get(TUNNEL_LINKS.vxlan)?.index);
    this.#routes.setDesired(planRoutes(inputs, view), view.links);
    // A route may need a neighbour, so neighbours come before routes and go after them; links go last of all.
    results.push(await this.#neighbours.reconcile(now, false));
    results.push(await this.#routes.reconcile(now, mayDelete));
    results.push(await this.#neighbours.reconcile(now, mayDelete));
    results.push(
      await this.#reconcileLinks(
        plans.filter(({ state }) => state === 'unwanted'),
        now,
        mayDelete,
      ),
    );
    return this.#report(results);
  }

  #view(inputs: DataplaneInputs, plans: readonly TunnelPlan[] = []): HostView {
    return viewHost(this.#host, inputs.local.address, this.#links.errors(plans));
  }

  /** The way that needs no memory: all that the kernel has is read again. */
  async #resync(): Promise<void> {
    this.#host = await readHost(this.#ports.kernel);
    this.#routes.setActual(this.#host.routes);
    await this.#neighbours.resync(this.#host.links.find(({ name }) => name === TUNNEL_LINKS.vxlan)?.index);
    this.#isStale = false;
  }

  async #reconcileLinks(plans: readonly TunnelPlan[], now: number, mayDelete: boolean): Promise<PassResult<string>> {
    const may = { mayDelete, isInUse: (ifindex: number) => this.#routes.isLinkInUse(ifindex) };
    const failed = new Map<string, Error>();
    let changed = 0;
    for (const plan of plans) {
      const read = async (): Promise<HostSnapshot> => {
        await this.#resync();
        return this.#host;
      };
      const outcome = await this.#links.reconcile(plan, now, { host: this.#host, read, may });
      changed += outcome.changed;
      if (outcome.error !== undefined) failed.set(outcome.name, outcome.error);
    }
    if (failed.size > 0) await this.#resync();
    return { changed, failed };
  }

  async #reconcileSysctls(inputs: DataplaneInputs, view: HostView): Promise<PassResult<string>> {
    const { kernel } = this.#ports;
    const failed = new Map<string, Error>();
    let changed = 0;
    for (const { path, value } of planSysctls(inputs, view)) {
      try {
        if ((await kernel.readSysctl(path)) === value) continue;
        await kernel.writeSysctl(path, value);
        changed++;
      } catch (error) {
        failed.set(path, asError(error));
      }
    }
    return { changed, failed };
  }

  #report(results: readonly PassResult<string>[]): PassResult<string> {
    const { log } = this.#ports;
    const changed = results.reduce((sum, result) => sum + result.changed, 0);
    const failed = new Map(results.flatMap((result) => [...result.failed]));
    const examples = [...failed.values()].slice(0, MAX_LOGGED).map(({ message }) => message);
    if (failed.size > 0) log.warn({ failed: failed.size, examples }, 'the kernel refused; will try again');
    if (changed > 0) log.info({ changed, routes: this.#routes.size }, 'dataplane programmed');
    return { changed, failed };
  }
}
