/** What the kernel tells by itself: the netlink thread reads it as it comes, and it is understood here, a slice in a turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KernelEvent } from '../kernel.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { GROUP } from './constants.ts';
import { routeEchoFilter } from './echo-filter.ts';
import { decodeEvents } from './event.ts';
import { decodeMessages } from './header.ts';
import { openNetlinkSocket } from './socket.ts';
import type { Heard, Performer } from './thread.ts';

const GROUPS = Object.values(GROUP).reduce((bits, bit) => bits | bit, 0);

/**
 * Opened in the namespace that the thread is in now, and subscribed from then on to all but the routes that the socket
 * with the netlink port `writer` writes. Throws SystemError.
 */
export const openMonitorSocket = (libc: Libc, writer: number): number =>
  openNetlinkSocket(libc, { groups: GROUPS, nonBlocking: true, filter: routeEchoFilter(writer) });

export interface MonitorPorts {
  readonly libc: Libc;
  readonly thread: Performer;
  readonly fd: number;
}

/** Of an overrun one event, too: whoever listens must read everything again. */
export type Decode<E> = (heard: Heard) => readonly E[];

export const decodeKernelEvents: Decode<KernelEvent> = (heard) =>
  heard === 'overrun' ? [{ kind: 'overrun' }] : decodeMessages(heard).flatMap(decodeEvents);

export class Monitor<E> {
  readonly #ports: MonitorPorts;
  readonly #decode: Decode<E>;
  readonly #listener: (event: E) => void;
  #told: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** Owns the socket of `ports` from now on. */
  constructor(ports: MonitorPorts, decode: Decode<E>, listener: (event: E) => void) {
    this.#ports = ports;
    this.#decode = decode;
    this.#listener = listener;
  }

  start(): Promise<void> {
    return this.#ports.thread.watch(this.#ports.fd, (heard) => this.#heard(heard));
  }

  /** Nothing is told any more; resolves when the socket is closed. */
  close(): Promise<void> {
    const { thread, libc, fd } = this.#ports;
    this.#closing ??= thread.forget(fd).then(() => libc.close(fd));
    return this.#closing;
  }

  /** Many slices may arrive in one turn of the event loop; others have their turn between them. */
  #heard(heard: Heard): Promise<void> {
    this.#told = this.#told.then(() => nextTurn()).then(() => this.#tell(heard));
    return this.#told;
  }

  #tell(heard: Heard): void {
    const events = this.#decode(heard);
    // A listener may close us.
    for (const event of events) if (this.#closing === undefined) this.#listener(event);
  }
}
