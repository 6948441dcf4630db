/**
 * Exchanges of a few routes, by the thread that asks: the kernel has done them when send(2) returns, some ten microseconds later, and on
 * a host whose cores are busy the way to the netlink thread and back is two waits for a core. docs/adr/0019.
 */
import type { Libc } from '../../src/linux/libc.ts';
import { SystemError } from '../../src/linux/libc.ts';
import type { Outcome, Task } from './messages.ts';
import { Pump } from './pump.ts';
import type { Answer, Performer } from './thread.ts';

/**
 * An exchange that took so long waited for the kernel's lock, which somebody holds who makes or removes links, most likely not
 * once: while that may go on the netlink thread waits, and not the event loop.
 */
const LONG_MS = 2;
const LEAVE_MS = 1_000;

type OnOctets = (octets: Uint8Array<ArrayBuffer>) => void;

interface Said {
  readonly onOctets: OnOctets;
  outcome?: Outcome;
}

export interface BriefPorts {
  readonly libc: Libc;
  readonly thread: Performer;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
}

/** For one socket. Whatever is asked is done in the order in which it was asked: what is brief waits behind what the thread still does. */
export class BriefPerformer implements Performer {
  readonly #ports: BriefPorts;
  readonly #pump: Pump;
  /** What the pump says goes there. */
  #said: Said | undefined;
  /** Tasks that the thread has not answered yet. */
  #underWay = 0;
  /** Until then the thread does all. */
  #leftUntil = -Infinity;

  constructor(ports: BriefPorts) {
    this.#ports = ports;
    this.#pump = new Pump(ports.libc, (message) => {
      if (message.type === 'octets') this.#said!.onOctets(message.octets);
      else if (message.type === 'done') this.#said!.outcome = message.outcome;
    });
  }

  async perform(task: Task, onOctets: OnOctets = () => undefined): Promise<Answer> {
    const { now, thread } = this.#ports;
    const isHere = task.do === 'exchange' && task.isBrief === true && this.#underWay === 0 && now() >= this.#leftUntil;
    if (isHere) return this.#perform(task, onOctets);
    this.#underWay++;
    try {
      return await thread.perform(task, onOctets);
    } finally {
      this.#underWay--;
    }
  }

  watch(...args: Parameters<Performer['watch']>): Promise<void> {
    return this.#ports.thread.watch(...args);
  }

  forget(fd: number): Promise<void> {
    return this.#ports.thread.forget(fd);
  }

  #perform(task: Task, onOctets: OnOctets): Answer {
    const { now } = this.#ports;
    const startedAt = now();
    const said: Said = { onOctets };
    this.#said = said;
    this.#pump.perform(0, task);
    const endedAt = now();
    if (endedAt - startedAt > LONG_MS) this.#leftUntil = endedAt + LEAVE_MS;
    const outcome = said.outcome!;
    if (!outcome.ok) throw new SystemError(outcome.call, outcome.errno);
    return outcome;
  }
}
