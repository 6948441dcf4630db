/**
 * Connections outlive the way to their address: the kernel remembers each with the NAT that it began with. So once an
 * address has moved, from one pod to another or to another host, its connections are forgotten, as Calico's felix does.
 * Afterwards, because the new way stands by then: what still went the old way cannot bring them back.
 */
import { formatIpAddress } from '../src/model/ip.ts';
import type { IpAddress } from '../src/model/ip.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { ReadonlyEntries } from './delta-tracker.ts';
import type { Kernel } from './kernel.ts';
import type { RouteBody } from './routes/kernel-route.ts';
import { asError } from './reconcile.ts';
import { RetrySchedule } from './retry.ts';
import { isHostRoute, prefixOfId } from './routes/route-id.ts';
import type { RouteId } from './routes/route-id.ts';

/** As many as Calico's felix makes; after that the entries end by themselves. */
const MAX_TRIES = 3;
const MAX_NAMED = 5;

/** Where the packets to one address leave this host: over the link of a pod here, or towards another host. */
type Way = number | 'another host';

/** The routes that we have in the kernel, and what more is wanted there. */
export interface RoutesInKernel {
  readonly actual: ReadonlyEntries<RouteId, RouteBody>;
  /** Wanted, even though it may not be there now: an address that is not reached for a moment has not moved. */
  readonly isAwaited: (id: RouteId) => boolean;
}

export class MovedAddresses {
  readonly #kernel: Pick<Kernel, 'flushConntrack'>;
  readonly #log: Logger;
  readonly #ways = new Map<RouteId, { readonly address: IpAddress; readonly way: Way }>();
  readonly #moved = new Map<string, IpAddress>();
  readonly #retry = new RetrySchedule<string>();

  constructor(kernel: Pick<Kernel, 'flushConntrack'>, log: Logger) {
    this.#kernel = kernel;
    this.#log = log;
  }

  /** Before each write and after it: what an earlier process left here may be about to move. */
  observe({ actual, isAwaited }: RoutesInKernel): void {
    for (const [id, { address, way }] of this.#ways) {
      if (actual.has(id) || isAwaited(id)) continue;
      this.#ways.delete(id);
      if (way !== 'another host') this.#note(address);
    }
    for (const id of actual.keys()) {
      if (!isHostRoute(id)) continue;
      const way = wayOf(actual.get(id)!);
      const before = this.#ways.get(id)?.way;
      if (before === way) continue;
      this.#ways.set(id, { address: prefixOfId(id).address, way });
      if (before !== undefined) this.#note(prefixOfId(id).address);
    }
  }

  /** Never rejects; what fails is tried again, a few times. */
  async flush(now: number): Promise<void> {
    const due = [...this.#moved].filter(([text]) => this.#retry.isDue(text, now));
    if (due.length === 0) return;
    const outcome = await this.#kernel.flushConntrack(due.map(([, address]) => address)).catch(asError);
    const addresses = due.slice(0, MAX_NAMED).map(([text]) => text);
    if (!(outcome instanceof Error)) {
      for (const [text] of due) this.#forget(text);
      if (outcome > 0) this.#log.info({ addresses, connections: outcome }, 'forgot the connections of moved addresses');
      return;
    }
    this.#log.warn({ addresses, error: outcome.message }, 'connections of moved addresses may still be tracked');
    for (const [text] of due) {
      this.#retry.failed(text, outcome, now);
      if (this.#retry.attempts(text) >= MAX_TRIES) this.#forget(text);
    }
  }

  /** See RetrySchedule. */
  nextDueAt(after: number): number | undefined {
    return this.#retry.nextDueAt(after);
  }

  #note(address: IpAddress): void {
    this.#moved.set(formatIpAddress(address), address);
  }

  #forget(text: string): void {
    this.#moved.delete(text);
    this.#retry.succeeded(text);
  }
}

function wayOf({ type, hops }: RouteBody): Way {
  const [hop] = hops;
  const isPod = type === 'unicast' && hops.length === 1 && hop?.gateway === undefined;
  return isPod && hop !== undefined ? hop.ifindex : 'another host';
}
