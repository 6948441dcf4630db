import type { Clock } from '../src/runtime/clock.ts';
import type { Random } from '../src/runtime/random.ts';
import type { DataplaneSettings } from './contract.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { hasLost, hostLinks, readHost } from './host-snapshot.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { Kernel } from './kernel.ts';
import type { NeighbourTable } from './neighbour-table.ts';
import { isOurs, isOursOrCalicos } from './ownership.ts';
import type { IsOurs } from './ownership.ts';
import type { RouteTable } from './routes/route-table.ts';

export interface HostBeliefPorts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: RouteTable;
  readonly neighbours: NeighbourTable;
  readonly settings: () => DataplaneSettings;
  readonly inputs: () => DataplaneInputs | undefined;
}

const EMPTY_HOST: HostSnapshot = { links: [], addresses: [], routes: [] };

/** What the kernel has, as far as is known: read as a whole, kept up by what we change ourselves, and read again where there is doubt. */
export class HostBelief {
  readonly #ports: HostBeliefPorts;
  #host = EMPTY_HOST;
  #isDoubted = true;
  #resyncAt = 0;
  #resyncedAt = 0;

  constructor(ports: HostBeliefPorts) {
    this.#ports = ports;
  }

  /** Routes of ours are the route table's to know; kept here too they would be twice in memory. */
  get snapshot(): HostSnapshot {
    return this.#host;
  }

  /** It may be otherwise: the next pass reads all again. */
  doubt(): void {
    this.#isDoubted = true;
  }

  get isDoubted(): boolean {
    return this.#isDoubted;
  }

  /** When all is compared though nothing gives a reason to, in milliseconds of the clock. */
  get resyncAt(): number {
    return this.#resyncAt;
  }

  /** All was compared in the pass that began then. */
  resynced(at: number): void {
    this.#resyncedAt = at;
    this.#resyncAt = this.#nextResyncAt();
  }

  /** The settings are others. */
  reschedule(): void {
    if (this.#resyncAt > 0) this.#resyncAt = this.#nextResyncAt();
  }

  /** The way that needs no memory: all that the kernel has is read again. */
  async read(): Promise<void> {
    const { kernel, routes: table, neighbours } = this.#ports;
    // What is told while it is read may put it in doubt again.
    this.#isDoubted = false;
    table.beginListing();
    const { links, addresses, routes } = await readHost(kernel);
    this.#host = { links, addresses, routes: routes.without(isOurs) };
    await table.setActual(routes, this.#ownership());
    await neighbours.resync(hostLinks(this.#host));
  }

  /** After a change of ours to a link. With a link that is gone or down its routes are gone too, so all is read again. */
  async readLinks(): Promise<HostSnapshot> {
    const { kernel, neighbours } = this.#ports;
    const before = this.#host.links;
    const [links, addresses] = [await kernel.listLinks(), await kernel.listAddresses()];
    if (hasLost(before, links)) {
      await this.read();
    } else {
      this.#host = { ...this.#host, links, addresses };
      await neighbours.resync(hostLinks(this.#host));
    }
    return this.#host;
  }

  #ownership(): IsOurs {
    const { settings, inputs } = this.#ports;
    if (settings().adoptCalicoRoutes !== true) return isOurs;
    return isOursOrCalicos(inputs()?.pools.map(({ cidr }) => cidr) ?? [], this.#host.links);
  }

  /** Up to a tenth later, as in felix, so that the nodes of a cluster do not resync in step. */
  #nextResyncAt(): number {
    const { settings, random } = this.#ports;
    const { resyncSeconds } = settings();
    if (resyncSeconds === 0) return Infinity;
    return this.#resyncedAt + resyncSeconds * 1000 * (1 + random() / 10);
  }
}
