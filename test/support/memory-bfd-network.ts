import type { Datagram, Network, Path, PathTarget } from '../../bird/bfd/network.ts';

/** What was sent, and what a test lets arrive. */
export class MemoryBfdNetwork implements Network {
  readonly opened: PathTarget[] = [];
  readonly closed: PathTarget[] = [];
  sent: { readonly target: PathTarget; readonly octets: Uint8Array }[] = [];
  /** Arrived, but not read yet. */
  readonly waiting: Datagram[] = [];
  /** Each open or send fails with it. */
  failure: string | undefined;
  interfaceIndex = 3;
  #receive: (datagram: Datagram) => void = () => undefined;

  attach(receive: (datagram: Datagram) => void): void {
    this.#receive = receive;
  }

  arrive(datagram: Datagram): void {
    this.#receive(datagram);
  }

  open(target: PathTarget): Path {
    this.#fail();
    this.opened.push(target);
    return {
      interfaceIndex: target.interface === undefined ? undefined : this.interfaceIndex,
      sourcePort: target.sourcePort ?? 50_000 + this.opened.length,
      send: (octets) => {
        this.#fail();
        this.sent.push({ target, octets });
      },
      close: () => void this.closed.push(target),
    };
  }

  readWaiting(): void {
    for (const datagram of this.waiting.splice(0)) this.#receive(datagram);
  }

  #fail(): void {
    if (this.failure !== undefined) throw new Error(this.failure);
  }
}
