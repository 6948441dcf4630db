import type { ApiServer } from '../api/server.ts';
import type { TcpPlace } from '../api/tcp-listener.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface TcpListenerPorts {
  /** What is answered there: `the probes`, `the metrics`. */
  readonly what: string;
  /** Throws one sentence where it cannot listen. */
  readonly start: (place: TcpPlace) => Promise<ApiServer>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whoever has the port may leave it: an agent that is being replaced, above all. */
const RETRY_MS = 10_000;

/** Listens where the settings want it, which may change while the agent runs. */
export class TcpListener {
  readonly #ports: TcpListenerPorts;
  #server: ApiServer | undefined;
  #at: TcpPlace | undefined;
  #wanted: TcpPlace | undefined;
  #work: Promise<void> = Promise.resolve();
  #problem: string | undefined;
  #cancelRetry: () => void = () => undefined;

  constructor(ports: TcpListenerPorts) {
    this.#ports = ports;
  }

  /** At the start of the agent. Throws one sentence where it cannot listen. */
  async open(at: TcpPlace | undefined): Promise<void> {
    this.#wanted = at;
    await this.#listen(at);
  }

  /** Soon, one change after the other. Where it cannot listen it goes on where it did before, says so, and tries again. */
  change(to: TcpPlace | undefined): void {
    if (isSame(to, this.#wanted)) return;
    this.#wanted = to;
    this.#cancelRetry();
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
    this.#cancelRetry();
    await this.#work;
    this.#cancelRetry();
    await this.#server?.close();
    this.#server = undefined;
  }

  async #move(to: TcpPlace | undefined): Promise<void> {
    const { what, log } = this.#ports;
    const from = this.#at;
    // An address of a port that another address has already cannot be listened on: there the old one goes first.
    const mustLeave = from !== undefined && from.port === to?.port;
    try {
      if (mustLeave) await this.#leave();
      const old = this.#server;
      await this.#listen(to);
      await old?.close();
      this.#problem = undefined;
      log.info(to ?? {}, to === undefined ? `${what} are answered no more` : `${what} are answered here`);
    } catch (error) {
      this.#complain((error as Error).message);
      if (this.#server === undefined && from !== undefined) await this.#listen(from).catch(() => undefined);
      // Each try would cost those who ask at the old place their answer.
      if (!mustLeave) this.#tryAgain(to);
    }
  }

  #complain(why: string): void {
    const { what, log } = this.#ports;
    const problem = `${what} are not answered as they should be: ${why}`;
    if (problem !== this.#problem) log.warn({ error: why }, `${what} cannot be answered there`);
    this.#problem = problem;
  }

  #tryAgain(to: TcpPlace | undefined): void {
    this.#cancelRetry = this.#ports.clock.after(RETRY_MS, () => {
      this.#work = this.#work.then(() => (isSame(to, this.#wanted) ? this.#move(to) : undefined));
    });
  }

  async #listen(at: TcpPlace | undefined): Promise<void> {
    this.#server = at === undefined ? undefined : await this.#ports.start(at);
    this.#at = at;
  }

  async #leave(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }
}

const isSame = (a: TcpPlace | undefined, b: TcpPlace | undefined): boolean =>
  a?.host === b?.host && a?.port === b?.port;
