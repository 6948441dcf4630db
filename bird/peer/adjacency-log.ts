import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { SessionState } from '../view.ts';
import type { Negotiated } from './negotiate.ts';
import type { Reason } from './reason.ts';
import { downText } from './reason.ts';

/** A reason that was told is not told again for so long, however often it recurs. */
const QUIET_MS = 3_600_000;
/** Beyond so many different ones, as a peer could make up, none is news. */
const MAX_REASONS = 16;

/** Whom the lines are about. */
export interface LogSubject {
  /** The address, as it is written in the configuration. */
  readonly peer: string;
  readonly name?: string;
}

/** One line for each change of the adjacency, in the form that engineers search for; and why there is none yet. */
export class AdjacencyLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #subject: () => LogSubject;
  #upSince: number | undefined;
  /** When each reason for not being up was told last. */
  readonly #told = new Map<string, number>();

  constructor({ log, clock }: { readonly log: Logger; readonly clock: Clock }, subject: () => LogSubject) {
    this.#log = log;
    this.#clock = clock;
    this.#subject = subject;
  }

  up({ holdSeconds, families }: Negotiated, old: SessionState): void {
    this.#upSince = this.#clock.now();
    this.#told.clear();
    const subject = this.#subject();
    this.#log.info(
      { ...subject, old, new: 'Established', holdSeconds, families },
      `%BGP-5-ADJCHANGE: neighbor ${subject.peer} Up`,
    );
  }

  down(reason: Reason, to: SessionState): void {
    const subject = this.#subject();
    const since = this.#upSince ?? this.#clock.now();
    const uptimeSeconds = Math.round((this.#clock.now() - since) / 1000);
    this.#log.info(
      { ...subject, old: 'Established', new: to, ...fieldsOf(reason), uptimeSeconds },
      `%BGP-5-ADJCHANGE: neighbor ${subject.peer} Down - ${downText(reason)}`,
    );
  }

  /** An attempt that came to nothing; at `info` where the reason is new, so that retries do not flood. */
  notUp(reason: Reason, change: { readonly old: SessionState; readonly new: SessionState }): void {
    const fields = { ...this.#subject(), ...change, ...fieldsOf(reason) };
    const level = this.#isNews(`${reason.kind}: ${reason.text}`) ? 'info' : 'debug';
    this.#log[level](fields, `session not up: ${reason.text}`);
  }

  #isNews(key: string): boolean {
    const now = this.#clock.now();
    const last = this.#told.get(key);
    if (last !== undefined && now - last < QUIET_MS) return false;
    if (last === undefined && this.#told.size >= MAX_REASONS) return false;
    this.#told.set(key, now);
    return true;
  }
}

const fieldsOf = ({ class: reason, errno, notification }: Reason): object => ({
  reason,
  ...(errno !== undefined && { errno }),
  ...(notification !== undefined && { code: notification.code[0], subcode: notification.code[1] }),
});
