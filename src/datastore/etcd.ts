import { readFile } from 'node:fs/promises';
import { Etcd3 } from 'etcd3';
import type { ICompare, IOptions, IRangeResponse, ITxnResponse } from 'etcd3';
import type { Clock } from '../runtime/clock.ts';
import { asStoreError, wasNeverSent } from './etcd-errors.ts';
import type { KeyValue } from './etcd-values.ts';
import { entryOf, rangeEnd, rangeStart } from './etcd-values.ts';
import type { WatchStream } from './etcd-watch.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { Change, Entry, Json, Listing, Store, Write } from './store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError, UnavailableError } from './store.ts';
import { checkWrites } from './write-all.ts';

export interface EtcdSettings {
  /** `http://127.0.0.1:2379`, `https://etcd-0:2379`. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** No call takes longer, whatever etcd or the network does. */
const ANSWER_MS = 5_000;
const PAGE_ENTRIES = 1_000;

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

/** Opens a store in etcd v3; connects at the first call. Throws UnavailableError for a TLS file that cannot be read. */
export async function openEtcdStore(settings: EtcdSettings, ports: { readonly clock: Clock }): Promise<Store> {
  if (settings.endpoints.length === 0) throw new UnavailableError('no etcd endpoint is given');
  return new EtcdStore(settings, await clientOptions(settings, ports.clock), ports.clock);
}

async function clientOptions(settings: EtcdSettings, clock: Clock): Promise<IOptions> {
  const { endpoints, username, password } = settings;
  const attemptMs = Math.max(1_500, Math.floor(ANSWER_MS / endpoints.length));
  const credentials = await tlsFiles(settings);
  return {
    hosts: [...endpoints],
    ...(credentials && { credentials }),
    ...(username !== undefined && { auth: { username, password: password ?? '' } }),
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: new Date(clock.wallTime() + attemptMs) }),
    grpcOptions: {
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 256 << 20,
    },
    // etcd3's defaults repeat a transaction that may have been applied, and stop asking for five seconds after three failures.
    faultHandling: { global: onceOnEachHost(endpoints.length), host: () => onceOnEachHost(1) },
  };
}

async function tlsFiles(settings: EtcdSettings): Promise<IOptions['credentials']> {
  const read = async (setting: 'caFile' | 'certFile' | 'keyFile'): Promise<Buffer | undefined> => {
    const path = settings[setting];
    if (path === undefined) return undefined;
    return readFile(path).catch((cause: unknown) => {
      throw new UnavailableError(`etcd ${setting} = '${path}': cannot be read (${(cause as Error).message})`, {
        cause,
      });
    });
  };
  const [rootCertificate, certChain, privateKey] = [
    await read('caFile'),
    await read('certFile'),
    await read('keyFile'),
  ];
  if ((certChain === undefined) !== (privateKey === undefined)) {
    throw new UnavailableError('etcd certFile and keyFile belong together: only one of them is given');
  }
  if (rootCertificate !== undefined)
    return { rootCertificate, ...(certChain && privateKey && { certChain, privateKey }) };
  if (certChain !== undefined) throw new UnavailableError('etcd certFile is given without caFile');
  return undefined;
}

/** Tries the next host only where the request was never sent; etcd3 hands the hosts out in a shuffled round. */
function onceOnEachHost(hosts: number): Policy {
  const policy: Pick<Policy, 'execute' | 'onSuccess' | 'onFailure'> = {
    onSuccess: () => ({ dispose: () => undefined }),
    onFailure: () => ({ dispose: () => undefined }),
    execute: async (work, signal = new AbortController().signal) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work({ signal });
        } catch (cause) {
          if (attempt >= hosts || !wasNeverSent(cause)) throw cause;
        }
      }
    },
  };
  return policy as Policy;
}

class EtcdStore implements Store {
  readonly #settings: EtcdSettings;
  readonly #clock: Clock;
  readonly #client: Etcd3;
  readonly #closing = new AbortController();
  #clusterId: string | undefined;

  constructor(settings: EtcdSettings, options: IOptions, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#client = new Etcd3(options);
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.#call(() => this.#client.kv.range({ key: Buffer.from(key) }));
    return kvs[0] === undefined ? undefined : entryOf(kvs[0]);
  }

