import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress, parseIpAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  Listener,
  Target,
  Transport,
} from '../../bird/peer/transport.ts';

/** TCP in memory: hosts with an address each on one wire. Octets arrive a turn of the clock later, in chunks as asked. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, (connection: Connection) => void>();
  /** Both ends of every connection that was made. */
  readonly #standing = new Set<MemoryConnection>();
  /** How many octets arrive at a time. */
  chunkOctets = Infinity;
  /** Nobody reads: what is written stays queued on the writer's side. */
  isStuck = false;
  /** Hears whatever anybody writes, between addresses. */
  tap: (from: string, to: string, octets: Uint8Array) => void = () => undefined;
  /** Hosts whose cable is out: what is sent to them is lost in silence. */
  readonly unplugged = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Octets that arrive at `to` as if `from` had written them. */
  inject(from: string, to: string, octets: Uint8Array): void {
    for (const connection of this.#standing) {
      const { localAddress, remoteAddress } = connection;
      if (formatIpAddress(localAddress) === to && formatIpAddress(remoteAddress) === from) connection.receive(octets);
    }
  }

  host(address: string): Transport {
    const local = parseIpAddress(address);
    return {
      connect: (target) => this.#connect(local, target),
      listen: (at, accept) => this.#listen(`${at.address}:${at.port}`, accept),
    };
  }

  #connect(local: IpAddress, { address, port }: Target): Connection {
    const ours = new MemoryConnection(this, this.#clock, { local, remote: address });
    this.#clock.after(0, () => {
      const accept = this.#listeners.get(`${formatIpAddress(address)}:${port}`);
      if (ours.isClosed || this.#isCut(local, address)) return;
      if (accept === undefined) {
        ours.drop({ text: 'connection refused', errno: 'ECONNREFUSED' });
        return;
      }
      const theirs = new MemoryConnection(this, this.#clock, { local: address, remote: local });
      ours.join(theirs);
      theirs.join(ours);
      this.#standing.add(ours).add(theirs);
      accept(theirs);
      ours.open();
    });
    return ours;
  }

  #listen(key: string, accept: (connection: Connection) => void): Promise<Listener> {
    if (this.#listeners.has(key)) return Promise.reject(new Error(`${key} is in use by another process`));
    this.#listeners.set(key, accept);
    return Promise.resolve({
      setPasswords: () => undefined,
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  isCut(a: IpAddress, b: IpAddress): boolean {
    return this.#isCut(a, b);
  }

  #isCut(a: IpAddress, b: IpAddress): boolean {
    return this.unplugged.has(formatIpAddress(a)) || this.unplugged.has(formatIpAddress(b));
  }
}

class MemoryConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly localAddress: IpAddress;
  readonly remotePort = undefined;
  readonly localPort = undefined;
  readonly interface = undefined;
  readonly #network: MemoryNetwork;
  readonly #clock: Clock;
  #other: MemoryConnection | undefined;
  #handlers: ConnectionHandlers | undefined;
  #isPaused = false;
  #held: (() => void)[] = [];
  isClosed = false;

  constructor(network: MemoryNetwork, clock: Clock, ends: { readonly local: IpAddress; readonly remote: IpAddress }) {
    this.#network = network;
    this.#clock = clock;
    this.localAddress = ends.local;
    this.remoteAddress = ends.remote;
  }

  get queuedOctets(): number {
    return this.#network.isStuck ? 100 : 0;
  }

  join(other: MemoryConnection): void {
    this.#other = other;
  }

  open(): void {
    this.#handlers?.opened();
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  secure(): void {
    // nobody can be far away in memory
  }

  write(octets: Uint8Array): void {
    if (this.isClosed || this.#network.isCut(this.localAddress, this.remoteAddress)) return;
    this.#network.tap(formatIpAddress(this.localAddress), formatIpAddress(this.remoteAddress), octets);
    const size = this.#network.chunkOctets;
    for (let at = 0; at < octets.length; at += size) {
      const chunk = octets.slice(at, at + size);
      this.#later(() => this.#other?.receive(chunk));
    }
    this.#clock.after(0, () => {
      if (!this.isClosed) this.#handlers?.progress();
    });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.#deliver(action);
  }

  end(): Promise<void> {
    this.#hangUp();
    return Promise.resolve();
  }

  destroy(): void {
    this.#hangUp();
  }

  receive(chunk: Uint8Array): void {
    this.#deliver(() => this.#handlers?.data(chunk));
  }

  drop(reason: CloseReason): void {
    this.#deliver(() => {
      if (this.isClosed) return;
      this.isClosed = true;
      this.#handlers?.closed(reason);
    });
  }

  #hangUp(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#handlers = undefined;
    if (this.#network.isCut(this.localAddress, this.remoteAddress)) return;
    this.#later(() => this.#other?.drop({ text: 'the peer closed the connection' }));
  }

  #later(action: () => void): void {
    this.#clock.after(0, action);
  }

  #deliver(action: () => void): void {
    if (this.#isPaused) this.#held.push(action);
    else if (!this.isClosed) action();
  }
}
