import { Worker } from 'node:worker_threads';
import type { Libc } from './libc.ts';
import type { FromThread, ThreadOrder, ToThread } from './messages.ts';

/** What the thread says; after `ended` nothing more comes. */
export interface ThreadHandlers {
  said(message: FromThread): void;
  /** Nobody asked it to. `reason` in words. */
  ended(reason: string): void;
}

export interface BfdThread {
  tell(message: ToThread): void;
  /** Resolves when it has said goodbye to the peers and is gone, at the latest after two seconds. */
  close(): Promise<void>;
}

export type StartThread = (handlers: ThreadHandlers) => BfdThread;

export interface ThreadPorts {
  readonly libc: () => Libc;
  readonly after: (ms: number, callback: () => void) => () => void;
}

const CLOSE_LIMIT_MS = 2000;

export const startThread =
  (ports: ThreadPorts): StartThread =>
  (handlers) =>
    new WorkerThread(ports, handlers);

class WorkerThread implements BfdThread {
  readonly #ports: ThreadPorts;
  readonly #libc: Libc;
  readonly #wakeFd: number;
  readonly #worker: Worker;
  readonly #gone: Promise<void>;
  /** process.exit waits for all threads, and one that sleeps in poll(2) does not notice that it should end. */
  readonly #onProcessExit = (): void => this.tell({ do: 'halt' });
  #isWanted = true;
  #isGone = false;

  constructor(ports: ThreadPorts, handlers: ThreadHandlers) {
    this.#ports = ports;
    this.#libc = ports.libc();
    this.#wakeFd = this.#libc.eventFd();
    this.#worker = new Worker(entryPoint(), {
      name: 'bfd',
      workerData: { wakeFd: this.#wakeFd } satisfies ThreadOrder,
    });
    process.on('exit', this.#onProcessExit);
    this.#gone = this.#listen(handlers);
  }

  tell(message: ToThread): void {
    // The number of the descriptor may be somebody else's by now.
    if (this.#isGone) return;
    this.#worker.postMessage(message);
    this.#libc.wake(this.#wakeFd);
  }

  async close(): Promise<void> {
    this.#isWanted = false;
    this.tell({ do: 'close' });
    const cancel = this.#ports.after(CLOSE_LIMIT_MS, () => {
      void this.#worker.terminate();
      this.tell({ do: 'halt' });
    });
    await this.#gone;
    cancel();
  }

  /** Resolves when the thread is gone. */
  #listen(handlers: ThreadHandlers): Promise<void> {
    let reason = 'it ended by itself';
    this.#worker.on('message', (message: FromThread) => {
      if (this.#isWanted) handlers.said(message);
    });
    this.#worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    return new Promise((resolve) =>
      this.#worker.once('exit', () => {
        process.off('exit', this.#onProcessExit);
        this.#isGone = true;
        this.#libc.close(this.#wakeFd);
        resolve();
        if (this.#isWanted) handlers.ended(reason);
      }),
    );
  }
}

/** Beside the sources, or beside the bundle; `build` in package.json makes it an entry point of its own. */
const entryPoint = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './calico-ts-bfd.mjs', import.meta.url);
