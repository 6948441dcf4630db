import type { InstallReport } from '../cni/install/install.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Somebody who empties /opt/cni/bin, an upgrade of the runtime for one, leaves pods waiting no longer than this. */
const LOOK_EVERY_MS = 60_000;

/** Keeps the CNI plugin and its configuration in place, from the agent's start to its end; they stay afterwards. */
export class CniFiles {
  readonly #install: () => InstallReport;
  readonly #clock: Clock;
  readonly #log: Logger;
  #cancel: (() => void) | undefined;
  /** What was told last; the same is not told each minute. */
  #problem: string | undefined;

  constructor(install: () => InstallReport, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#install = install;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks now, and then once a minute. */
  start(): void {
    this.#look();
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => this.start());
  }

  close(): void {
    this.#cancel?.();
  }

  #look(): void {
    try {
      const { done } = this.#install();
      if (done.length > 0) this.#log.info({ done }, 'CNI plugin and configuration are in place');
      this.#problem = undefined;
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== this.#problem) this.#log.error({ problem }, 'CNI plugin and configuration are not in place');
      this.#problem = problem;
    }
  }
}
