import type { IpFamily } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { RouteRefresh } from './wire.ts';

export interface RefreshPorts {
  readonly clock: Clock;
  /** What is there may be out of date from now on. */
  markStale(family: IpFamily): void;
  /** What was not said again goes. */
  sweepStale(family: IpFamily): void;
}

/** How long a peer may take to tell everything again; RFC 7313 §4 leaves the bound to us. */
const REFRESH_SECONDS = 360;

/** Follows a peer through its answers to our refreshes: what lies between BoRR and EoRR is all that it has. RFC 7313 §4. */
export class RefreshWatch {
  readonly #ports: RefreshPorts;
  /** Families between the two marks, each with the way to cancel its timer. */
  readonly #under = new Map<IpFamily, () => void>();
  /** Families that the peer is telling for the first time in this session. */
  readonly #loading = new Set<IpFamily>();

  constructor(ports: RefreshPorts) {
    this.#ports = ports;
  }

  /**
   * A session is up that will say End-of-RIB in these families. Before it, BoRR says nothing, RFC 7313 §4: its marks would
   * be taken for those of a restart.
   */
  start(loading: readonly IpFamily[]): void {
    for (const family of loading) this.#loading.add(family);
  }

  endOfRib(family: IpFamily): void {
    this.#loading.delete(family);
  }

  /** EoRR without BoRR, and marks that nobody knows, say nothing. RFC 7313 §4, §5. */
  take(family: IpFamily, subtype: RouteRefresh['subtype']): void {
    if (subtype === 'begin' && !this.#loading.has(family)) this.#begin(family);
    else if (subtype === 'end' && this.#under.has(family)) this.#end(family);
  }

  /** The session is gone: what becomes of its routes is not for a refresh to say. */
  stop(): void {
    for (const cancel of this.#under.values()) cancel();
    this.#under.clear();
    this.#loading.clear();
  }

  /** Again: everything is marked anew. */
  #begin(family: IpFamily): void {
    this.#under.get(family)?.();
    this.#ports.markStale(family);
    this.#under.set(
      family,
      this.#ports.clock.after(REFRESH_SECONDS * 1000, () => this.#end(family)),
    );
  }

  #end(family: IpFamily): void {
    this.#under.get(family)?.();
    this.#under.delete(family);
    this.#ports.sweepStale(family);
  }
}
