/** A connection over node:net. Everything above this file speaks of peers and reasons. */
import type { Socket } from 'node:net';
import type { Libc } from '../../src/linux/libc.ts';
import type { IpAddress } from '../../src/model/ip.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { distanceFault, INFO, linkFault, linkOptions, retransmitsIn } from './tcp-options.ts';
import { savedSyn, setOptions, SocketRefused } from './tcp-socket.ts';
import { closeReason } from './tcp-words.ts';
import type { CloseReason, Connection, ConnectionHandlers, LinkOptions, Target } from './transport.ts';

/**
 * Of a typed array as small as this V8 keeps the octets in its heap, until somebody asks for its buffer as node:stream does:
 * a copy into Node's pool costs less than the buffer that it is given then.
 */
const SMALL_OCTETS = 64;

/** How long a farewell may take to be written and read. */
const FAREWELL_MS = 2000;

interface RemoteEnd {
  readonly address: IpAddress;
  readonly interface: string | undefined;
}

interface Ends extends RemoteEnd {
  /** Where it is known without asking the kernel. */
  readonly localAddress?: IpAddress | undefined;
}

export class TcpConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly interface: string | undefined;
  readonly #libc: Libc;
  readonly #socket: Socket;
  #handlers: ConnectionHandlers | undefined;
  #localAddress: IpAddress | undefined;
  #isCorked = false;
  #isProgressDue = false;

  constructor(libc: Libc, socket: Socket, { address, interface: link, localAddress }: Ends) {
    this.#libc = libc;
    this.#socket = socket;
    this.remoteAddress = address;
    this.interface = link;
    this.#localAddress = localAddress;
    // Without a listener an error would end the process; a connection nobody attached to just closes.
    socket.on('error', (error) => this.#close(closeReason(error)));
    socket.on('connect', () => this.#handlers?.opened());
    socket.on('data', (chunk: Buffer) => this.#handlers?.data(chunk));
    socket.on('end', () => this.#close({ text: 'the peer closed the connection' }));
    socket.on('close', () => this.#close({ text: 'the connection was closed' }));
  }

  get remotePort(): number | undefined {
    return endOf(() => this.#socket.remotePort);
  }

  get localPort(): number | undefined {
    return endOf(() => this.#socket.localPort);
  }

  /** Kept, for the kernel names no address any more where the interface of a link-local one is gone. */
  get localAddress(): IpAddress | undefined {
    if (this.#localAddress === undefined && !this.#socket.connecting) {
      this.#localAddress = addressOf(endOf(() => this.#socket.localAddress))?.address;
    }
    return this.#localAddress;
  }

  get queuedOctets(): number {
    return this.#socket.writableLength;
  }

  get retransmits(): number | undefined {
    const fd = this.#socket.connecting ? undefined : descriptorOf(this.#socket);
    if (fd === undefined) return undefined;
    try {
      return retransmitsIn(this.#libc.getSocketOption(fd, INFO));
    } catch {
      // It is evidence for people, and no reason to fail.
      return undefined;
    }
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  secure(options: LinkOptions): void {
    const refusal = this.#protect(options);
    if (refusal === undefined) return;
    this.#socket.destroy();
    // `attach` is still to come, in this turn.
    process.nextTick(() => this.#close(refusal));
  }

  /** What one turn writes leaves in one system call: TCP_NODELAY would make a segment of every message. */
  write(octets: Uint8Array): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(octets.length <= SMALL_OCTETS ? Buffer.from(octets) : octets, this.#taken);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Input is read and dropped meanwhile: closing with unread input makes the kernel send RST, and the farewell is lost. */
  end(): Promise<void> {
    this.#handlers = undefined;
    const socket = this.#socket;
    if (socket.destroyed || socket.connecting) {
      socket.destroy();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => socket.destroy(), FAREWELL_MS);
      socket.once('close', () => {
        clearTimeout(giveUp);
        resolve();
      });
      socket.resume();
      socket.end();
    });
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
  }

  /** One for all writes; the callbacks of one system call come together, and are one progress. */
  readonly #taken = (error?: Error | null): void => {
    if ((error !== null && error !== undefined) || this.#isProgressDue) return;
    this.#isProgressDue = true;
    process.nextTick(() => {
      this.#isProgressDue = false;
      this.#handlers?.progress();
    });
  };

  #protect(options: LinkOptions): CloseReason | undefined {
    const fault = linkFault(options);
    if (fault !== undefined) return { text: fault, refusal: 'not protected' };
    const fd = descriptorOf(this.#socket);
    if (fd === undefined) return { text: 'the connection was closed' };
    try {
      setOptions(this.#libc, fd, linkOptions(this.remoteAddress, options));
      const { ttlSecurityHops: hops } = options;
      const tooFar = hops === undefined ? undefined : distanceFault(savedSyn(this.#libc, fd), hops);
      return tooFar === undefined ? undefined : { text: tooFar, refusal: 'too far away' };
    } catch (error) {
      if (error instanceof SocketRefused) return { ...error.reason, refusal: 'not protected' };
      throw error;
    }
  }

  /** A peer that only stopped sending is done with, too: were the socket kept, what it does not read would hold it open. */
  #close(reason: CloseReason): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.#handlers = undefined;
    this.#socket.destroy();
    handlers.closed(reason);
  }
}

/** A connection that could not even be begun; it says so in the next turn, as every other would. */
export class FailedConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  readonly interface: string | undefined;
  readonly localAddress = undefined;
  readonly localPort = undefined;
  readonly queuedOctets = 0;
  readonly #reason: CloseReason;
  #handlers: ConnectionHandlers | undefined;

  constructor(target: Target, reason: CloseReason) {
    this.remoteAddress = target.address;
    this.remotePort = target.port;
    this.interface = target.interface;
    this.#reason = reason;
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    process.nextTick(() => this.#handlers?.closed(this.#reason));
  }

  end(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    this.#handlers = undefined;
  }

  secure(): void {
    // There is nothing to protect.
  }

  write(): void {
    // Nobody would read it.
  }

  pause(): void {
    // Nothing comes.
  }

  resume(): void {
    // Nothing comes.
  }
}

/** Who called; undefined where it is gone already, or its interface. */
export const callerOf = (socket: Socket): RemoteEnd | undefined => addressOf(endOf(() => socket.remoteAddress));

/** Node throws where the interface of a link-local address has been removed meanwhile (`uv_if_indextoiid`). */
function endOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** `fe80::1%eth0` names an interface. */
function addressOf(text: string | undefined): RemoteEnd | undefined {
  if (text === undefined) return undefined;
  const [address = '', scope] = text.split('%');
  return { address: parseIpAddress(address), interface: scope };
}

/**
 * There is no documented way to the descriptor of a socket that node:net accepted, and what protects a connection is set
 * on the descriptor. `_handle.fd` is how Node's own tests get it; -1 when it is closed.
 */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