  async list(prefix: string): Promise<Listing> {
    const found: KeyValue[] = [];
    const last = rangeEnd(prefix);
    let from = rangeStart(prefix);
    for (let revision = 0; ;) {
      const request = { key: from, range_end: last, limit: PAGE_ENTRIES, revision };
      const page: IRangeResponse = await this.#call(() => this.#client.kv.range(request));
      // All pages show the store at the first one's revision.
      revision ||= Number(page.header.revision);
      this.#clusterId = page.header.cluster_id;
      found.push(...page.kvs);
      const end = page.kvs.at(-1);
      if (!page.more || end === undefined) return { entries: found.flatMap((kv) => entryOf(kv) ?? []), revision };
      from = Buffer.concat([end.key, Buffer.of(0)]);
    }
  }

  async create(key: string, value: Json): Promise<Entry> {
    return { key, value, revision: await this.#write([{ type: 'create', key, value }]) };
  }

  async update(key: string, value: Json, revision: number): Promise<Entry> {
    return { key, value, revision: await this.#write([{ type: 'update', key, value, revision }]) };
  }

  async delete(key: string, revision?: number): Promise<void> {
    await this.writeAll([revision === undefined ? { type: 'delete', key } : { type: 'delete', key, revision }]);
  }

  async writeAll(writes: readonly Write[]): Promise<void> {
    checkWrites(writes);
    if (writes.length > 0) await this.#write(writes);
  }

  /** One transaction; gives its revision. */
  async #write(writes: readonly Write[]): Promise<number> {
    const compare = writes.flatMap(guardsOf);
    const success = writes.map((write) =>
      write.type === 'delete'
        ? { request_delete_range: { key: Buffer.from(write.key) } }
        : { request_put: { key: Buffer.from(write.key), value: Buffer.from(JSON.stringify(write.value)) } },
    );
    const failure = writes.map(({ key }) => ({ request_range: { key: Buffer.from(key) } }));
    const answer = await this.#call(() => this.#client.kv.txn({ compare, success, failure }));
    if (!answer.succeeded) throw refusal(writes, answer);
    return Number(answer.header.revision);
  }

  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return watchEtcd({
      prefix,
      revision,
      signal: AbortSignal.any([signal, this.#closing.signal]),
      open: () => this.#openStream(prefix),
      endpoints: this.#settings.endpoints,
      clock: this.#clock,
      clusterId: this.#clusterId,
    });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#client.close();
    return Promise.resolve();
  }

  /**
   * A call of its own comes first: it finds a host that answers, and has etcd3 fetch a new token where the old one ran
   * out, which a watch stream could only learn by being cancelled.
   */
  async #openStream(prefix: string): Promise<WatchStream> {
    await this.#call(() => this.#client.kv.range({ key: rangeStart(prefix), count_only: true }));
    return this.#call(() => this.#client.watchClient.watch());
  }

  /** Bounds the whole call, authentication included, and gives every failure one sentence. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    const { endpoints } = this.#settings;
    if (this.#closing.signal.aborted)
      throw new UnavailableError(`the store in etcd at ${endpoints.join(', ')} is closed`);
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      const error = (): UnavailableError =>
        new UnavailableError(
          `etcd at ${endpoints.join(', ')} does not answer: no reply within ${ANSWER_MS / 1000} seconds`,
        );
      cancel = this.#clock.after(ANSWER_MS, () => reject(error()));
    });
    try {
      return await Promise.race([work(), late]);
    } catch (cause) {
      throw asStoreError(cause, endpoints);
    } finally {
      cancel();
    }
  }
}

/** What must be so for a write to be done. Existence is asked for by itself: a missing key is at revision 0 for etcd. */
function guardsOf(write: Write): readonly ICompare[] {
  const key = Buffer.from(write.key);
  if (write.type === 'create') return [{ key, target: 'Version', result: 'Equal', version: 0 }];
  const exists: ICompare = { key, target: 'Version', result: 'Greater', version: 0 };
  if (write.revision === undefined) return [exists];
  return [exists, { key, target: 'Mod', result: 'Equal', mod_revision: write.revision }];
}

/** Why guarded writes were not done: the transaction's other branch has read their keys. */
function refusal(writes: readonly Write[], answer: ITxnResponse): Error {
  for (const [i, write] of writes.entries()) {
    const { key } = write;
    const current = answer.responses[i]?.response_range.kvs[0];
    if (write.type === 'create') {
      if (current !== undefined) return new AlreadyExistsError(`${key} exists already`);
    } else if (current === undefined) return new NotFoundError(`${key} does not exist`);
    else if (write.revision !== undefined && Number(current.mod_revision) !== write.revision) {
      return new ConflictError(`${key} is at revision ${current.mod_revision}, not at ${write.revision}`);
    }
  }
  return new ConflictError(`${writes.map(({ key }) => key).join(', ')}: changed meanwhile`);
}
