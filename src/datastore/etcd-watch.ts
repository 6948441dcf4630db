import type { IDuplexStream, IWatchRequest, IWatchResponse } from 'etcd3';
import type { Clock } from '../runtime/clock.ts';
import { asStoreError } from './etcd-errors.ts';
import type { WatchEvent } from './etcd-values.ts';
import { changeOf, rangeEnd, rangeStart } from './etcd-values.ts';
import { changeRevision } from './ledger.ts';
import type { Change } from './store.ts';
import { CompactedError, UnavailableError } from './store.ts';

export type WatchStream = IDuplexStream<IWatchRequest, IWatchResponse>;

/** A stream and the member that it leads to. */
export interface OpenedStream {
  readonly stream: WatchStream;
  readonly endpoint: string;
}

export interface EtcdWatch {
  readonly open: () => Promise<OpenedStream>;
  readonly prefix: string;
  readonly revision: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Of the cluster that `revision` is from; undefined where that is not known yet. */
  readonly clusterId: string | undefined;
}

/** Silence for so long is asked about; etcd answers a progress request at once. */
const ASK_AFTER_MS = 5_000;
/** Silence for so long, questions included, is a dead stream, whatever TCP says. */
const DEAD_AFTER_MS = 15_000;
/** Changes that wait for a slow reader. More, and the watch ends: the reader comes back for the rest when it can. */
const MAX_WAITING = 100_000;

/**
 * One watch stream of our own over etcd3's stubs. etcd3's Watcher starts at the revision of the *created* answer plus
 * one and so loses what lies between; this one always says where it starts, lets nothing through twice (the revision
 * guard), and takes any doubt about the stream as its end. It never reconnects by itself: the syncer does.
 */
export async function* watchEtcd(watch: EtcdWatch): AsyncGenerator<readonly Change[], void> {
  if (isAborted(watch.signal)) return;
  const mailbox = new Mailbox();
  const { stream, endpoint } = await watch.open();
  // A signal that fired meanwhile tells nobody any more.
  if (isAborted(watch.signal)) {
    stream.on('error', () => undefined);
    stream.cancel();
    return;
  }
  const heartbeat = new Heartbeat(watch.clock, { stream, endpoint }, mailbox);
  const onAbort = (): void => mailbox.end();
  watch.signal.addEventListener('abort', onAbort, { once: true });
  // The error listener stays for good: a late error of a cancelled stream must not end the process.
  stream.on('error', (cause) => mailbox.end(asStoreError(cause, [endpoint])));
  stream.on('end', () => mailbox.end(new UnavailableError(`etcd at ${endpoint} ended the watch`)));
  const receive = receiver(watch, endpoint, mailbox);
  stream.on('data', (response) => {
    heartbeat.heard();
    receive(response);
  });
  stream.write(createRequest(watch));
  try {
    for (let batch = await mailbox.take(); batch !== undefined; batch = await mailbox.take()) yield batch;
  } finally {
    heartbeat.stop();
    watch.signal.removeEventListener('abort', onAbort);
    stream.cancel();
  }
}

/** Asked anew each time: the type checker believes that what was false before an await is so after it. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

const createRequest = ({ prefix, revision }: EtcdWatch): IWatchRequest => ({
  create_request: {
    key: rangeStart(prefix),
    range_end: rangeEnd(prefix),
    start_revision: String(revision + 1),
    progress_notify: true,
    fragment: true,
  },
});

/** Turns responses into batches; a batch never ends inside a revision. */
function receiver(watch: EtcdWatch, endpoint: string, mailbox: Mailbox): (response: IWatchResponse) => void {
  let seen = watch.revision;
  let fragments: Change[] = [];
  return (response) => {
    const failure = failureIn(response, watch, endpoint);
    if (failure !== undefined) {
      mailbox.end(failure);
      return;
    }
    fragments.push(...(response.events as readonly unknown[] as readonly WatchEvent[]).map(changeOf));
    if (response.fragment) return;
    const fresh = fragments.filter((change) => changeRevision(change) > seen);
    fragments = [];
    if (fresh.length === 0) return;
    seen = changeRevision(fresh.at(-1)!);
    mailbox.put(fresh, endpoint);
  };
}

function failureIn(response: IWatchResponse, { clusterId, revision }: EtcdWatch, endpoint: string): Error | undefined {
  if (Number(response.compact_revision) > 0) {
    return new CompactedError(`etcd keeps only what follows revision ${response.compact_revision}, not ${revision}`);
  }
  if (response.canceled) {
    return asStoreError(new Error(response.cancel_reason || 'it cancelled the watch'), [endpoint]);
  }
  if (!response.created) return undefined;
  if (clusterId !== undefined && clusterId !== response.header.cluster_id) {
    return new CompactedError(`etcd at ${endpoint} is another cluster now`);
  }
  // A wiped data directory or a restored backup: waiting for a revision that is to come again would miss what is new.
  if (Number(response.header.revision) < revision) {
    return new CompactedError(
      `etcd at ${endpoint} is at revision ${response.header.revision}, behind the ${revision} we have seen`,
    );
  }
  return undefined;
}

/** Asks a silent stream for a sign of life, and gives up on one that gives none. What is heard costs no timer: they come by the hundred. */
class Heartbeat {
  readonly #clock: Clock;
  readonly #stream: WatchStream;
  readonly #endpoint: string;
  readonly #mailbox: Mailbox;
  #heardAt: number;
  /** How often since. Counted, for a host may have slept meanwhile. */
  #asked = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, { stream, endpoint }: OpenedStream, mailbox: Mailbox) {
    this.#clock = clock;
    this.#stream = stream;
    this.#endpoint = endpoint;
    this.#mailbox = mailbox;
    this.#heardAt = clock.now();
    this.#lookIn(ASK_AFTER_MS);
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#asked = 0;
  }

  stop(): void {
    this.#cancel();
  }

  #lookIn(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const leftMs = this.#heardAt + ASK_AFTER_MS - this.#clock.now();
    if (this.#asked === 0 && leftMs > 0) {
      this.#lookIn(leftMs);
      return;
    }
    this.#asked++;
    const silentMs = this.#asked * ASK_AFTER_MS;
    if (silentMs >= DEAD_AFTER_MS) {
      const text = `etcd at ${this.#endpoint} does not answer: its watch has been silent for ${silentMs / 1000} seconds`;
      this.#mailbox.end(new UnavailableError(text));
      return;
    }
    this.#stream.write({ progress_request: {} });
    this.#lookIn(ASK_AFTER_MS);
  }
}

/** Hands batches from the stream's events to the one who iterates, in order; what came before the end is still given out. */
class Mailbox {
  #batches: (readonly Change[])[] = [];
  #waiting = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  put(batch: readonly Change[], endpoint: string): void {
    if (this.#ended) return;
    this.#waiting += batch.length;
    this.#batches.push(batch);
    if (this.#waiting > MAX_WAITING) {
      this.end(new UnavailableError(`the watch of etcd at ${endpoint} is read too slowly`));
    }
    this.#wake?.();
  }

  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    // Whoever asks to stop wants nothing more.
    if (failure === undefined) this.#batches = [];
    this.#wake?.();
  }

  /** Undefined at a quiet end. Throws the failure at any other. */
  async take(): Promise<readonly Change[] | undefined> {
    while (this.#batches.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const batch = this.#batches.shift();
    if (batch === undefined && this.#failure !== undefined) throw this.#failure;
    this.#waiting -= batch?.length ?? 0;
    return batch;
  }
}
