/** Lets only one piece of work at a time touch a thing of a given name; the others wait in the order in which they came. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => undefined);
    this.#last.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
