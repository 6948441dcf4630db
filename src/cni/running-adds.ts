/** Which containers an ADD is at work for, and which it was since somebody began to look. */
export class RunningAdds {
  readonly #running = new Map<string, number>();
  readonly #lookers = new Set<Set<string>>();

  async run<T>(containerId: string, work: () => Promise<T>): Promise<T> {
    this.#running.set(containerId, (this.#running.get(containerId) ?? 0) + 1);
    for (const seen of this.#lookers) seen.add(containerId);
    try {
      return await work();
    } finally {
      const left = this.#running.get(containerId)! - 1;
      if (left === 0) this.#running.delete(containerId);
      else this.#running.set(containerId, left);
    }
  }

  /** `look` is asked while `work` goes on. */
  async during<T>(work: (look: (containerId: string) => boolean) => Promise<T>): Promise<T> {
    const seen = new Set(this.#running.keys());
    this.#lookers.add(seen);
    try {
      return await work((containerId) => seen.has(containerId));
    } finally {
      this.#lookers.delete(seen);
    }
  }
}
