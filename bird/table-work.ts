import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Routing } from './routing.ts';
import { SlowPeers } from './slow-peers.ts';
import { Tidying } from './tidying.ts';

export interface TableWorkPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly routing: Pick<Routing, 'settle' | 'doChores' | 'tell' | 'isUntidy' | 'tidy'>;
  /** Selection waits, after our restart: what needs none is done all the same. */
  isDeferring(): boolean;
  /** Everything that was due is selected. */
  settled(): void;
}

/** Selection takes this many prefixes at a time, then looks at the clock. */
const PREFIXES_PER_SLICE = 512;
const SLICE_MS = 5;
/** Rows of tables that are put in order at a time: a fraction of a millisecond, also where all of them stay. */
const ROWS_PER_TIDYING = 1024;

/** What is due in the tables, in slices, for a turn of the loop must stay short: selection, telling of it, order at rest. */
export class TableWork {
  readonly #ports: TableWorkPorts;
  readonly #tidying: Tidying;
  readonly #slow: SlowPeers;
  #isDue = false;
  #isClosed = false;

  constructor(ports: TableWorkPorts) {
    const { clock, routing } = ports;
    this.#ports = ports;
    this.#tidying = new Tidying({
      clock,
      isUntidy: () => routing.isUntidy,
      tidy: () => routing.tidy(ROWS_PER_TIDYING),
    });
    this.#slow = new SlowPeers(clock, () => {
      if (this.#tell(true)) this.soon();
      this.#tidying.rested();
    });
  }

  /** Something is due, or may be. */
  soon(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    this.#ports.clock.after(0, () => this.slice());
  }

  /** One slice; what is left follows in the next turn. */
  slice(): void {
    this.#isDue = false;
    if (this.#isClosed) return;
    const { clock } = this.#ports;
    const end = clock.now() + SLICE_MS;
    let isMore = this.#step();
    while (isMore && clock.now() < end) isMore = this.#step();
    if (this.#tell(false) || isMore) this.soon();
    this.#tidying.worked();
    if (!isMore) this.#ports.settled();
  }

  /** A peer may have let go of something. */
  rested(): void {
    this.#tidying.rested();
  }

  close(): void {
    this.#isClosed = true;
    this.#slow.stop();
    this.#tidying.close();
  }

  /** A bug in what one route needs must not end the process; the route has left the queue. */
  #step(): boolean {
    const { log, routing } = this.#ports;
    try {
      return this.#ports.isDeferring() ? routing.doChores(PREFIXES_PER_SLICE) : routing.settle(PREFIXES_PER_SLICE);
    } catch (error) {
      log.error({ error }, 'a bug kept a route from being selected or told');
      return true;
    }
  }

  /** What was selected goes out; true where there is more to tell. */
  #tell(leaveBehind: boolean): boolean {
    const { log, routing } = this.#ports;
    try {
      const { hasMore, waitingFor } = routing.tell(leaveBehind);
      this.#slow.areWaitedFor(waitingFor);
      return hasMore;
    } catch (error) {
      log.error({ error }, 'a bug kept a route from being told');
      return true;
    }
  }
}
