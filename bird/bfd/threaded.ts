import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Bfd, BfdChange, BfdSessionSettings, BfdSessionView } from './contract.ts';
import { nameOf, sessionKey } from './name.ts';
import type { FromThread } from './messages.ts';
import { sessionsByKey } from './settings.ts';
import type { BfdThread, StartThread } from './thread.ts';

export interface ThreadedPorts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly start: StartThread;
}

interface Wanted {
  readonly life: number;
  readonly settings: BfdSessionSettings;
  view: BfdSessionView;
}

/** Before the thread that ended by a fault is started again. */
const RESTART_MS = 1000;
/** A thread without sessions stays so long, longer than any of them takes to say goodbye. */
const IDLE_MS = 15_000;

/** The main thread's side: keeps what is wanted, believes what the thread says of it, starts the thread anew if it dies. */
export class ThreadedBfd implements Bfd {
  readonly #ports: ThreadedPorts;
  readonly #listeners = new Set<(change: BfdChange) => void>();
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  #lives = 0;
  #strangers: ReturnType<Bfd['strangers']> = {};
  #thread: BfdThread | undefined;
  /** What is to come: the thread's start after a fault, or its end without sessions. */
  #cancelPending: (() => void) | undefined;
  /** Threads that still say goodbye. */
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(ports: ThreadedPorts) {
    this.#ports = ports;
  }

  setSessions(sessions: readonly BfdSessionSettings[]): void {
    if (this.#isClosed) return;
    const wanted = new Map<string, Wanted>();
    for (const [key, settings] of sessionsByKey(sessions)) {
      const present = this.#wanted.get(key);
      wanted.set(key, { life: present?.life ?? ++this.#lives, settings, view: present?.view ?? viewOfNew(settings) });
    }
    this.#wanted = wanted;
    if (this.#thread !== undefined) this.#tellWanted(this.#thread);
    if (wanted.size === 0) this.#idle();
    else if (this.#thread === undefined) this.#startSoon();
    else this.#cancel();
  }

  onChange(listener: (change: BfdChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  sessions(): readonly BfdSessionView[] {
    return [...this.#wanted.values()].map(({ view }) => view);
  }

  strangers(): ReturnType<Bfd['strangers']> {
    return this.#strangers;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wanted = new Map();
    this.#stop();
    await Promise.all(this.#closing);
  }

  /** Not beside one that still has the ports, and not at once after a fault. */
  #startSoon(): void {
    if (this.#cancelPending !== undefined) return;
    if (this.#closing.size === 0) this.#start();
    else void Promise.all(this.#closing).then(() => this.#start());
  }

  #start(): void {
    if (this.#wanted.size === 0 || this.#thread !== undefined) return;
    const thread = this.#ports.start({
      said: (message) => this.#said(message),
      ended: (reason) => this.#ended(reason),
    });
    this.#thread = thread;
    this.#tellWanted(thread);
  }

  #idle(): void {
    if (this.#thread === undefined) this.#cancel();
    else this.#cancelPending ??= this.#ports.clock.after(IDLE_MS, () => this.#stop());
  }

  #cancel(): void {
    this.#cancelPending?.();
    this.#cancelPending = undefined;
  }

  #stop(): void {
    this.#cancel();
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread === undefined) return;
    const closing = thread.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #tellWanted(thread: BfdThread): void {
    const sessions = [...this.#wanted.values()].map(({ life, settings }) => ({ life, settings }));
    thread.tell({ do: 'setSessions', sessions });
  }

  #said(message: FromThread): void {
    if (message.type === 'change') {
      const wanted = this.#wanted.get(message.session.key);
      if (wanted?.life !== message.session.life) return;
      wanted.view = message.session.view;
      this.#changed(message.change);
      return;
    }
    this.#strangers = message.strangers;
    for (const { key, life, view } of message.sessions) {
      const wanted = this.#wanted.get(key);
      if (wanted?.life === life) wanted.view = view;
    }
  }

  /** A fault of ours says nothing about the paths, so nobody's BGP session ends for it. */
  #ended(reason: string): void {
    const { log, clock } = this.#ports;
    log.error({ reason }, 'the BFD thread ended; it is started again');
    this.#cancel();
    this.#thread = undefined;
    this.#cancelPending = clock.after(RESTART_MS, () => {
      this.#cancelPending = undefined;
      this.#start();
    });
    const diagnostic = `the BFD thread ended: ${reason}`;
    for (const wanted of [...this.#wanted.values()]) {
      const wasUp = wanted.view.state === 'Up';
      wanted.view = { ...viewOfNew(wanted.settings), problem: diagnostic };
      const change = { state: 'Down', diagnostic, wasUp, isPathFailure: false, isPeerIndependent: false } as const;
      if (wasUp) this.#changed({ ...nameOf(wanted.settings), ...change });
    }
  }

  #changed(change: BfdChange): void {
    const { log } = this.#ports;
    const { state, diagnostic, wasUp } = change;
    const fields = { peer: sessionKey(change), state, diagnostic };
    if (state === 'Up') log.info(fields, 'BFD session is up');
    else log.warn(fields, wasUp ? 'BFD session went down' : 'BFD session cannot begin');
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Until the thread says more. */
const viewOfNew = (settings: BfdSessionSettings): BfdSessionView => ({
  ...nameOf(settings),
  state: 'Down',
  localDiscriminator: 0,
  transmitMs: settings.transmitMs,
  flaps: 0,
  packets: { received: 0, sent: 0, dropped: {} },
});
