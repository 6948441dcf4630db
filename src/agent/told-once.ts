import type { Logger } from '../runtime/logger.ts';

/** So many mistakes are remembered. */
const MOST = 1000;

/** An operator's mistake is told once, not at every change of something else. */
export class ToldOnce {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #told = new Set<string>();

  constructor(log: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  say(message: string, fields: object, level: 'info' | 'warn' = 'warn'): void {
    const what = JSON.stringify([message, fields]);
    if (this.#told.has(what)) return;
    if (this.#told.size > MOST) this.#told.clear();
    this.#told.add(what);
    this.#log[level](fields, message);
  }
}
