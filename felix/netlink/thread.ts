/**
 * The netlink thread as the main thread has it: one for all sockets of the process, born with the first task, gone with
 * the last user. Sockets are opened and closed by the main thread, so one that dies by a fault loses none of them.
 */
import { Worker } from 'node:worker_threads';
import type { Libc } from '../../src/linux/libc.ts';
import { SystemError, loadLibc } from '../../src/linux/libc.ts';
import type { FromThread, Success, Task, ThreadOrder, ToThread } from './messages.ts';

/** The thread died by a fault of ours. A new one takes the next task. */
export class NetlinkThreadError extends Error {
  override readonly name = 'NetlinkThreadError';
}

export type Heard = Uint8Array<ArrayBuffer> | 'overrun';
/** Resolves when it has taken it in; a few more may come before that. */
type Listener = (heard: Heard) => Promise<void>;
type OnOctets = (octets: Uint8Array<ArrayBuffer>) => void;

/** Its `octets` are the last part of the kernel's answer. */
export type Answer = Omit<Success, 'ok'>;

interface Pending {
  readonly onOctets: OnOctets;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** What may be asked of a thread; a test's own is called directly. */
export interface Performer {
  /** `onOctets` gets all parts of an answer but the last. Rejects with SystemError, or NetlinkThreadError. */
  perform(task: Task, onOctets?: OnOctets): Promise<Answer>;
  /** `listener` hears what comes on a non-blocking socket, and `overrun` where something may have been lost. */
  watch(fd: number, listener: Listener): Promise<void>;
  forget(fd: number): Promise<void>;
}

const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 } as const;

export class NetlinkThread implements Performer {
  readonly #listeners = new Map<number, Listener>();
  #users = 0;
  #life: ThreadLife | undefined;

  /** Everyone who takes it releases it once. */
  take(): void {
    this.#users++;
  }

  /** Resolves when the thread is gone, where nobody else has it. */
  async release(): Promise<void> {
    this.#users--;
    const life = this.#life;
    if (this.#users > 0 || life === undefined) return;
    this.#life = undefined;
    await life.close();
  }

  perform(task: Task, onOctets: OnOctets = () => undefined): Promise<Answer> {
    return this.#living().perform(task, onOctets);
  }

  async watch(fd: number, listener: Listener): Promise<void> {
    const life = this.#living();
    this.#listeners.set(fd, listener);
    await life.perform({ do: 'watch', fd }, () => undefined);
  }

  async forget(fd: number): Promise<void> {
    this.#listeners.delete(fd);
    // A thread that is gone reads nothing any more.
    if (this.#life !== undefined)
      await this.#life.perform({ do: 'forget', fd }, () => undefined).catch(() => undefined);
  }

  #living(): ThreadLife {
    if (this.#life !== undefined) return this.#life;
    const life: ThreadLife = new ThreadLife(loadLibc(), {
      heard: async (fd, heard) => {
        await this.#listeners.get(fd)?.(heard);
        if (this.#listeners.has(fd)) life.tell({ do: 'taken', fd });
      },
      ended: (hasWorked) => this.#ended(life, hasWorked),
    });
    this.#life = life;
    for (const fd of this.#listeners.keys())
      void life.perform({ do: 'watch', fd }, () => undefined).catch(() => undefined);
    return life;
  }

  /** One that never answered is not started again before somebody asks for something: it would end again. */
  #ended(life: ThreadLife, hasWorked: boolean): void {
    if (this.#life === life) this.#life = undefined;
    if (hasWorked && this.#listeners.size > 0) this.#living();
    for (const listener of [...this.#listeners.values()]) void listener('overrun');
  }
}

interface LifeHandlers {
  heard(fd: number, heard: Heard): Promise<void>;
  /** By a fault. `hasWorked`: it had answered at least once. */
  ended(hasWorked: boolean): void;
}

/** One worker, from its start to its end. */
class ThreadLife {
  readonly #libc: Libc;
  readonly #wakeFd: number;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #gone: Promise<void>;
  /** process.exit waits for all threads, and one that sleeps in poll(2) does not notice that it should end. */
  readonly #onProcessExit = (): void => this.#post({ do: 'halt' });
  #nextId = 1;
  #isWanted = true;
  #isGone = false;
  #hasWorked = false;

  constructor(libc: Libc, handlers: LifeHandlers) {
    this.#libc = libc;
    this.#wakeFd = libc.eventFd();
    const workerData: ThreadOrder = { wakeFd: this.#wakeFd };
    // What the process was started with (--eval, --inspect) is not for the thread.
    this.#worker = new Worker(entryPoint(), {
      name: 'netlink',
      workerData,
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    // Only an answer that is awaited keeps the process alive.
    this.#worker.unref();
    process.on('exit', this.#onProcessExit);
    this.#gone = this.#listen(handlers);
  }

  perform(task: Task, onOctets: OnOctets): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { onOctets, resolve, reject });
      this.#post({ ...task, id }, task.do === 'exchange' ? task.octets : undefined);
    });
  }

  /** A task whose outcome nobody waits for. */
  tell(task: Task): void {
    this.#post({ ...task, id: 0 });
  }

  async close(): Promise<void> {
    this.#isWanted = false;
    this.#worker.ref();
    this.#post({ do: 'halt' });
    await this.#gone;
  }

  #post(message: ToThread, octets?: Uint8Array<ArrayBuffer>): void {
    // The number of the descriptor may be somebody else's by now.
    if (this.#isGone) return;
    this.#worker.postMessage(message, octets === undefined ? [] : [octets.buffer]);
    this.#libc.wake(this.#wakeFd);
  }

  /** Resolves when the thread is gone. */
  #listen(handlers: LifeHandlers): Promise<void> {
    let reason = 'it ended by itself';
    this.#worker.on('message', (message: FromThread) => {
      this.#hasWorked = true;
      if (message.type === 'heard') void handlers.heard(message.fd, message.octets);
      else this.#answered(message);
    });
    this.#worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    return new Promise((resolve) =>
      this.#worker.once('exit', () => {
        process.off('exit', this.#onProcessExit);
        this.#isGone = true;
        this.#libc.close(this.#wakeFd);
        const error = new NetlinkThreadError(`the netlink thread ended: ${reason}`);
        for (const { reject } of this.#pending.values()) reject(error);
        this.#pending.clear();
        resolve();
        if (this.#isWanted) handlers.ended(this.#hasWorked);
      }),
    );
  }

  #answered(message: Exclude<FromThread, { readonly type: 'heard' }>): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === 'octets') {
      pending.onOctets(message.octets);
      return;
    }
    this.#pending.delete(message.id);
    if (this.#pending.size === 0 && this.#isWanted) this.#worker.unref();
    const { outcome } = message;
    if (outcome.ok) pending.resolve(outcome);
    else pending.reject(new SystemError(outcome.call, outcome.errno));
  }
}

/** Beside the sources, or beside the bundle; `build` in package.json makes it an entry point of its own. */
const entryPoint = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './calico-ts-netlink.mjs', import.meta.url);

/** The one of this process. */
export const netlinkThread = new NetlinkThread();
