/** A listening socket: its keys, and what it lets in. */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Libc } from '../../src/linux/libc.ts';
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { callerOf, TcpConnection } from './tcp-connection.ts';
import { md5Option, passwordFault, SAVE_SYN } from './tcp-options.ts';
import { listenReason, openListening, setOptions, SocketRefused } from './tcp-socket.ts';
import type { Connection, ListenAt, Listener, PasswordRefusal, PeerPassword } from './transport.ts';

/**
 * A cluster or a rack that comes back calls at the same moment, and whoever finds the queue full tries again after a second.
 * The kernel cuts it to its own limit, net.core.somaxconn: 4096 by default.
 */
const BACKLOG = 4096;

/** Rejects with one sentence where the address or the port cannot be had. */
export async function openListener(
  libc: Libc,
  at: ListenAt,
  accept: (connection: Connection) => void,
): Promise<Listener> {
  const fd = openListening(libc, at);
  const address = parseIpAddress(at.address);
  const localAddress = isUnspecified(address) ? undefined : address;
  const keys = new ListenerKeys(libc, fd, { family: address.family, interface: at.interface });
  keys.set(at.passwords ?? []);
  keepSyns(libc, fd);
  const server = createServer((socket) => {
    const caller = callerOf(socket);
    if (caller === undefined) socket.destroy();
    else accept(new TcpConnection(libc, socket, { ...caller, localAddress }));
  });
  await listening(server, fd, at); // The descriptor is the server's from here on, also where it fails.
  // Errors at accept (out of file descriptors) pass; the peer tries again.
  server.on('error', () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    setPasswords: (passwords) => keys.set(passwords),
    close: () => {
      keys.forget();
      // The socket is closed when this returns; its callback would wait for the connections that it let in.
      server.close();
      return Promise.resolve();
    },
  };
}

/** Of all addresses of this machine. */
const isUnspecified = ({ words }: IpAddress): boolean => words.every((word) => word === 0);

/** Where the kernel cannot, TTL security begins with what comes after a caller was let in. */
function keepSyns(libc: Libc, fd: number): void {
  try {
    setOptions(libc, fd, [SAVE_SYN]);
  } catch (error) {
    if (!(error instanceof SocketRefused)) throw error;
  }
}

const listening = (server: Server, fd: number, at: ListenAt): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(new SocketRefused(listenReason(error, at), { cause: error }));
    server.once('error', failed);
    server.listen({ fd }, BACKLOG, () => {
      server.off('error', failed);
      resolve();
    });
  });

/** The TCP-MD5 keys of one listening socket: what the kernel has, and what is wanted. */
class ListenerKeys {
  readonly #libc: Libc;
  readonly #family: IpFamily;
  readonly #interface: string | undefined;
  readonly #installed = new Map<string, PeerPassword>();
  #fd: number | undefined;

  constructor(libc: Libc, fd: number, at: { readonly family: IpFamily; readonly interface: string | undefined }) {
    this.#libc = libc;
    this.#fd = fd;
    this.#family = at.family;
    this.#interface = at.interface;
  }

  set(passwords: readonly PeerPassword[]): readonly PasswordRefusal[] {
    if (this.#fd === undefined) return [];
    const refused: PasswordRefusal[] = [];
    const wanted = this.#wanted(passwords, refused);
    for (const [key, { prefix }] of this.#installed) if (!wanted.has(key)) this.#remove(key, prefix);
    for (const [key, password] of wanted) {
      if (this.#installed.get(key)?.password === password.password) continue;
      const text = passwordFault(password.password) ?? this.#install(key, password);
      if (text !== undefined) refused.push({ prefix: password.prefix, text });
    }
    return refused;
  }

  /** The descriptor's number is somebody else's soon. */
  forget(): void {
    this.#fd = undefined;
  }

  #wanted(passwords: readonly PeerPassword[], refused: PasswordRefusal[]): ReadonlyMap<string, PeerPassword> {
    const wanted = new Map<string, PeerPassword>();
    for (const one of passwords) {
      if (one.prefix.address.family !== this.#family) continue;
      if (this.#interface !== undefined && one.interface !== undefined && one.interface !== this.#interface) continue;
      const key = formatPrefix(one.prefix);
      const first = wanted.get(key);
      if (first === undefined) wanted.set(key, one);
      // Link-local neighbors on several links: the kernel tells keys apart by VRF, and not by interface.
      else if (first.password !== one.password) {
        refused.push({
          prefix: one.prefix,
          text: 'another peer has the same address, and the kernel keeps one key for it',
        });
      }
    }
    return wanted;
  }

  #install(key: string, { prefix, password, ...rest }: PeerPassword): string | undefined {
    try {
      this.#apply(prefix, password);
      this.#installed.set(key, { prefix, password, ...rest });
      return undefined;
    } catch (error) {
      if (error instanceof SocketRefused) return error.message;
      throw error;
    }
  }

  #remove(key: string, prefix: PeerPassword['prefix']): void {
    this.#installed.delete(key);
    try {
      this.#apply(prefix, undefined);
    } catch (error) {
      // It was there when it was set, and nobody else has this socket: the kernel has forgotten it by itself.
      if (!(error instanceof SocketRefused)) throw error;
    }
  }

  #apply(prefix: PeerPassword['prefix'], password: string | undefined): void {
    if (this.#fd !== undefined) setOptions(this.#libc, this.#fd, [md5Option(prefix, password)]);
  }
}
