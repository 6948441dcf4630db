import { formatPrefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ChosenAddress } from './address-choice.ts';
import { tellAddresses } from './registration.ts';

export interface AddressWatchPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly pollSeconds: number;
  /** Looks, and writes the Node resource where it must; undefined where there is no Node. */
  readonly refresh: () => Promise<
    { readonly addresses: readonly ChosenAddress[]; readonly isWritten: boolean } | undefined
  >;
  readonly onAddresses: (addresses: readonly ChosenAddress[]) => void;
}

/**
 * Looks for this node's addresses again and again, as Calico's monitor-addresses does: a host may get another one while the
 * agent runs. One look at a time; whatever goes wrong is told once, and the next look comes all the same.
 */
export class AddressWatch {
  readonly #ports: AddressWatchPorts;
  #told: string;
  #isClosed = false;
  #stop: () => void = () => undefined;

  /** `known`: those that the node was registered with, of which all was said. */
  constructor(known: readonly ChosenAddress[], ports: AddressWatchPorts) {
    this.#ports = ports;
    this.#told = textOf(known);
    this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  #wait(): void {
    const { clock, pollSeconds } = this.#ports;
    if (this.#isClosed) return;
    this.#stop = clock.after(pollSeconds * 1000, () => {
      void this.#look().finally(() => this.#wait());
    });
  }

  async #look(): Promise<void> {
    const { refresh, onAddresses, log } = this.#ports;
    try {
      const found = await refresh();
      if (found === undefined || this.#isClosed) return;
      const { addresses, isWritten } = found;
      if (isWritten) {
        log.info({ addresses: addresses.map(({ address }) => formatPrefix(address)) }, "this node's addresses changed");
      }
      if (this.#isNew(textOf(addresses))) tellAddresses(addresses, log);
      onAddresses(addresses);
    } catch (error) {
      const { message } = error as Error;
      if (this.#isNew(message))
        log.warn({ error: message }, "this node's addresses cannot be looked at; will try again");
    }
  }

  #isNew(text: string): boolean {
    if (text === this.#told) return false;
    this.#told = text;
    return true;
  }
}

const textOf = (addresses: readonly ChosenAddress[]): string =>
  JSON.stringify(addresses.map(({ address, warnings }) => [formatPrefix(address), warnings]));
