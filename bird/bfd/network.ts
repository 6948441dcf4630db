/** UDP as BFD needs it. The real one is udp.ts; tests have one in memory. */
import type { IpAddress } from '../../src/model/ip.ts';

/** RFC 5881: port 3784 and TTL 255; RFC 5883: port 4784 and any TTL. */
export type Hops = 'single hop' | 'multihop';

export interface Datagram {
  /** The memory is the network's again after the call. */
  readonly octets: Uint8Array;
  readonly source: IpAddress;
  /** What it came in through. */
  readonly interfaceIndex: number;
  /** TTL or Hop Limit as it arrived. */
  readonly ttl: number;
  /** Of the port that it came to. */
  readonly hops: Hops;
}

export interface PathTarget {
  readonly peer: IpAddress;
  readonly hops: Hops;
  readonly localAddress: IpAddress | undefined;
  readonly interface: string | undefined;
  /** The source port that the session had before. */
  readonly sourcePort: number | undefined;
}

/** The way of one session to its peer. */
export interface Path {
  /** Of the interface that the session is bound to, if it is. */
  readonly interfaceIndex: number | undefined;
  readonly sourcePort: number;
  /** Throws an Error with one sentence where the kernel refuses. */
  send(octets: Uint8Array): void;
  close(): void;
}

export interface Network {
  /** While a path is open, datagrams to its port are received. Throws an Error with one sentence where it cannot be. */
  open(target: PathTarget): Path;
  /** Hands over what has arrived and was not read yet. */
  readWaiting(): void;
}
