import type { IpAddress, Prefix } from '../../src/model/ip.ts';

/** Why a connection is not, or is no more. */
export interface CloseReason {
  /** In words: `connection refused`. */
  readonly text: string;
  /** The kernel's name for it where it was the kernel that said so: `ECONNREFUSED`. */
  readonly errno?: string;
  /** Of one that came in and that we did not let in: it comes from too far away (RFC 5082), or cannot be protected. */
  readonly refusal?: 'too far away' | 'not protected';
}

/** What a connection tells its user. After `closed` nothing more comes. */
export interface ConnectionHandlers {
  /** Our own connection stands. */
  opened(): void;
  /** Octets that arrived; the memory is the transport's again after the call. */
  data(octets: Uint8Array): void;
  /** The network took some of what was written. */
  progress(): void;
  /** For whatever reason it ended but our own `end` or `destroy`. */
  closed(reason: CloseReason): void;
}

/** One TCP connection, made or being made. */
export interface Connection {
  readonly remoteAddress: IpAddress;
  readonly remotePort: number | undefined;
  /** Of a link-local peer: the interface it was reached through. */
  readonly interface: string | undefined;
  /** Known once the connection stands. */
  readonly localAddress: IpAddress | undefined;
  readonly localPort: number | undefined;
  /** Written but not yet taken by the network. */
  readonly queuedOctets: number;
  /** How often in a row the kernel has sent again what the peer does not acknowledge, where it tells. RFC 6298. */
  readonly retransmits?: number | undefined;
  /** Must be called in the turn in which the connection was handed out. */
  attach(handlers: ConnectionHandlers): void;
  /**
   * For one that came in, whose peer was not known before: what protects it. To be called in the same turn, before
   * `attach`. Where that cannot be, the connection is closed and says so; it never goes on without.
   */
  secure(options: LinkOptions): void;
  write(octets: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Writes what is queued, hangs up, and resolves when the peer can have read it, within about two seconds. */
  end(): Promise<void>;
  /** Hangs up at once. */
  destroy(): void;
}

export interface LinkOptions {
  /** GTSM, RFC 5082: send with TTL 255, drop what comes from farther than so many hops. */
  readonly ttlSecurityHops?: number;
  /** TCP MD5, RFC 2385. */
  readonly password?: string;
}

export interface Target extends LinkOptions {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress;
  /** The link of a link-local address; the connection uses no other, whatever the address. */
  readonly interface?: string;
}

/** Whoever connects from `prefix` must sign with `password`, RFC 2385. */
export interface PeerPassword {
  readonly prefix: Prefix;
  readonly interface?: string;
  readonly password: string;
}

/** A password that is not in force: callers from `prefix` that sign are not heard. */
export interface PasswordRefusal {
  readonly prefix: Prefix;
  /** One sentence. */
  readonly text: string;
}

export interface Listener {
  /** Where it listens, also where port 0 left the choice to the kernel. */
  readonly port: number;
  /**
   * The whole set; it holds for connections that come after. Of two passwords for one prefix the first counts, the
   * kernel has one key for each. Gives what could not be set; setting the same again tries those again.
   */
  setPasswords(passwords: readonly PeerPassword[]): readonly PasswordRefusal[];
  /** Nobody is let in any more; connections that stand go on. */
  close(): Promise<void>;
}

/** Where to listen. Without `interface` on all links; the passwords are in force before the first caller is let in. */
export interface ListenAt {
  readonly address: string;
  readonly port: number;
  readonly interface?: string;
  readonly passwords?: readonly PeerPassword[];
}

/** TCP as the speaker needs it. The real one is tcp.ts; tests have one in memory. */
export interface Transport {
  connect(target: Target): Connection;
  /** Rejects with one sentence where the address or the port cannot be had. */
  listen(at: ListenAt, accept: (connection: Connection) => void): Promise<Listener>;
}
