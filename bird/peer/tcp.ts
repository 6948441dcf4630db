/** TCP by node:net. Turns error numbers into words; everything above this file speaks of peers and reasons. */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress, parseIpAddress } from '../../src/model/ip.ts';
import type { CloseReason, Connection, ConnectionHandlers, Listener, Target, Transport } from './transport.ts';

/** How long a farewell may take to be written and read. */
const FAREWELL_MS = 2000;

export const tcpTransport: Transport = {
  connect: (target) => new TcpConnection(dial(target), target.address),
  listen: (at, accept) => listen(at, accept),
};

function dial({ address, port, localAddress }: Target): Socket {
  const host = formatIpAddress(address);
  const source = localAddress === undefined ? {} : { localAddress: formatIpAddress(localAddress) };
  return connect({ host, port, autoSelectFamily: false, ...source });
}

class TcpConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly #socket: Socket;
  #handlers: ConnectionHandlers | undefined;

  constructor(socket: Socket, remoteAddress: IpAddress) {
    this.remoteAddress = remoteAddress;
    this.#socket = socket;
    socket.setNoDelay(true);
    // Without a listener an error would end the process; a connection nobody attached to just closes.
    socket.on('error', (error) => this.#closed({ text: reasonOf(error), ...errnoOf(error) }));
    socket.on('connect', () => this.#handlers?.opened());
    socket.on('data', (chunk: Buffer) => this.#handlers?.data(chunk));
    socket.on('drain', () => this.#handlers?.progress());
    socket.on('end', () => this.#closed({ text: 'the peer closed the connection' }));
    socket.on('close', () => this.#closed({ text: 'the connection was closed' }));
  }

  readonly interface = undefined;

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  get localAddress(): IpAddress | undefined {
    const address = this.#socket.localAddress;
    return address === undefined ? undefined : plainAddress(address);
  }

  get queuedOctets(): number {
    return this.#socket.writableLength;
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  secure(): void {
    // nothing yet
  }

  write(octets: Uint8Array): void {
    if (!this.#socket.writable) return;
    this.#socket.write(octets, (error) => {
      if (error === null || error === undefined) this.#handlers?.progress();
    });
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

  #closed(reason: CloseReason): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed(reason);
  }
}

function listen(
  { address, port }: { readonly address: string; readonly port: number },
  accept: (connection: Connection) => void,
): Promise<Listener> {
  const server = createServer((socket) => {
    const remote = socket.remoteAddress; // undefined where the caller is gone already
    if (remote === undefined) socket.destroy();
    else accept(new TcpConnection(socket, plainAddress(remote)));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(listenReason(error, address, port), { cause: error })));
    server.listen({ host: address, port, ipv6Only: address.includes(':') }, () => {
      server.removeAllListeners('error');
      // Accept errors (out of file descriptors) pass; the peer tries again.
      server.on('error', () => undefined);
      resolve({ setPasswords: () => undefined, close: () => closeServer(server) });
    });
  });
}

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

function listenReason(error: NodeJS.ErrnoException, address: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use by another process`;
    case 'EACCES':
      return `port ${port} on ${address} may not be opened without root or CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine, so BGP cannot listen on its port ${port}`;
    default:
      return `port ${port} on ${address} cannot be opened: ${error.message}`;
  }
}

const errnoOf = ({ code }: NodeJS.ErrnoException): Pick<CloseReason, 'errno'> =>
  code === undefined ? {} : { errno: code };

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ETIMEDOUT':
      return 'the connection timed out';
    case 'EHOSTUNREACH':
      return 'no route to the peer (host unreachable)';
    case 'ENETUNREACH':
      return 'no route to the peer (network unreachable)';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the peer reset the connection';
    case 'EADDRNOTAVAIL':
      return 'the source address is not an address of this machine';
    default:
      return error.message;
  }
}

/** `::ffff:10.0.0.1` is an IPv4 address on a socket for both; `fe80::1%eth0` names an interface. */
const plainAddress = (text: string): IpAddress =>
  parseIpAddress(text.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, ''));
