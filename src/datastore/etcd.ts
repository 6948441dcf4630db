import type { ICompare, IRangeRequest, IRangeResponse, ITxnResponse } from 'etcd3';
import type { Clock } from '../runtime/clock.ts';
import type { EtcdTls } from './etcd-tls.ts';
import { discoverEndpoints } from './etcd-discovery.ts';
import { EtcdMembers } from './etcd-members.ts';
import type { MembersPorts } from './etcd-members.ts';
import { entryOf, rangeEnd, rangeStart } from './etcd-values.ts';
import type { OpenedStream } from './etcd-watch.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { Change, Entry, Json, Keep, Listing, Store, Write } from './store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError, UnavailableError } from './store.ts';
import { checkWrites } from './write-all.ts';

export interface EtcdSettings {
  /** `http://127.0.0.1:2379`, `https://etcd-0:2379`; empty where `discoverySrv` says where they are. */
  readonly endpoints: readonly string[];
  /** A domain whose SRV records name the members. */
  readonly discoverySrv?: string;
  readonly username?: string;
  readonly password?: string;
  /** For `https://` endpoints; without a `ca`, the authorities that Node trusts. */
  readonly tls?: EtcdTls;
}

const PAGE_ENTRIES = 1_000;

/**
 * Opens a store in etcd v3; connects at the first call. Throws UnavailableError for a TLS file that cannot be read, and for a
 * domain that names no member.
 */
export async function openEtcdStore(settings: EtcdSettings, ports: MembersPorts): Promise<Store> {
  const { discoverySrv, tls = {} } = settings;
  const endpoints = discoverySrv === undefined ? settings.endpoints : await discoverEndpoints(discoverySrv);
  if (endpoints.length === 0) throw new UnavailableError('no etcd endpoint is given');
  return new EtcdStore(await EtcdMembers.open({ ...settings, endpoints, tls }, ports), ports.clock);
}

class EtcdStore implements Store {
  readonly #members: EtcdMembers;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #clusterId: string | undefined;

  constructor(members: EtcdMembers, clock: Clock) {
    this.#members = members;
    this.#clock = clock;
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.#range({ key: Buffer.from(key) });
    return kvs[0] === undefined ? undefined : entryOf(kvs[0]);
  }

  async list(prefix: string, keep: Keep = (entry) => entry): Promise<Listing> {
    const entries: Entry[] = [];
    const last = rangeEnd(prefix);
    let from = rangeStart(prefix);
    for (let revision = 0; ;) {
      const request = { key: from, range_end: last, limit: PAGE_ENTRIES, revision };
      const page = await this.#range(request);
      // All pages show the store at the first one's revision.
      revision ||= Number(page.header.revision);
      this.#clusterId = page.header.cluster_id;
      for (const kv of page.kvs) {
        const read = entryOf(kv);
        const entry = read && keep(read);
        if (entry !== undefined) entries.push(entry);
      }
      const end = page.kvs.at(-1);
      if (!page.more || end === undefined) {
        const source = `etcd at ${this.#members.endpoints.join(', ')}`;
        return { entries, revision, history: page.header.cluster_id, source };
      }
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
    const answer = await this.#members.answer({
      ask: (client) => client.kv.txn({ compare, success, failure }),
      isRead: false,
    });
    if (!answer.succeeded) throw refusal(writes, answer);
    return Number(answer.header.revision);
  }

  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return watchEtcd({
      prefix,
      revision,
      signal: AbortSignal.any([signal, this.#closing.signal]),
      open: () => this.#openStream(prefix),
      clock: this.#clock,
      clusterId: this.#clusterId,
    });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#members.close();
    return Promise.resolve();
  }

  #range(request: IRangeRequest): Promise<IRangeResponse> {
    return this.#members.answer({ ask: (client) => client.kv.range(request), isRead: true });
  }

  /**
   * A call of its own comes first: it finds a member that answers, and has etcd3 fetch a new token where the old one ran
   * out, which a watch stream could only learn by being cancelled.
   */
  #openStream(prefix: string): Promise<OpenedStream> {
    return this.#members.answer({
      ask: async (client, endpoint) => {
        await client.kv.range({ key: rangeStart(prefix), count_only: true });
        return { stream: await client.watchClient.watch(), endpoint };
      },
      isRead: true,
    });
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
