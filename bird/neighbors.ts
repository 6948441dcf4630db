import { Neighbor } from './neighbor.ts';
import type { NeighborHost } from './neighbor.ts';
import { matchPeers, peerChange } from './peer-change.ts';
import { fault } from './peer/fault.ts';
import type { PeerSettings } from './settings.ts';
import type { Fault } from './wire.ts';

/** What the set of neighbors asks of the speaker. */
export interface NeighborsHost {
  /** What one of them will ask. */
  hostOf(isDynamic: boolean): NeighborHost;
  /** Those that were made for a caller: who is among them is the reception's to say. */
  dynamic(): readonly Neighbor[];
  /** A peer with these settings came, went or changed. */
  changed(settings: PeerSettings): void;
  /** Routes bear its name. */
  renamed(): void;
}

/** Who our peers are, and what becomes of them when the settings are others. */
export class Neighbors {
  readonly #host: NeighborsHost;
  /** In the order of the settings. */
  #configured: readonly Neighbor[] = [];
  /** Dynamic ones, too. */
  readonly #byIndex = new Map<number, Neighbor>();
  readonly #farewells = new Set<Promise<void>>();

  constructor(host: NeighborsHost) {
    this.#host = host;
  }

  get configured(): readonly Neighbor[] {
    return this.#configured;
  }

  /** The configured ones in their order, then the dynamic ones. */
  get all(): readonly Neighbor[] {
    return [...this.#configured, ...this.#host.dynamic()];
  }

  get count(): number {
    return this.#byIndex.size;
  }

  at(index: number): Neighbor | undefined {
    return this.#byIndex.get(index);
  }

  /**
   * The whole set. Returns those that are to be started, and not those that were there: one that waits after an error must
   * not dial with every change of another.
   */
  set(peers: readonly PeerSettings[]): readonly Neighbor[] {
    const before = new Set(this.#configured);
    const existing = matchPeers(this.#configured, peers);
    const kept = new Set(existing);
    for (const neighbor of before) {
      if (!kept.has(neighbor))
        this.end(neighbor, fault('peerDeconfigured', 'the peer was removed from the configuration'));
    }
    this.#configured = peers.map((settings, i) => {
      const neighbor = existing[i];
      return neighbor === undefined ? this.make(settings) : this.change(neighbor, settings);
    });
    return this.#configured.filter((neighbor) => !before.has(neighbor));
  }

  make(settings: PeerSettings, isDynamic = false): Neighbor {
    const neighbor = new Neighbor(settings, this.#host.hostOf(isDynamic));
    this.#host.changed(settings);
    this.#byIndex.set(neighbor.index, neighbor);
    return neighbor;
  }

  /** The neighbor that serves these settings from now on. */
  change(neighbor: Neighbor, settings: PeerSettings): Neighbor {
    const before = neighbor.settings;
    const change = peerChange(before, settings, neighbor.isEstablished);
    if (before.kind !== settings.kind) this.#host.renamed();
    if (change === 'none') return neighbor;
    this.#host.changed(settings);
    if (change === 'light') {
      neighbor.adjust(settings);
      return neighbor;
    }
    if (change === 'new session' && neighbor.isRestartable) {
      neighbor.restart(settings);
      return neighbor;
    }
    this.end(neighbor, fault('otherConfigurationChange', 'the settings of the peer changed'));
    return this.make(settings, neighbor.isDynamic);
  }

  end(neighbor: Neighbor, farewell: Fault): void {
    const stopped = neighbor.stop(farewell);
    neighbor.forget();
    this.#byIndex.delete(neighbor.index);
    this.#host.changed(neighbor.settings);
    this.#farewells.add(stopped);
    void stopped.finally(() => this.#farewells.delete(stopped));
  }

  /** All of them, as the speaker closes. Resolves when every last word can have arrived. */
  async stop(farewell: Fault | undefined): Promise<void> {
    const stopped = this.all.map((neighbor) => neighbor.stop(farewell));
    await Promise.all([...stopped, ...this.#farewells]);
  }
}
