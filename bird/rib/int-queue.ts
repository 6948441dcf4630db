const START_SLOTS = 256;

/** A queue of 32-bit integers in a ring that grows by doubling, and is small again once it is empty. */
export class IntQueue {
  #slots = new Int32Array(START_SLOTS);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: number): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = value;
    this.#size++;
  }

  /** The oldest. The queue must not be empty. */
  shift(): number {
    const value = this.#slots[this.#head]!;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size--;
    if (this.#size === 0 && this.#slots.length > START_SLOTS) this.#slots = new Int32Array(START_SLOTS);
    if (this.#size === 0) this.#head = 0;
    return value;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    slots.set(this.#slots.subarray(this.#head));
    slots.set(this.#slots.subarray(0, this.#head), this.#slots.length - this.#head);
    this.#slots = slots;
    this.#head = 0;
  }
}
