import { ABSENT, IntTable } from './int-table.ts';
import type { AttributeCache } from './attribute-cache.ts';

/** What keeps the rows alive: paths of prefixes. */
export interface Held {
  retain(row: number): void;
  release(row: number): void;
}

interface Taking {
  readonly begin: (attributes: number | undefined) => void;
  readonly fits: (row: number) => boolean;
}

/** In the place of an attribute set: the row is to be withdrawn from the peer. */
const WITHDRAW = -2;

/** So many entries that no longer wait are not worth sorting out. */
const IDLE_ENTRIES = 1024;

/** In the flags of what was told: it is to be said again, though the peer has it. */
const AGAIN = 1;

/**
 * What one peer was told in one family, row by row, and what it is still to be told. The backlog
 * is bounded by the number of rows, however often each changes; a change that is taken back before it was sent is
 * never sent.
 */
export class ToldLane {
  readonly #held: Held;
  readonly #attributes: AttributeCache;
  readonly #told = new IntTable();
  #pending = new IntTable();
  /** Per attribute set the rows that wait, and some that no longer do: `#pending` decides. */
  readonly #queues = new Map<number, number[]>();
  /** Entries of all queues. */
  #queued = 0;

  constructor(held: Held, attributes: AttributeCache) {
    this.#held = held;
    this.#attributes = attributes;
  }

  get advertised(): number {
    return this.#told.size;
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** The peer shall have this route (undefined: none). True where something is to be sent now. */
  want(row: number, attributes: number | undefined): boolean {
    const target = attributes ?? WITHDRAW;
    const told = this.#told.get(row);
    const isTold = attributes === undefined ? told === ABSENT : told === attributes && this.#told.flags(row) === 0;
    if (isTold) {
      this.#drop(row);
      return false;
    }
    if (this.#pending.get(row) === target) return true;
    if (attributes !== undefined) this.#attributes.retain(attributes);
    this.#held.retain(row);
    this.#drop(row);
    this.#pending.set(row, target);
    this.#enqueue(row, target);
    // A peer that reads nothing while its routes flap: what no longer waits must not pile up.
    if (this.#queued > 2 * this.#pending.size + IDLE_ENTRIES) this.#sortQueues();
    return true;
  }

  /** The attribute set that the peer has, or ABSENT. */
  told(row: number): number {
    return this.#told.get(row);
  }

  /** The peer has it, or there is something to be sent about it. */
  has(row: number): boolean {
    return this.#told.has(row) || this.#pending.has(row);
  }

  /** How long the queues are: what waits, and a bounded rest. */
  get queued(): number {
    return this.#queued;
  }

  isPending(row: number): boolean {
    return this.#pending.has(row);
  }

  /**
   * One message's worth, withdrawals first: `begin` gets the attribute set (undefined: withdraw), then `fits` each
   * row until it answers false; what fitted counts as told. False where nothing waits.
   */
  take(begin: (attributes: number | undefined) => void, fits: (row: number) => boolean): boolean {
    const withdrawn = this.#queues.get(WITHDRAW);
    if (withdrawn !== undefined && this.#takeFrom(withdrawn, WITHDRAW, { begin, fits })) return true;
    for (const [target, queue] of this.#queues) if (this.#takeFrom(queue, target, { begin, fits })) return true;
    // A backlog of a full table, once it is gone, must not cost its memory for the rest of the session.
    if (this.#pending.size === 0 && this.#pending.slots > IDLE_ENTRIES) this.#pending = new IntTable();
    return false;
  }

  /** What the peer has is to be said again; it counts as told all the same, so that it can be withdrawn. RFC 2918 §4. */
  tellAgain(row: number, wanted: number | undefined): void {
    const told = this.#told.get(row);
    if (told === ABSENT) return;
    this.#told.set(row, told, AGAIN);
    this.want(row, wanted);
  }

  /** How many calls of `letGo` it takes when the session is gone, and nobody uses this any more. */
  get slots(): number {
    return this.#told.slots + this.#pending.slots;
  }

  /** Lets go of what one slot holds; true where it held something. */
  letGo(slot: number): boolean {
    const isTold = slot < this.#told.slots;
    const [table, at] = isTold ? [this.#told, slot] : [this.#pending, slot - this.#told.slots];
    return table.visitSlot(at, (row, attributes) => {
      if (attributes !== WITHDRAW) this.#attributes.release(attributes);
      this.#held.release(row);
    });
  }

  #enqueue(row: number, target: number): void {
    const queue = this.#queues.get(target);
    if (queue === undefined) this.#queues.set(target, [row]);
    else queue.push(row);
    this.#queued++;
  }

  /** Anew, from what waits. */
  #sortQueues(): void {
    this.#queues.clear();
    this.#queued = 0;
    this.#pending.forEach((row, target) => this.#enqueue(row, target));
  }

  /** False where nothing in the queue waits any more; an empty queue is forgotten. */
  #takeFrom(queue: number[], target: number, { begin, fits }: Taking): boolean {
    let hasBegun = false;
    while (queue.length > 0) {
      const row = queue.at(-1)!;
      if (this.#pending.get(row) === target) {
        if (!hasBegun) begin(target === WITHDRAW ? undefined : target);
        hasBegun = true;
        if (!fits(row)) return true;
        this.#tell(row, target);
      }
      queue.pop();
      this.#queued--;
    }
    this.#queues.delete(target);
    return hasBegun;
  }

  /** What the pending row held of prefix or path and the attribute set, the told row takes over or lets go. */
  #tell(row: number, target: number): void {
    const old = this.#told.get(row);
    this.#pending.delete(row);
    if (target === WITHDRAW) {
      this.#told.delete(row);
      this.#held.release(row);
    } else {
      this.#told.set(row, target);
    }
    if (old === ABSENT) return;
    this.#attributes.release(old);
    this.#held.release(row);
  }

  #drop(row: number): void {
    const pending = this.#pending.get(row);
    if (pending === ABSENT) return;
    this.#pending.delete(row);
    if (pending !== WITHDRAW) this.#attributes.release(pending);
    this.#held.release(row);
  }
}
