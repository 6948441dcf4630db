import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress, parseIpAddress, prefixContainsAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  ListenAt,
  Listener,
  PeerPassword,
  Target,
  Transport,
} from '../../bird/peer/transport.ts';

interface MemoryListener {
  readonly accept: (connection: Connection) => void;
  passwords: readonly PeerPassword[];
}

/**
 * TCP in memory: hosts with an address each on one wire. Octets arrive a turn of the clock later, in chunks as asked.
 * A caller who signs with another key than the listener has for it, or signs for nobody, is not heard, as with the kernel.
 */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, MemoryListener>();
  /** Both ends of every connection that was made. */
  readonly #standing = new Set<MemoryConnection>();
  /** How many octets arrive at a time. */
  chunkOctets = Infinity;
  /** Nobody reads: what is written stays queued on the writer's side. */
  isStuck = false;
  /** What is written is taken in the same turn, as a kernel does that has room. */
  takesAtOnce = false;
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
      if (formatIpAddress(localAddress) === to && formatIpAddress(remoteAddress) === from)
        connection.receive(octets, () => undefined);
    }
  }

  host(address: string): Transport {
    const local = parseIpAddress(address);
    return {
      connect: (target) => this.#connect(local, target),
      listen: (at, accept) => this.#listen(at, accept),
    };
  }

  #connect(host: IpAddress, { address, port, password, localAddress = host }: Target): Connection {
    const local = localAddress;
    const ours = new MemoryConnection(this, this.#clock, { local, remote: address });
    this.#clock.after(0, () => {
      const listener = this.#listeners.get(`${formatIpAddress(address)}:${port}`);
      if (ours.isClosed || this.#isCut(local, address)) return;
      if (listener !== undefined && keyFor(listener.passwords, local) !== password) return;
      if (listener === undefined) {
        ours.drop({ text: 'connection refused', errno: 'ECONNREFUSED' });
        return;
      }
      const theirs = new MemoryConnection(this, this.#clock, { local: address, remote: local });
      ours.join(theirs);
      theirs.join(ours);
      this.#standing.add(ours).add(theirs);
      listener.accept(theirs);
      ours.open();
    });
    return ours;
  }

  #listen({ address, port, passwords = [] }: ListenAt, accept: MemoryListener['accept']): Promise<Listener> {
    const key = `${address}:${port}`;
    if (this.#listeners.has(key)) return Promise.reject(new Error(`${key} is in use by another process`));
    const listener: MemoryListener = { accept, passwords };
    this.#listeners.set(key, listener);
    return Promise.resolve({
      port,
      setPasswords: (wanted) => {
        listener.passwords = wanted;
        return [];
      },
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

/** Of the longest prefix, as the kernel has it. */
const keyFor = (passwords: readonly PeerPassword[], caller: IpAddress): string | undefined =>
  passwords
    .filter(({ prefix }) => prefixContainsAddress(prefix, caller))
    .reduce<PeerPassword | undefined>(
      (best, one) => (best === undefined || one.prefix.length > best.prefix.length ? one : best),
      undefined,
    )?.password;

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
  /** Written, and not taken by the other side yet. */
  #queuedOctets = 0;
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
    return this.#network.isStuck ? 100 : this.#queuedOctets;
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
      this.#queuedOctets += chunk.length;
      const taken = (): void => this.#taken(chunk.length);
      const isTaken = this.#network.takesAtOnce;
      if (isTaken) queueMicrotask(taken);
      this.#later(() => this.#other?.receive(chunk, isTaken ? () => undefined : taken));
    }
  }

  #taken(octets: number): void {
    this.#queuedOctets -= octets;
    if (!this.isClosed) this.#handlers?.progress();
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

  /** `taken` in a turn of its own: the writer's network is not the reader's. */
  receive(chunk: Uint8Array, taken: () => void): void {
    this.#deliver(() => {
      this.#clock.after(0, taken);
      this.#handlers?.data(chunk);
    });
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
