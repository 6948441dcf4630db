import { ABSENT, IntTable } from './int-table.ts';
import type { RibMemory } from './lane.ts';

interface Taking {
  readonly begin: (attributes: number | undefined) => void;
  readonly fits: (prefix: number) => boolean;
}

/** In the place of an attribute set: the prefix is to be withdrawn. */
const WITHDRAW = -2;

/** So many entries that no longer wait are not worth sorting out. */
const IDLE_ENTRIES = 1024;

/** In the flags of what was told: it is to be said again, though the peer has it. */
const AGAIN = 1;

/**
 * What one peer was told in one family, one path at most for each prefix, and what it is still to be told. The backlog
 * is bounded by the number of prefixes, however often each changes; a change that is taken back before it was sent is
 * never sent.
 */
export class ToldLane {
  readonly #memory: RibMemory;
  readonly #told = new IntTable();
  readonly #pending = new IntTable();
  /** Per attribute set the prefixes that wait, and some that no longer do: `#pending` decides. */
  readonly #queues = new Map<number, number[]>();
  /** Entries of all queues. */
  #queued = 0;

  constructor(memory: RibMemory) {
    this.#memory = memory;
  }

  get advertised(): number {
    return this.#told.size;
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** The peer shall have this route (undefined: none). True where something is to be sent now. */
  want(prefix: number, attributes: number | undefined): boolean {
    const target = attributes ?? WITHDRAW;
    const told = this.#told.get(prefix);
    const isTold = attributes === undefined ? told === ABSENT : told === attributes && this.#told.flags(prefix) === 0;
    if (isTold) {
      this.#drop(prefix);
      return false;
    }
    if (this.#pending.get(prefix) === target) return true;
    if (attributes !== undefined) this.#memory.attributes.retain(attributes);
    this.#memory.prefixes.retain(prefix);
    this.#drop(prefix);
    this.#pending.set(prefix, target);
    this.#enqueue(prefix, target);
    // A peer that reads nothing while its routes flap: what no longer waits must not pile up.
    if (this.#queued > 2 * this.#pending.size + IDLE_ENTRIES) this.#sortQueues();
    return true;
  }

  /** The attribute set that the peer has, or ABSENT. */
  told(prefix: number): number {
    return this.#told.get(prefix);
  }

  /** The peer has it, or there is something to be sent about it. */
  has(prefix: number): boolean {
    return this.#told.has(prefix) || this.#pending.has(prefix);
  }

  /** How long the queues are: what waits, and a bounded rest. */
  get queued(): number {
    return this.#queued;
  }

  get isEmpty(): boolean {
    return this.#told.size === 0 && this.#pending.size === 0;
  }

  isPending(prefix: number): boolean {
    return this.#pending.has(prefix);
  }

  /**
   * One message's worth, withdrawals first: `begin` gets the attribute set (undefined: withdraw), then `fits` each
   * prefix until it answers false; what fitted counts as told. False where nothing waits.
   */
  take(begin: (attributes: number | undefined) => void, fits: (prefix: number) => boolean): boolean {
    const withdrawn = this.#queues.get(WITHDRAW);
    if (withdrawn !== undefined && this.#takeFrom(withdrawn, WITHDRAW, { begin, fits })) return true;
    for (const [target, queue] of this.#queues) if (this.#takeFrom(queue, target, { begin, fits })) return true;
    return false;
  }

  /** The peer asks for everything again; what it has counts as told all the same, so that it can be withdrawn. RFC 2918 §4. */
  tellAgain(wanted: (prefix: number) => number | undefined): void {
    for (const prefix of this.#told.keys()) {
      this.#told.set(prefix, this.#told.get(prefix), AGAIN);
      this.want(prefix, wanted(prefix));
    }
  }

  /** The session is gone, and with it all that the peer was told. */
  clear(): void {
    for (const prefix of this.#pending.keys()) this.#drop(prefix);
    for (const prefix of this.#told.keys()) {
      this.#memory.attributes.release(this.#told.get(prefix));
      this.#told.delete(prefix);
      this.#memory.prefixes.release(prefix);
    }
    this.#queues.clear();
    this.#queued = 0;
  }

  #enqueue(prefix: number, target: number): void {
    const queue = this.#queues.get(target);
    if (queue === undefined) this.#queues.set(target, [prefix]);
    else queue.push(prefix);
    this.#queued++;
  }

  /** Anew, from what waits. */
  #sortQueues(): void {
    this.#queues.clear();
    this.#queued = 0;
    this.#pending.forEach((prefix, target) => this.#enqueue(prefix, target));
  }

  /** False where nothing in the queue waits any more; an empty queue is forgotten. */
  #takeFrom(queue: number[], target: number, { begin, fits }: Taking): boolean {
    let hasBegun = false;
    while (queue.length > 0) {
      const prefix = queue.at(-1)!;
      if (this.#pending.get(prefix) === target) {
        if (!hasBegun) begin(target === WITHDRAW ? undefined : target);
        hasBegun = true;
        if (!fits(prefix)) return true;
        this.#tell(prefix, target);
      }
      queue.pop();
      this.#queued--;
    }
    this.#queues.delete(target);
    return hasBegun;
  }

  /** What the pending row held of the prefix and the attribute set, the told row takes over or lets go. */
  #tell(prefix: number, target: number): void {
    const old = this.#told.get(prefix);
    this.#pending.delete(prefix);
    if (target === WITHDRAW) {
      this.#told.delete(prefix);
      this.#memory.prefixes.release(prefix);
    } else {
      this.#told.set(prefix, target);
    }
    if (old === ABSENT) return;
    this.#memory.attributes.release(old);
    this.#memory.prefixes.release(prefix);
  }

  #drop(prefix: number): void {
    const pending = this.#pending.get(prefix);
    if (pending === ABSENT) return;
    this.#pending.delete(prefix);
    if (pending !== WITHDRAW) this.#memory.attributes.release(pending);
    this.#memory.prefixes.release(prefix);
  }
}
