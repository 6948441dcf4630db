import type { HealthReport } from '../api/contract.ts';
import { startHealthServer } from '../api/health-server.ts';
import type { HealthServerSettings } from '../api/health-server.ts';
import type { ApiServer } from '../api/server.ts';
import type { Logger } from '../runtime/logger.ts';

export interface HealthListenerPorts {
  readonly report: () => HealthReport;
  readonly log: Logger;
}

/** `/liveness` and `/readiness` where the settings want them, which may change while the agent runs. */
export class HealthListener {
  readonly #ports: HealthListenerPorts;
  #server: ApiServer | undefined;
  #at: HealthServerSettings | undefined;
  #wanted: HealthServerSettings | undefined;
  #work: Promise<void> = Promise.resolve();
  #problem: string | undefined;

  constructor(ports: HealthListenerPorts) {
    this.#ports = ports;
  }

  /** At the start of the agent. Throws one sentence where it cannot listen. */
  async open(at: HealthServerSettings | undefined): Promise<void> {
    this.#wanted = at;
    await this.#listen(at);
  }

  /** Soon, one change after the other. Where it cannot listen it goes on where it did before, and says so. */
  change(to: HealthServerSettings | undefined): void {
    if (isSame(to, this.#wanted)) return;
    this.#wanted = to;
    this.#work = this.#work.then(() => this.#move(to));
  }

  /** Why it does not listen where it should. */
  problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when it listens as it was last told, or has said why not. */
  settled(): Promise<void> {
    return this.#work;
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#server?.close();
    this.#server = undefined;
  }

  async #move(to: HealthServerSettings | undefined): Promise<void> {
    const from = this.#at;
    try {
      // An address of a port that another address has already cannot be listened on: there the old one goes first.
      if (from?.port === to?.port) await this.#leave();
      const old = this.#server;
      await this.#listen(to);
      await old?.close();
      this.#problem = undefined;
      this.#ports.log.info(
        to ?? {},
        to === undefined ? 'the probes are answered no more' : 'the probes are answered here',
      );
    } catch (error) {
      const why = (error as Error).message;
      this.#problem = `the probes are not answered as they should be: ${why}`;
      this.#ports.log.warn({ error: why }, 'the probes cannot be answered there');
      if (this.#server === undefined && from !== undefined) await this.#listen(from).catch(() => undefined);
    }
  }

  async #listen(at: HealthServerSettings | undefined): Promise<void> {
    this.#server = at === undefined ? undefined : await startHealthServer(at, this.#ports.report);
    this.#at = at;
  }

  async #leave(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }
}

const isSame = (a: HealthServerSettings | undefined, b: HealthServerSettings | undefined): boolean =>
  a?.host === b?.host && a?.port === b?.port;
