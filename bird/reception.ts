import { formatIpAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { DynamicNeighbors } from './dynamic-neighbors.ts';
import type { DynamicHost } from './dynamic-neighbors.ts';
import { passwordsOf, peerOf, peersByAddress, protectionOf } from './incoming.ts';
import type { Caller } from './incoming.ts';
import { Listeners } from './listeners.ts';
import type { Neighbor } from './neighbor.ts';
import type { Connection, PasswordRefusal, PeerPassword, Transport } from './peer/transport.ts';
import { RefusedCallers } from './refused-callers.ts';
import type { DynamicPeers, PeerSettings, SpeakerSettings } from './settings.ts';
import type { RefusedCaller } from './view.ts';

interface ReceptionPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly transport: Transport;
}

/** What the reception asks of the speaker. */
export interface ReceptionHost extends Pick<DynamicHost, 'make' | 'change' | 'end'> {
  configured(): readonly Neighbor[];
  isClosed(): boolean;
}

/** Everybody who connects to us: the listeners and their keys, whose connection it is, and who is sent away. */
export class Reception {
  readonly #host: ReceptionHost;
  readonly #listeners: Listeners;
  readonly #refused: RefusedCallers;
  readonly #dynamic: DynamicNeighbors;
  #isOpen = false;
  #book:
    { readonly peers: readonly Neighbor[]; readonly byAddress: ReadonlyMap<string, readonly Neighbor[]> } | undefined;

  constructor(ports: ReceptionPorts, host: ReceptionHost) {
    this.#host = host;
    this.#listeners = new Listeners(ports);
    this.#refused = new RefusedCallers(ports.clock, ports.log);
    this.#dynamic = new DynamicNeighbors({
      clock: ports.clock,
      make: (settings) => host.make(settings),
      change: (neighbor, settings) => host.change(neighbor, settings),
      end: (neighbor, farewell) => host.end(neighbor, farewell),
      refused: (caller, why) => this.#refused.note(caller, why),
    });
  }

  /** Those that were made for a caller. */
  get dynamic(): readonly Neighbor[] {
    return this.#dynamic.neighbors;
  }

  get ranges(): readonly DynamicPeers[] {
    return this.#dynamic.ranges;
  }

  get refusedCallers(): readonly RefusedCaller[] {
    return this.#refused.list();
  }

  get refusedPasswords(): readonly PasswordRefusal[] {
    return this.#listeners.refusedPasswords;
  }

  /** Opens all listeners, or none: throws one sentence then. False where the speaker was closed meanwhile. */
  async open(places: SpeakerSettings['listen']): Promise<boolean> {
    this.#isOpen = await this.#listeners.open(places, this.#passwords(), {
      accept: (connection) => this.#accept(connection),
      isWanted: () => !this.#host.isClosed(),
    });
    // The peers may have changed meanwhile, and what was refused is to be logged.
    if (this.#isOpen) this.#listeners.setPasswords(this.#passwords());
    return this.#isOpen;
  }

  /** The configured peers are about to be these: a session that begins anew with another password must find the new key. */
  prepareFor(peers: readonly PeerSettings[]): void {
    this.#listeners.setPasswords(passwordsOf(peers, this.#dynamic.ranges));
    this.#dynamic.giveWayTo(peers);
  }

  setRanges(ranges: readonly DynamicPeers[]): void {
    const configured = this.#host.configured().map(({ settings }) => settings);
    this.#listeners.setPasswords(passwordsOf(configured, ranges));
    this.#dynamic.setRanges(ranges);
  }

  /** Nobody is waited for any more; the listeners stay until `close`, so that a late caller is not told that nobody is here. */
  stop(): void {
    this.#dynamic.close();
  }

  close(): Promise<void> {
    return this.#listeners.close();
  }

  #passwords(): readonly PeerPassword[] {
    return passwordsOf(
      this.#host.configured().map(({ settings }) => settings),
      this.#dynamic.ranges,
    );
  }

  #accept(connection: Connection): void {
    if (!this.#isOpen || this.#host.isClosed()) {
      connection.destroy();
      return;
    }
    const caller = { address: connection.remoteAddress, interface: connection.interface };
    const neighbor = this.#configuredPeer(caller) ?? this.#dynamic.admit(caller);
    if (typeof neighbor === 'string') {
      this.#refused.note(caller, neighbor);
      connection.destroy();
      return;
    }
    connection.secure(protectionOf(neighbor.settings));
    neighbor.accept(connection);
  }

  /** The peers of a set keep their addresses; another set is another array. */
  #configuredPeer(caller: Caller): Neighbor | undefined {
    const peers = this.#host.configured();
    if (this.#book?.peers !== peers) this.#book = { peers, byAddress: peersByAddress(peers) };
    return peerOf(this.#book.byAddress.get(formatIpAddress(caller.address)) ?? [], caller);
  }
}
