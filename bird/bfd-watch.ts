import type { Clock } from '../src/runtime/clock.ts';
import { sameAddress } from '../src/model/ip.ts';
import type { Bfd, BfdChange, BfdSessionName, BfdSessionSettings, BfdSessionView } from './bfd/index.ts';
import type { Neighbor } from './neighbor.ts';
import type { PeerSettings } from './settings.ts';

/** Has BFD watch the path to every peer that asks for it, and ends the session whose path failed. RFC 5882 §4.4, RFC 9384. */
export class BfdWatch {
  readonly #bfd: Bfd;
  readonly #clock: Clock;
  readonly #neighbors: () => readonly Neighbor[];
  readonly #stopListening: () => void;
  #isDue = false;
  #hasSessions = false;
  #isClosed = false;

  constructor({ bfd, clock }: { readonly bfd: Bfd; readonly clock: Clock }, neighbors: () => readonly Neighbor[]) {
    this.#bfd = bfd;
    this.#clock = clock;
    this.#neighbors = neighbors;
    this.#stopListening = bfd.onChange((change) => this.#changed(change));
  }

  /** A peer with these settings came, went or changed; many changes of one turn are one. */
  updateSoon({ bfd }: PeerSettings): void {
    if (this.#isDue || this.#isClosed || (bfd === undefined && !this.#hasSessions)) return;
    this.#isDue = true;
    this.#clock.after(0, () => {
      this.#isDue = false;
      if (this.#isClosed) return;
      const sessions = this.#neighbors().flatMap(({ settings }) => wanted(settings));
      this.#hasSessions = sessions.length > 0;
      this.#bfd.setSessions(sessions);
    });
  }

  view({ settings }: Neighbor): BfdSessionView | undefined {
    return settings.bfd === undefined ? undefined : this.#bfd.sessions().find((each) => isOf(settings, each));
  }

  /** The peers hear that it is us and not the path. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    return this.#bfd.close();
  }

  #changed(change: BfdChange): void {
    if (!change.isPathFailure) return;
    for (const neighbor of this.#neighbors()) {
      if (neighbor.settings.bfd !== undefined && isOf(neighbor.settings, change)) {
        neighbor.bfdDown(`BFD: ${change.diagnostic}`, change.isPeerIndependent);
      }
    }
  }
}

function wanted({
  address,
  interface: link,
  localAddress,
  shutdown,
  bfd,
}: PeerSettings): readonly BfdSessionSettings[] {
  if (bfd === undefined || shutdown !== undefined) return [];
  return [
    {
      ...bfd,
      address,
      ...(link !== undefined && { interface: link }),
      ...(localAddress !== undefined && { localAddress }),
    },
  ];
}

const isOf = ({ address, interface: link, bfd }: PeerSettings, name: BfdSessionName): boolean =>
  sameAddress(address, name.address) && link === name.interface && (bfd?.multihop ?? false) === name.multihop;
