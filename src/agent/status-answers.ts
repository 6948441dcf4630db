import type { NodeStatus } from '../api/contract.ts';
import { encodeStatus, FULL_STATUS, QUESTION_PREFIX } from '../api/status-question.ts';
import { ConflictError, NotFoundError } from '../datastore/store.ts';
import type { Change, Entry } from '../datastore/store.ts';
import { readStored, resourcePrefix } from '../resources/index.ts';
import type { CalicoNodeStatus, ResourceClient } from '../resources/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { StatusClass } from './calico-node-status.ts';

export interface StatusAnswersPorts {
  readonly node: string;
  readonly resources: Pick<ResourceClient, 'update' | 'delete'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The whole status, and what Calico's nodes would write of these classes. */
  readonly answer: (classes: readonly StatusClass[]) => {
    readonly full: NodeStatus;
    readonly status: NonNullable<CalicoNodeStatus['status']>;
  };
  /** False: the datastore is locked, and the answer has to wait. */
  readonly mayWrite: () => boolean;
}

interface Question {
  readonly resource: CalicoNodeStatus;
  /** Clock's milliseconds. */
  readonly seenAt: number;
  /** When the next answer is due; Infinity: none. */
  readonly dueAt: number;
}

/** Who asked has long stopped waiting, and died before it could take the question away. */
const FORGOTTEN_MS = 300_000;
const RETRY_MS = 5_000;
/** What somebody else wrote is about to be seen. */
const CONFLICT_RETRY_MS = 200;

const PREFIX = resourcePrefix('CalicoNodeStatus');

/** Nothing is computed from them, and each is answered by one node alone. */
export const isStatusKey = (key: string): boolean => key.startsWith(PREFIX);

/**
 * Answers CalicoNodeStatus resources of this node: at once when one comes or asks for something else, then every
 * `updatePeriodSeconds`; 0 asks for nothing. Those of calicoctl-ts get the whole status of our API beside Calico's.
 */
export class StatusAnswers {
  readonly #ports: StatusAnswersPorts;
  readonly #questions = new Map<string, Question>();
  #stopTimer: () => void = () => undefined;
  #isWriting = false;
  #isClosed = false;

  constructor(ports: StatusAnswersPorts) {
    this.#ports = ports;
  }

  /** All that there is when the datastore was read. */
  snapshot(entries: Iterable<Entry>): void {
    for (const entry of entries) this.#put(entry);
    this.#next();
  }

  changes(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === 'delete') this.#questions.delete(change.key);
      else this.#put(change.entry);
    }
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  #put(entry: Entry): void {
    const { key } = entry;
    // Others' answers are not read: they may be large and many.
    if (!isStatusKey(key) || nodeOf(entry) !== this.#ports.node) return;
    const resource = readStored(entry);
    const known = this.#questions.get(key);
    if (!('kind' in resource) || resource.kind !== 'CalicoNodeStatus') {
      this.#questions.delete(key);
      if ('reason' in resource) this.#ports.log.warn(resource, 'a CalicoNodeStatus cannot be read and is not answered');
      return;
    }
    const now = this.#ports.clock.now();
    const isSame = known !== undefined && JSON.stringify(known.resource.spec) === JSON.stringify(resource.spec);
    const first = resource.spec.updatePeriodSeconds === 0 ? Infinity : now;
    this.#questions.set(key, {
      resource,
      seenAt: known?.seenAt ?? now,
      dueAt: isSame ? known.dueAt : first,
    });
  }

  #next(): void {
    this.#stopTimer();
    if (this.#isWriting || this.#isClosed || this.#questions.size === 0) return;
    const now = this.#ports.clock.now();
    const at = Math.min(...[...this.#questions.values()].map(nextAt));
    if (at === Infinity) return;
    this.#stopTimer = this.#ports.clock.after(Math.max(0, at - now), () => void this.#work());
  }

  async #work(): Promise<void> {
    this.#isWriting = true;
    const now = this.#ports.clock.now();
    for (const [key, question] of [...this.#questions]) {
      if (!this.#isClosed && nextAt(question) <= now) await this.#attend(key, question, now);
    }
    this.#isWriting = false;
    this.#next();
  }

  async #attend(key: string, question: Question, now: number): Promise<void> {
    const { mayWrite, log } = this.#ports;
    const { resource } = question;
    const { name } = resource.metadata;
    // What comes back of the write itself is no new question.
    this.#delay(key, now + resource.spec.updatePeriodSeconds * 1000);
    try {
      if (!mayWrite()) this.#delay(key, now + RETRY_MS);
      else if (isForgotten(question, now)) await this.#remove(key, resource);
      else await this.#ports.resources.update(this.#answered(resource));
    } catch (error) {
      if (error instanceof NotFoundError) this.#questions.delete(key);
      else if (error instanceof ConflictError) this.#delay(key, now + CONFLICT_RETRY_MS);
      else {
        log.warn({ name, error: (error as Error).message }, 'a CalicoNodeStatus could not be answered; will try again');
        this.#delay(key, now + RETRY_MS);
      }
    }
  }

  /** Of a question that may have changed meanwhile: then it is due anyway. */
  #delay(key: string, dueAt: number): void {
    const question = this.#questions.get(key);
    if (question !== undefined) this.#questions.set(key, { ...question, dueAt });
  }

  async #remove(key: string, { metadata }: CalicoNodeStatus): Promise<void> {
    this.#ports.log.info({ name: metadata.name }, 'a question of calicoctl-ts that nobody took away is removed');
    await this.#ports.resources.delete('CalicoNodeStatus', metadata.name, metadata.resourceVersion);
    this.#questions.delete(key);
  }

  #answered(resource: CalicoNodeStatus): CalicoNodeStatus {
    const { full, status } = this.#ports.answer(resource.spec.classes);
    if (!isOurs(resource)) return { ...resource, status };
    const annotations = { ...resource.metadata.annotations, [FULL_STATUS]: encodeStatus(full) };
    // The annotation has each peer already, and each agent's watch carries what is written here.
    const brief = status.bgp === undefined ? status : { ...status, bgp: { ...status.bgp, peersV4: [], peersV6: [] } };
    return { ...resource, metadata: { ...resource.metadata, annotations }, status: brief };
  }
}

const nodeOf = ({ value }: Entry): unknown =>
  (value as { readonly spec?: { readonly node?: unknown } } | null)?.spec?.node;

const isOurs = ({ metadata }: CalicoNodeStatus): boolean => metadata.name.startsWith(QUESTION_PREFIX);

const isForgotten = ({ resource, seenAt }: Question, now: number): boolean =>
  isOurs(resource) && now >= seenAt + FORGOTTEN_MS;

const nextAt = ({ resource, seenAt, dueAt }: Question): number =>
  isOurs(resource) ? Math.min(dueAt, seenAt + FORGOTTEN_MS) : dueAt;
