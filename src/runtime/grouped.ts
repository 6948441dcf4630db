export interface GroupedWork<Request, Outcome> {
  /** Runs `work` when what must come before it has ended; until then more requests join the group. Must not reject. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Outcome i belongs to request i. Where it rejects, that is the outcome of each. */
  readonly serve: (requests: readonly Request[]) => Promise<readonly PromiseSettledResult<Outcome>[]>;
  /** So many requests in one group at most; the others are the next one. */
  readonly limit: number;
}

interface Waiting<Request, Outcome> {
  readonly request: Request;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Group commit: requests that wait at the same time are served together, in the order in which they came, and each of
 * them gets an outcome of its own. One that waits for nobody is a group of one, and served at once.
 */
export class Grouped<Request, Outcome> {
  readonly #work: GroupedWork<Request, Outcome>;
  #waiting: Waiting<Request, Outcome>[] = [];

  constructor(work: GroupedWork<Request, Outcome>) {
    this.#work = work;
  }

  ask(request: Request): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === 1) void this.#work.inTurn(() => this.#serve());
    });
  }

  async #serve(): Promise<void> {
    const group = this.#waiting.slice(0, this.#work.limit);
    this.#waiting = this.#waiting.slice(group.length);
    if (this.#waiting.length > 0) void this.#work.inTurn(() => this.#serve());
    try {
      const outcomes = await this.#work.serve(group.map(({ request }) => request));
      for (const [i, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[i]!;
        if (outcome.status === 'fulfilled') resolve(outcome.value);
        else reject(outcome.reason);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
