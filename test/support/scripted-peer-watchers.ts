/** Those who wait until something is true of a connection. */
export class Watchers {
  readonly #looks = new Set<() => void>();
  #isOver = false;

  /** Rejects with what `failure` says after `timeoutMs`, and when nothing more can come. */
  async until(holds: () => boolean, timeoutMs: number, failure: () => string): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error(failure()));
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        settle();
      };
      const look = (): void => {
        if (holds()) done(resolve);
        else if (this.#isOver) done(fail);
      };
      const timer = setTimeout(() => done(fail), timeoutMs);
      this.#looks.add(look);
      look();
    });
  }

  /** Something came. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Nothing more will come. */
  end(): void {
    this.#isOver = true;
    this.look();
  }
}
