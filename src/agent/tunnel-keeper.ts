import type { Ipam, TunnelKind } from '../ipam/index.ts';
import type { IpAddress } from '../model/ip.ts';
import type { ResourceClient } from '../resources/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { AssignedTunnels, Knowledge } from './cluster-view.ts';
import { tunnelAddressOf, TunnelAddresses } from './tunnel-addresses.ts';

export interface TunnelKeeperPorts {
  readonly ipam: Ipam;
  readonly resources: ResourceClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** The same object as long as nothing is known anew. */
  readonly knowledge: () => Knowledge;
  readonly mayWrite: () => boolean;
  /** An address was assigned; resolves when its device carries it. */
  readonly onAssigned: () => Promise<void>;
  /** Something is left to do: `settle()` again, with what is known then. */
  readonly onUnsettled: () => void;
}

const RETRY_MS = 5_000;

/** Sees to it that this node has the tunnel addresses that the pools ask for, as often as it is told. */
export class TunnelKeeper {
  readonly #ports: TunnelKeeperPorts;
  readonly #tunnels: TunnelAddresses;
  readonly #assigned = new Map<TunnelKind, IpAddress>();
  #isSettling = false;
  #isClosed = false;
  #stopRetry: () => void = () => undefined;

  constructor(ports: TunnelKeeperPorts) {
    const { ipam, resources } = ports;
    this.#ports = ports;
    this.#tunnels = new TunnelAddresses({
      ...{ ipam, resources },
      // Others send to a tunnel address as soon as they hear of it, so the device has it first.
      carry: (kind, address) => {
        this.#assigned.set(kind, address);
        return ports.onAssigned();
      },
    });
  }

  /** What IPAM gave and the Node resource, as far as it is known, does not say yet. */
  assigned(): AssignedTunnels {
    return this.#assigned;
  }

  /** One at a time; what it writes comes back as a change, and so once more through here until nothing is left to do. */
  settle(): void {
    const { knowledge, mayWrite, clock, log, onUnsettled } = this.#ports;
    const known = knowledge();
    const self = known.resources.Node.get(known.node);
    // From here on the resource counts alone: one day it says nothing any more.
    if (self !== undefined) this.#forget((kind) => tunnelAddressOf(self, kind) !== undefined);
    if (this.#isSettling || !mayWrite()) return;
    this.#isSettling = true;
    void this.#tunnels
      .settle(known)
      // What was given is in the Node resource by now, of which the watch has yet to tell, or no longer ours.
      .then((written) => {
        if (written !== undefined) this.#forget((kind) => tunnelAddressOf(written, kind) === undefined);
      })
      .catch((error: unknown) => {
        log.warn({ error: (error as Error).message }, 'no tunnel address yet; will try again');
        // A computation of something else has tried before the time: the next try is five seconds from here, and there is one.
        this.#stopRetry();
        if (!this.#isClosed) this.#stopRetry = clock.after(RETRY_MS, onUnsettled);
      })
      .finally(() => {
        this.#isSettling = false;
        // What changed meanwhile was not looked at.
        if (knowledge() !== known) onUnsettled();
      });
  }

  #forget(isOver: (kind: TunnelKind) => boolean): void {
    for (const kind of [...this.#assigned.keys()].filter(isOver)) this.#assigned.delete(kind);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopRetry();
  }
}
