import { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './messages.ts';

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

const CLOSE_LIMIT_MS = 2000;

export const startThread =
  (after: (ms: number, callback: () => void) => () => void): StartThread =>
  (handlers) => {
    const worker = new Worker(entryPoint(), { name: 'bfd' });
    let isWanted = true;
    let reason = 'it ended by itself';
    worker.on('message', (message: FromThread) => {
      if (isWanted) handlers.said(message);
    });
    worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    const gone = new Promise<void>((resolve) =>
      worker.once('exit', () => {
        resolve();
        if (isWanted) handlers.ended(reason);
      }),
    );
    return {
      tell: (message) => worker.postMessage(message),
      close: async () => {
        isWanted = false;
        worker.postMessage({ do: 'close' } satisfies ToThread);
        const cancel = after(CLOSE_LIMIT_MS, () => void worker.terminate());
        await gone;
        cancel();
      },
    };
  };

/** Beside the sources, or beside the bundle; `build` in package.json makes it an entry point of its own. */
const entryPoint = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './calico-ts-bfd.mjs', import.meta.url);
