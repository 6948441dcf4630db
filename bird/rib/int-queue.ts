/** Places to begin with, and when it is empty again; a power of two. */
const FEW = 1024;

/** A queue of 32-bit integers in a ring, which grows by doubling: what a full table took to wait does not stay for good. */
export class IntQueue {
  #places = new Int32Array(FEW);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: number): void {
    if (this.#size === this.#places.length) this.#grow();
    this.#places[(this.#head + this.#size) & (this.#places.length - 1)] = value;
    this.#size++;
  }

  /**
   * The oldest. The queue must not be empty. It is made short however little it has grown: the first time undoes what is compiled of
   * all who shift, and so belongs into the rehearsal.
   */
  shift(): number {
    const value = this.#places[this.#head]!;
    this.#head = (this.#head + 1) & (this.#places.length - 1);
    this.#size--;
    if (this.#size === 0 && this.#places.length > FEW) {
      this.#places = new Int32Array(FEW);
      this.#head = 0;
    }
    return value;
  }

  #grow(): void {
    const size = this.#places.length;
    const longer = new Int32Array(2 * size);
    longer.set(this.#places.subarray(this.#head));
    longer.set(this.#places.subarray(0, this.#head), size - this.#head);
    this.#places = longer;
    this.#head = 0;
  }
}
