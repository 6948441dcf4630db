/** Work on whole tables that goes on behind the changes, a little at a time. A step is what lies between two `yield`s. */
export type Chore = Generator<undefined, void>;

export class Chores {
  readonly #waiting = new Map<string, Chore>();

  get hasWork(): boolean {
    return this.#waiting.size > 0;
  }

  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  /** Begins anew where one of this name is under way. */
  set(name: string, chore: Chore): void {
    this.#waiting.delete(name);
    this.#waiting.set(name, chore);
  }

  drop(name: string): void {
    this.#waiting.delete(name);
  }

  /** At most `steps` of the oldest, then of the next. */
  run(steps: number): void {
    let left = steps;
    for (const [name, chore] of this.#waiting) {
      while (left > 0 && chore.next().done !== true) left--;
      if (left === 0) return;
      this.#waiting.delete(name);
    }
  }
}
