import type { LeakReport } from '../api/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Leak } from './leaks.ts';

export interface LeakCollectorPorts {
  /** Milliseconds for which a leak must be known; 0: nothing is collected. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** What looks leaked now; undefined where what is known is no evidence. */
  readonly leaks: () => Promise<readonly Leak[] | undefined>;
  /** Gives back what a handle holds. Gives the reason where it holds on to it. */
  readonly release: (leaks: readonly [Leak, ...Leak[]]) => Promise<string | undefined>;
}

/**
 * Collects the addresses that pods of this node left behind, in two phases as Calico's controller: what looks leaked is remembered, and goes
 * when it has looked so at every scan for the whole grace, twice a grace. All of a handle goes, or nothing of it.
 */
export class LeakCollector {
  readonly #ports: LeakCollectorPorts;
  /** By assignment: since when it looks leaked. */
  #since: ReadonlyMap<string, number> = new Map();
  #released = 0;
  #isClosed = false;
  #stop: () => void = () => undefined;

  constructor(ports: LeakCollectorPorts) {
    this.#ports = ports;
  }

  start(): void {
    const { graceMs, clock, log } = this.#ports;
    if (graceMs === 0 || this.#isClosed) return;
    this.#stop = clock.after(graceMs / 2, () => {
      void this.#scan()
        .catch((error: unknown) => {
          log.warn({ error: (error as Error).message }, 'leaked addresses could not be collected; will try again');
        })
        .finally(() => this.start());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  report(): LeakReport {
    return { suspected: this.#since.size, released: this.#released, graceSeconds: this.#ports.graceMs / 1000 };
  }

  async #scan(): Promise<void> {
    const { graceMs, clock, leaks } = this.#ports;
    const found = await leaks();
    const now = clock.now();
    // What was seen before cannot be held against anybody: nobody looked in between.
    this.#since = new Map((found ?? []).map((leak) => [nameOf(leak), this.#since.get(nameOf(leak)) ?? now]));
    for (const [first, ...others] of Map.groupBy(found ?? [], ({ handle }) => handle).values()) {
      const all = [first!, ...others] as const;
      if (this.#isClosed || all.some((leak) => now - this.#since.get(nameOf(leak))! < graceMs)) continue;
      await this.#collect(all);
    }
  }

  async #collect(all: readonly [Leak, ...Leak[]]): Promise<void> {
    const { clock, log, release } = this.#ports;
    const [{ handle, namespace, pod }] = all;
    const addresses = all.map(({ ip }) => ip);
    const forSeconds = Math.round((clock.now() - this.#since.get(nameOf(all[0]))!) / 1000);
    const reason = await release(all);
    if (reason !== undefined) {
      log.debug({ addresses, handle, reason }, 'addresses without an endpoint are kept');
      return;
    }
    this.#released += all.length;
    this.#since = new Map([...this.#since].filter(([name]) => !all.some((leak) => nameOf(leak) === name)));
    log.info(
      { addresses, handle, pod: `${namespace}/${pod}`, reason: `no endpoint has had them for ${forSeconds} s` },
      'leaked addresses are given back',
    );
  }
}

const nameOf = ({ ip, handle, sequenceNumber }: Leak): string => `${handle} ${ip} ${sequenceNumber}`;
