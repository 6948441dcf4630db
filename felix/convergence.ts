import type { Logger } from '../src/runtime/logger.ts';
import type { HostView } from './calc/host-view.ts';
import { planSysctls } from './calc/sysctls.ts';
import { TunnelPeerPlanner } from './calc/tunnel-peer-planner.ts';
import type { TunnelPlan } from './calc/tunnels.ts';
import { planTunnels } from './calc/tunnels.ts';
import type { DataplaneSettings } from './contract.ts';
import type { HostBelief } from './host-belief.ts';
import { viewHost } from './host-snapshot.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { LinkTable } from './link-table.ts';
import type { MovedAddresses } from './moved-addresses.ts';
import type { NatTableKeeper } from './nat/nat-table.ts';
import { NatPlanner } from './nat/nat-planner.ts';
import type { NatPlan } from './nat/plan.ts';
import type { NeighbourTable } from './neighbour-table.ts';
import type { Newcomers } from './newcomers.ts';
import { BIRD_PROTOCOL } from './ownership.ts';
import type { PassCounter } from './pass-counter.ts';
import { reportPass } from './pass-report.ts';
import type { PassResult } from './reconcile.ts';
import type { RouteId } from './routes/route-id.ts';
import { RoutePlanner } from './routes/route-planner.ts';
import type { RouteTable } from './routes/route-table.ts';
import type { SysctlTable } from './sysctl-table.ts';

/** What is written to the kernel, each kind with what is wanted and what is there. */
export interface Tables {
  readonly routes: RouteTable;
  readonly links: LinkTable;
  readonly neighbours: NeighbourTable;
  readonly sysctls: SysctlTable;
  readonly moved: MovedAddresses;
  readonly nat: NatTableKeeper;
}

export interface ConvergencePorts {
  readonly host: HostBelief;
  readonly tables: Tables;
  readonly newcomers: Newcomers;
  readonly passes: PassCounter;
  readonly settings: () => DataplaneSettings;
  readonly log: Logger;
}

/** One pass after the other: what the host should have is worked out from the inputs, and the difference is written. */
export class Convergence {
  readonly #ports: ConvergencePorts;
  readonly #routePlanner = new RoutePlanner();
  readonly #peerPlanner = new TunnelPeerPlanner();
  readonly #natPlanner = new NatPlanner();
  #rpFilter = '1';

  constructor(ports: ConvergencePorts) {
    this.#ports = ports;
  }

  /** What the host had as its default before we wrote anything. */
  setRpFilter(value: string): void {
    this.#rpFilter = value;
  }

  /** Rejects where the kernel cannot be read. `now`: when the pass began. */
  async run(inputs: DataplaneInputs, now: number): Promise<PassResult<unknown>> {
    const { host, passes, newcomers, log } = this.#ports;
    const { routes, neighbours, sysctls, nat } = this.#ports.tables;
    const isFull = now >= host.resyncAt;
    if (host.isDoubted || isFull) await host.read();
    const mayDelete = inputs.learnedComplete;
    const results: PassResult<unknown>[] = [];

    const plans = planTunnels(inputs, this.#view(inputs), this.#ports.settings());
    const [wanted, unwanted] = [
      plans.filter(({ state }) => state !== 'unwanted'),
      plans.filter(({ state }) => state === 'unwanted'),
    ];
    results.push(await this.#reconcileLinks(wanted, now, mayDelete));

    const view = this.#view(inputs, plans);
    sysctls.setDesired(planSysctls(inputs, view, this.#rpFilter));
    results.push(await sysctls.reconcile(now, isFull));
    if (isFull) {
      passes.full(now);
      host.resynced(now);
    }
    neighbours.setDesired(this.#peerPlanner.plan(inputs), view.links);
    routes.setDesired(await this.#routePlanner.plan(inputs, view), view.links);
    newcomers.planned(inputs);
    // A route may need a neighbour, so neighbours come before routes and go after them; links go last of all.
    results.push(await neighbours.reconcile(now, false));
    results.push(await this.#reconcileRoutes(now, mayDelete));
    results.push(await neighbours.reconcile(now, mayDelete));
    results.push(await this.#reconcileLinks(unwanted, now, mayDelete));
    results.push(await nat.reconcile(await this.#planNat(inputs, plans), now, isFull));
    return reportPass(results, routes.size, log);
  }

  async #planNat(inputs: DataplaneInputs, plans: readonly TunnelPlan[]): Promise<NatPlan> {
    const { host, tables } = this.#ports;
    const { nat: settings, vxlanPort } = this.#ports.settings();
    const leaving = plans.flatMap((plan) => (plan.state === 'unwanted' ? [plan.name] : []));
    const there = leaving.filter((name) => host.snapshot.links.some((link) => link.name === name));
    const keptLinks = await tables.nat.linksWithRules(there);
    return this.#natPlanner.plan(inputs, plans, { settings, vxlanPort, keptLinks });
  }

  async #reconcileRoutes(now: number, mayDelete: boolean): Promise<PassResult<unknown>> {
    const { routes, moved } = this.#ports.tables;
    const inKernel = { actual: routes.actual, isAwaited: (id: RouteId) => routes.isAwaited(id) };
    moved.observe(inKernel);
    const result = await routes.reconcile(now, mayDelete);
    moved.observe(inKernel);
    await moved.flush(now);
    return result;
  }

  #view(inputs: DataplaneInputs, plans: readonly TunnelPlan[] = []): HostView {
    const { host, tables, settings } = this.#ports;
    const view = viewHost(host.snapshot, inputs.local, tables.links.errors(plans));
    return settings().adoptCalicoRoutes === true ? { ...view, abandonedProtocol: BIRD_PROTOCOL } : view;
  }

  async #reconcileLinks(plans: readonly TunnelPlan[], now: number, mayDelete: boolean): Promise<PassResult<unknown>> {
    const { host, tables } = this.#ports;
    const may = { mayDelete, isInUse: (ifindex: number) => tables.routes.isLinkInUse(ifindex) };
    const read = () => host.readLinks();
    const failed = new Map<unknown, Error>();
    let changed = 0;
    for (const plan of plans) {
      const outcome = await tables.links.reconcile(plan, now, { host: host.snapshot, read, may });
      changed += outcome.changed;
      if (outcome.error !== undefined) failed.set(outcome.name, outcome.error);
    }
    if (failed.size > 0) await host.read();
    return { changed, failed };
  }
}
