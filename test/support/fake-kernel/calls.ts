import { KernelError } from '../../../felix/kernel.ts';
import type { Kernel } from '../../../felix/kernel.ts';

export type Operation = Exclude<keyof Kernel, 'close' | 'watch'>;

export interface FailNext {
  /** Only where the words for the object hold this text; writeRoutes: as formatRoute gives them. */
  readonly matching?: string;
  readonly code: string;
  /** Default 1. */
  readonly times?: number;
}

/** What the fake was asked for, and which of it is to fail. */
export class Calls {
  /** Every change that was asked for, in words, in order; reads are not in it. */
  readonly journal: string[] = [];
  readonly #failures: { operation: Operation; matching: string; code: string; times: number }[] = [];

  failNext(operation: Operation, { matching = '', code, times = 1 }: FailNext): void {
    this.#failures.push({ operation, matching, code, times });
  }

  heal(): void {
    this.#failures.length = 0;
  }

  /** A change begins: it is in the journal, even if it is to fail. */
  change(operation: Operation, words: string): Promise<void> {
    this.journal.push(words);
    return this.begin(operation, words);
  }

  /** A read begins. */
  async begin(operation: Operation, words: string): Promise<void> {
    await Promise.resolve();
    const refusal = this.refusal(operation, words);
    if (refusal !== undefined) throw refusal;
  }

  /** The failure that this call was told to have, which is used up by that. */
  refusal(operation: Operation, words: string): KernelError | undefined {
    const failure = this.#failures.find(
      (one) => one.operation === operation && one.times > 0 && words.includes(one.matching),
    );
    if (failure === undefined) return undefined;
    failure.times--;
    return new KernelError(`${words}: ${failure.code}`, failure.code);
  }
}
