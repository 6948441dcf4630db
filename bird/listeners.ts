import { formatPrefix } from '../src/model/ip.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Connection, Listener, PasswordRefusal, PeerPassword, Transport } from './peer/transport.ts';
import type { SpeakerSettings } from './settings.ts';

/** All sockets that a speaker listens on, with the same keys on each. */
export class Listeners {
  readonly #transport: Transport;
  readonly #log: Logger;
  #open: readonly Listener[] = [];
  #refused: readonly PasswordRefusal[] = [];

  constructor({ transport, log }: { readonly transport: Transport; readonly log: Logger }) {
    this.#transport = transport;
    this.#log = log;
  }

  /** Passwords that are not in force, and why. */
  get refusedPasswords(): readonly PasswordRefusal[] {
    return this.#refused;
  }

  /** Opens all, or none: throws one sentence then. `isWanted` is asked when they are open. */
  async open(
    places: SpeakerSettings['listen'],
    passwords: readonly PeerPassword[],
    { accept, isWanted }: { readonly accept: (connection: Connection) => void; readonly isWanted: () => boolean },
  ): Promise<boolean> {
    const opened = await Promise.allSettled(places.map((at) => this.#transport.listen({ ...at, passwords }, accept)));
    const listening = opened.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed !== undefined || !isWanted()) {
      await Promise.all(listening.map((listener) => listener.close()));
      if (failed !== undefined) throw failed.reason;
      return false;
    }
    this.#open = listening;
    return true;
  }

  /** What is refused is logged once, and again only after it was in force. */
  setPasswords(passwords: readonly PeerPassword[]): void {
    const before = new Set(this.#refused.map(nameOf));
    const refused = this.#open.flatMap((listener) => listener.setPasswords(passwords));
    this.#refused = [...new Map(refused.map((one) => [nameOf(one), one])).values()];
    for (const one of this.#refused) {
      if (before.has(nameOf(one))) continue;
      this.#log.error({ peer: formatPrefix(one.prefix), reason: one.text }, 'callers cannot sign with this password');
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((listener) => listener.close()));
  }
}

const nameOf = ({ prefix, text }: PasswordRefusal): string => `${formatPrefix(prefix)}: ${text}`;
