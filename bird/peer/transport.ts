import type { IpAddress } from '../../src/model/ip.ts';

/** What a connection tells its user. After `closed` nothing more comes. */
export interface ConnectionHandlers {
  /** Our own connection stands. */
  opened(): void;
  /** Octets that arrived; the memory is the transport's again after the call. */
  data(octets: Uint8Array): void;
  /** The network took some of what was written. */
  progress(): void;
  /** In words: `connection refused`; for whatever reason it ended but our own `end` or `destroy`. */
  closed(reason: string): void;
}

/** One TCP connection, made or being made. */
export interface Connection {
  readonly remoteAddress: IpAddress;
  /** Known once the connection stands. */
  readonly localAddress: IpAddress | undefined;
  /** Written but not yet taken by the network. */
  readonly queuedOctets: number;
  /** Must be called in the turn in which the connection was handed out. */
  attach(handlers: ConnectionHandlers): void;
  write(octets: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Writes what is queued, hangs up, and resolves when the peer can have read it, within about two seconds. */
  end(): Promise<void>;
  /** Hangs up at once. */
  destroy(): void;
}

export interface Target {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress;
}

export interface Listener {
  close(): Promise<void>;
}

/** TCP as the speaker needs it. The real one is tcp.ts; tests have one in memory. */
export interface Transport {
  connect(target: Target): Connection;
  /** Rejects with one sentence where the address or the port cannot be had. */
  listen(
    at: { readonly address: string; readonly port: number },
    accept: (connection: Connection) => void,
  ): Promise<Listener>;
}
