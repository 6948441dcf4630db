import type { Etcd3 } from 'etcd3';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { createEtcdClient } from './etcd-client.ts';
import { asStoreError, isOldAuth, isRefusal, plainly, unanswered, wasNeverSent } from './etcd-errors.ts';
import type { Failure } from './etcd-errors.ts';
import { readTls, tlsReason } from './etcd-tls.ts';
import type { EtcdTls, TlsMaterial } from './etcd-tls.ts';
import { CompactedError, UnavailableError } from './store.ts';

export interface MembersSettings {
  /** Not empty. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly tls: EtcdTls;
}

export interface MembersPorts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Question<T> {
  /** Asks one member. */
  readonly ask: (client: Etcd3, endpoint: string) => Promise<T>;
  /** Changes nothing: may be asked again elsewhere though the first member may have got it. */
  readonly isRead: boolean;
}

/** No question takes longer, whatever etcd or the network does. */
const ANSWER_MS = 5_000;

/**
 * etcd's members, one client for each. The one that answered last is asked first, so that a question does not wait for a dead
 * one each time; the first of all is drawn by lot, so that the nodes of a cluster spread over the members.
 */
export class EtcdMembers {
  readonly #settings: MembersSettings;
  readonly #clock: Clock;
  readonly #clients = new Map<string, Etcd3>();
  #tls: TlsMaterial;
  /** The next to be asked comes first. */
  #order: readonly string[];
  #isClosed = false;

  private constructor(settings: MembersSettings, tls: TlsMaterial, { clock, random }: MembersPorts) {
    this.#settings = settings;
    this.#tls = tls;
    this.#clock = clock;
    const { endpoints } = settings;
    const first = Math.floor(random() * endpoints.length);
    this.#order = [...endpoints.slice(first), ...endpoints.slice(0, first)];
  }

  /** Connects to nobody yet. Throws UnavailableError for a TLS file that cannot be read. */
  static async open(settings: MembersSettings, ports: MembersPorts): Promise<EtcdMembers> {
    return new EtcdMembers(settings, await readTls(settings.tls), ports);
  }

  get endpoints(): readonly string[] {
    return this.#settings.endpoints;
  }

  /**
   * Asks one member after another: the next where the request never left, or may be repeated. Throws the port's errors, one
   * sentence with the members asked and why none answered.
   */
  async answer<T>(question: Question<T>): Promise<T> {
    const { endpoints } = this.#settings;
    if (this.#isClosed) throw new UnavailableError(`the store in etcd at ${endpoints.join(', ')} is closed`);
    const failures: Failure[] = [];
    const given = { up: false };
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ANSWER_MS, () => {
        given.up = true;
        const silent = { endpoint: this.#order[0]!, reason: `no reply within ${ANSWER_MS / 1000} seconds` };
        reject(this.#unanswered(failures.length === 0 ? [silent] : failures));
      });
    });
    try {
      return await Promise.race([this.#round(question, failures, given), late]);
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#dropClients();
  }

  async #round<T>(question: Question<T>, failures: Failure[], given: { readonly up: boolean }): Promise<T> {
    for (const endpoint of this.#order) {
      try {
        return await this.#askOne(endpoint, question);
      } catch (cause) {
        const error = asStoreError(cause, [endpoint]);
        if (error instanceof CompactedError || isRefusal(error)) throw error;
        failures.push({ endpoint, reason: this.#reason(endpoint, cause), cause });
        this.#askLast(endpoint);
        await this.#takeUpNewFiles();
        if (given.up || !(question.isRead || wasNeverSent(cause))) break;
      }
    }
    throw this.#unanswered(failures);
  }

  /** In the order of the settings, whoever was asked first: the same failure is the same sentence. */
  #unanswered(failures: readonly Failure[]): UnavailableError {
    const { endpoints } = this.#settings;
    return unanswered(failures.toSorted((a, b) => endpoints.indexOf(a.endpoint) - endpoints.indexOf(b.endpoint)));
  }

  #reason(endpoint: string, cause: unknown): string {
    const now = this.#clock.wallTime();
    return tlsReason(plainly(cause), { endpoint, tls: this.#settings.tls, material: this.#tls, now });
  }

  /** A token from before somebody changed a user or a role is refused, and etcd3 would go on using it. */
  async #askOne<T>(endpoint: string, { ask }: Question<T>): Promise<T> {
    try {
      return await ask(this.#client(endpoint), endpoint);
    } catch (cause) {
      if (!isOldAuth(cause) || this.#isClosed) throw cause;
      this.#dropClient(endpoint);
      return ask(this.#client(endpoint), endpoint);
    }
  }

  #client(endpoint: string): Etcd3 {
    const known = this.#clients.get(endpoint);
    if (known !== undefined) return known;
    const { endpoints, username, password } = this.#settings;
    const attemptMs = Math.max(1_500, Math.floor(ANSWER_MS / endpoints.length));
    const client = createEtcdClient({ endpoint, username, password, tls: this.#tls, attemptMs }, this.#clock);
    this.#clients.set(endpoint, client);
    return client;
  }

  #askLast(endpoint: string): void {
    this.#order = [...this.#order.filter((each) => each !== endpoint), endpoint];
  }

  /** A certificate that ran out is replaced in its file; gRPC would offer the old one for ever. Files in the middle of it are read next time. */
  async #takeUpNewFiles(): Promise<void> {
    const tls = await readTls(this.#settings.tls).catch(() => this.#tls);
    const isSame = tls.ca === this.#tls.ca && tls.cert === this.#tls.cert && tls.key === this.#tls.key;
    if (isSame || this.#isClosed) return;
    this.#tls = tls;
    this.#dropClients();
  }

  #dropClients(): void {
    for (const endpoint of [...this.#clients.keys()]) this.#dropClient(endpoint);
  }

  #dropClient(endpoint: string): void {
    this.#clients.get(endpoint)?.close();
    this.#clients.delete(endpoint);
  }
}
