/** Many BGP peers in one process that say OPEN and KEEPALIVE and listen: the other side of the sessions benchmark. */
import { Socket } from 'node:net';
import { Framer, MAX_OCTETS, encodeMessage, messageType, plainContext } from '../../bird/wire.ts';
import type { Open } from '../../bird/wire.ts';
import { systemClock } from '../../src/runtime/clock.ts';

export const ASN = 64_512;
export const HOLD_SECONDS = 3;
/** A third of the hold time, RFC 4271 §4.4: a keepalive that comes after longer is late by the difference. */
const KEEPALIVE_MS = 1000;

const KEEPALIVE = encodeMessage({ type: 'keepalive' }, plainContext);
const [OPEN_TYPE, NOTIFICATION_TYPE, KEEPALIVE_TYPE] = [1, 3, 4];

/** `127.1.0.1` and on: one address for each peer. */
export const peerAddress = (i: number): string => `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

function openOf(i: number): Uint8Array {
  const family = { afi: 1, safi: 1 };
  const capabilities = [
    { name: 'multiprotocol', family },
    { name: 'four-octet-as', asn: ASN },
  ] as const;
  const identifier = 0x0a00_0000 + i;
  const open: Open = {
    type: 'open',
    version: 4,
    asn: ASN,
    holdSeconds: HOLD_SECONDS,
    bgpIdentifier: identifier,
    capabilities,
  };
  return encodeMessage(open, plainContext);
}

/** So many connect at a time: BIRD's listener has room for 8, and whoever finds it full waits for a second. */
const WINDOW = 8;

/** Peers that all want their sessions now. */
export class SessionPeers {
  /** From the first connect until the last peer had its KEEPALIVE: all sessions are up then. */
  readonly allUp: Promise<number>;
  readonly #peers: readonly Peer[];
  readonly #ticks: NodeJS.Timeout;

  /** `first`: the number of the first of `count` peers. */
  constructor({ port, first, count }: { readonly port: number; readonly first: number; readonly count: number }) {
    const began = systemClock.now();
    const waiting = { count };
    const opens = Array.from({ length: count }, (_, i) => openOf(first + i));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.allUp = promise;
    const up = (): void => {
      if (--waiting.count === 0) resolve(systemClock.now() - began);
    };
    const next = { peer: 0 };
    const answered = (): void => this.#peers[next.peer++]?.connect();
    this.#peers = opens.map(
      (open, i) => new Peer({ port, localAddress: peerAddress(first + i) }, open, { answered, up, lost: reject }),
    );
    for (let i = 0; i < WINDOW; i++) answered();
    this.#ticks = setInterval(() => this.#peers.forEach((peer) => peer.keepAlive()), KEEPALIVE_MS);
  }

  /** By how many ms each keepalive came too late since the last call of this. */
  takeLateness(): readonly number[] {
    return this.#peers.flatMap((peer) => peer.takeLateness());
  }

  /** Sessions that stand. */
  get standing(): number {
    return this.#peers.filter(({ isUp }) => isUp).length;
  }

  /** Peer `i` says these messages; false when they are on their way. */
  say(i: number, octets: Uint8Array): Promise<false> {
    return this.#peers[i]!.say(octets);
  }

  close(): void {
    clearInterval(this.#ticks);
    for (const peer of this.#peers) peer.close();
  }
}

interface Owner {
  /** Its OPEN came. */
  readonly answered: () => void;
  readonly up: () => void;
  readonly lost: (error: Error) => void;
}

class Peer {
  isUp = false;
  readonly #at: { readonly port: number; readonly localAddress: string };
  readonly #open: Uint8Array;
  readonly #socket = new Socket();
  readonly #framer = new Framer(MAX_OCTETS);
  readonly #owner: Owner;
  #lastKeepalive = 0;
  #lateness: number[] = [];

  constructor(at: { readonly port: number; readonly localAddress: string }, open: Uint8Array, owner: Owner) {
    this.#at = at;
    this.#open = open;
    this.#owner = owner;
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('close', () => this.#lost(new Error(`the session of ${at.localAddress} was closed`)));
  }

  connect(): void {
    this.#socket.setNoDelay();
    this.#socket.connect({ host: '127.0.0.1', ...this.#at }, () => this.#socket.write(this.#open));
  }

  keepAlive(): void {
    if (this.isUp) this.#socket.write(KEEPALIVE);
  }

  takeLateness(): readonly number[] {
    const lateness = this.#lateness;
    this.#lateness = [];
    return lateness;
  }

  say(octets: Uint8Array): Promise<false> {
    return new Promise((resolve) => this.#socket.write(octets, () => resolve(false)));
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #lost(error: Error): void {
    this.isUp = false;
    this.#owner.lost(error);
  }

  #read(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next())
      this.#take(messageType(frame));
  }

  #take(type: number): void {
    if (type === OPEN_TYPE) {
      this.#socket.write(KEEPALIVE);
      this.#owner.answered();
    }
    if (type === NOTIFICATION_TYPE) this.#lost(new Error('a NOTIFICATION came'));
    if (type !== KEEPALIVE_TYPE) return;
    const now = systemClock.now();
    if (this.isUp) this.#lateness.push(Math.max(0, now - this.#lastKeepalive - KEEPALIVE_MS));
    else this.#owner.up();
    this.isUp = true;
    this.#lastKeepalive = now;
  }
}
