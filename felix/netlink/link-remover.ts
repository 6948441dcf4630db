/**
 * Removes links. Linux answers only when the last of a link's memory is free, after 15 to 30 ms, and is that slow for each message
 * by itself; nobody sees the link any more after half of a millisecond. So the answer is not waited for where a look shows that it
 * is gone, and those that wait meanwhile go as one: they are put into a group, which the kernel removes at once.
 */
import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoName } from '../../src/linux/errno.ts';
import type { Request, Verdict } from './header.ts';
import { encodeDeleteGroup, encodeDeleteLink, encodeJoinGroup } from './link.ts';

/** Each has a thread of libuv's pool, which has four. */
const MAX_AT_ONCE = 2;
/** `ip link set group` and its like give small numbers; of these each is used once. */
const GROUPS = { first: 2 ** 30, end: 2 ** 31 - 1 } as const;

const DONE: Verdict = { errno: 0 };

/** A socket whose exchanges may take long. */
export interface SlowSocket {
  execute(request: Request): Promise<Verdict>;
  executeAll(requests: readonly Request[]): Promise<readonly Verdict[]>;
  close(): Promise<void>;
}

export interface RemoverPorts {
  readonly open: () => SlowSocket;
  /** Whether there is no link of that name now; asked on another socket. */
  readonly isGone: (name: string) => Promise<boolean>;
}

interface Waiting {
  readonly name: string;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

export class LinkRemover {
  readonly #ports: RemoverPorts;
  readonly #idle: SlowSocket[] = [];
  readonly #all: SlowSocket[] = [];
  #waiting: Waiting[] = [];

  constructor(ports: RemoverPorts) {
    this.#ports = ports;
  }

  /** The kernel's verdict, or that it is gone. Rejects as the socket does. */
  remove(name: string): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((socket) => socket.close()));
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const socket = this.#idle.pop() ?? this.#open();
    if (socket === undefined) return;
    const group = this.#waiting;
    this.#waiting = [];
    void this.#serve(group, socket)
      .catch((error: unknown) => group.forEach(({ reject }) => reject(error)))
      .then(() => {
        this.#idle.push(socket);
        this.#next();
      });
  }

  #open(): SlowSocket | undefined {
    if (this.#all.length >= MAX_AT_ONCE) return undefined;
    const socket = this.#ports.open();
    this.#all.push(socket);
    return socket;
  }

  async #serve(waiting: readonly Waiting[], socket: SlowSocket): Promise<void> {
    const [first, ...others] = waiting;
    if (first !== undefined && others.length === 0) return this.#removeOne(first, socket);
    const group = randomInt(GROUPS.first, GROUPS.end);
    const joined = await socket.executeAll(waiting.map(({ name }) => encodeJoinGroup(name, group)));
    const there = waiting.filter(({ resolve }, i) => {
      const { errno } = joined[i]!;
      if (errno !== 0) resolve(joined[i]!);
      return errno === 0;
    });
    const [witness] = there;
    if (witness === undefined) return;
    const removing = socket.execute(encodeDeleteGroup(group));
    const done = (): void => there.forEach(({ resolve }) => resolve(DONE));
    void this.#untilGone(witness.name, removing).then(done, () => undefined);
    const verdict = await removing;
    if (verdict.errno === 0) done();
    // One that may not be removed stands in the way of all.
    else for (const each of there) await this.#removeOne(each, socket);
  }

  async #removeOne({ name, resolve }: Waiting, socket: SlowSocket): Promise<void> {
    const removing = socket.execute(encodeDeleteLink(name));
    void this.#untilGone(name, removing).then(
      () => resolve(DONE),
      () => undefined,
    );
    resolve(await removing);
  }

  /** Rejects where the kernel has answered before it was seen to be gone. */
  async #untilGone(name: string, removing: Promise<unknown>): Promise<void> {
    const state = { isOver: false };
    const over = (): void => void (state.isOver = true);
    removing.then(over, over);
    for (;;) {
      await nextTurn();
      const isGone = await this.#ports.isGone(name);
      if (state.isOver) throw new Error('answered');
      if (isGone) return;
    }
  }
}

export const isAbsent = ({ errno }: Verdict): boolean => errnoName(errno) === 'ENODEV';
