/** Exchanges that the kernel takes long for, by a thread of libuv's pool: the netlink thread has others to serve meanwhile. */
import type { Libc } from '../../src/linux/libc.ts';
import { aligned } from './attribute.ts';
import type { Exchange, Task } from './messages.ts';
import { isEnd } from './pump.ts';
import type { Answer, Performer } from './thread.ts';

/** The kernel sends at most 32 KiB at once, in a dump. */
const DATAGRAM_OCTETS = 32 << 10;
const CHUNK_OCTETS = 128 << 10;

type OnOctets = (octets: Uint8Array<ArrayBuffer>) => void;

/** One exchange at a time, in order: for one socket, or for several that need not be quick. */
export class ApartPerformer implements Performer {
  readonly #libc: Libc;
  #last: Promise<unknown> = Promise.resolve();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  perform(task: Task, onOctets: OnOctets = () => undefined): Promise<Answer> {
    if (task.do !== 'exchange') throw new Error(`${task.do} is the netlink thread's`);
    const answer = this.#last.then(() => this.#exchange(task, onOctets));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  watch(): Promise<void> {
    throw new Error("to watch is the netlink thread's");
  }

  /** Nobody uses a descriptor behind all that was asked. */
  async forget(): Promise<void> {
    await this.#last;
  }

  async #exchange({ fd, octets, until }: Exchange, onOctets: OnOctets): Promise<Answer> {
    await this.#libc.sendApart(fd, octets);
    let buffer = new Uint8Array(CHUNK_OCTETS);
    for (let length = 0; ;) {
      if (buffer.length - length < DATAGRAM_OCTETS) {
        onOctets(buffer.subarray(0, length));
        buffer = new Uint8Array(CHUNK_OCTETS);
        length = 0;
      }
      const received = await this.#libc.receiveApart(fd, buffer.subarray(length));
      const isOver = isEnd(buffer.subarray(length, length + received), until);
      length = aligned(length + received);
      if (isOver) return { octets: buffer.subarray(0, length) };
    }
  }
}
