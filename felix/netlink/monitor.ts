/**
 * What the kernel tells by itself. Node cannot wait on a netlink socket (libuv takes no such descriptor), and a thread that
 * blocks in poll(2) would hold one of libuv's four and delay every exit. So the kernel sends a signal when something has
 * come (fcntl F_SETSIG), and we read all there is, without ever blocking. SIGURG, because its default is to be ignored:
 * one that comes late, when nobody listens any more, does no harm.
 */
import { isMainThread } from 'node:worker_threads';
import { GROUP } from './constants.ts';
import { decodeEvents } from './event.ts';
import { decodeMessages } from './header.ts';
import type { Message } from './header.ts';
import { SYS, SystemError } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { openNetlinkSocket, uninterrupted } from './socket.ts';
import type { KernelEvent } from '../kernel.ts';

const SIGNAL = 'SIGURG';
const SIGNAL_NUMBER = 23;
const GROUPS = Object.values(GROUP).reduce((bits, bit) => bits | bit, 0);
const DATAGRAM_OCTETS = 256 << 10;
/** After so many datagrams others have their turn. */
const DATAGRAMS_PER_TURN = 64;

export class Monitor {
  readonly #libc: Libc;
  readonly #listener: (event: KernelEvent) => void;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_OCTETS);
  readonly #onSignal = (): void => this.#drain();
  #open = true;

  /** Subscribed when this returns, in the namespace that the thread is in now. Throws SystemError. */
  constructor(libc: Libc, listener: (event: KernelEvent) => void) {
    if (!isMainThread) throw new Error('the kernel can only be watched from the main thread: signals reach no other');
    this.#libc = libc;
    this.#listener = listener;
    this.#fd = openNetlinkSocket(libc, { groups: GROUPS, nonBlocking: true });
    process.on(SIGNAL, this.#onSignal);
    libc.fcntl(this.#fd, SYS.fcntlSetOwner, process.pid);
    libc.fcntl(this.#fd, SYS.fcntlSetSignal, SIGNAL_NUMBER);
    libc.fcntl(this.#fd, SYS.fcntlSetFlags, SYS.fileAsync | SYS.socketNonBlocking);
    // What came before the signal was set.
    setImmediate(this.#onSignal);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.close(this.#fd);
    process.off(SIGNAL, this.#onSignal);
  }

  #drain(): void {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      // A listener may close us.
      if (!this.#open) return;
      const messages = this.#receive();
      if (messages === 'nothing') return;
      if (messages === 'overrun') this.#listener({ kind: 'overrun' });
      else for (const event of messages.flatMap(decodeEvents)) if (this.#stillOpen()) this.#listener(event);
    }
    setImmediate(this.#onSignal);
  }

  #stillOpen(): boolean {
    return this.#open;
  }

  #receive(): readonly Message[] | 'nothing' | 'overrun' {
    try {
      const octets = uninterrupted(() => this.#libc.receive(this.#fd, this.#buffer));
      return octets > this.#buffer.length ? 'overrun' : decodeMessages(this.#buffer.subarray(0, octets));
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EAGAIN') return 'nothing';
      if (error instanceof SystemError && error.code === 'ENOBUFS') return 'overrun';
      throw error;
    }
  }
}
