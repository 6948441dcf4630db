/** What has come of a stream and is not taken yet, whatever the chunks: the buffer under the framers. */
export class ByteQueue {
  #bytes: Uint8Array<ArrayBuffer>;
  #head = 0;
  #tail = 0;

  constructor(initialOctets: number) {
    this.#bytes = new Uint8Array(initialOctets);
  }

  /** The buffer; what is waiting stands in `[head, tail)`, until the next push. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get head(): number {
    return this.#head;
  }

  get tail(): number {
    return this.#tail;
  }

  get left(): number {
    return this.#tail - this.#head;
  }

  /** Copies `chunk`; the caller may use its memory again. */
  push(chunk: Uint8Array): void {
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
    if (this.#tail + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#tail);
    this.#tail += chunk.length;
  }

  /** The next `octets`, which are there: a view that holds until the next push. */
  take(octets: number): Uint8Array {
    const start = this.#head;
    this.#head += octets;
    return this.#bytes.subarray(start, this.#head);
  }

  /** Moves what is left to the front. At least half stays free, so that single octets do not move it each time. */
  #makeRoom(octets: number): void {
    const { left } = this;
    let capacity = this.#bytes.length;
    while (capacity < left + octets || capacity < 2 * left) capacity *= 2;
    const target = capacity === this.#bytes.length ? this.#bytes : new Uint8Array(capacity);
    target.set(this.#bytes.subarray(this.#head, this.#tail));
    this.#bytes = target;
    this.#head = 0;
    this.#tail = left;
  }
}
