import { KernelError } from '../../../felix/kernel.ts';
import type { KernelCall } from '../kernel-calls.ts';

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
  readonly #failures: { call: KernelCall; matching: string; code: string; times: number }[] = [];

  failNext(call: KernelCall, { matching = '', code, times = 1 }: FailNext): void {
    this.#failures.push({ call, matching, code, times });
  }

  heal(): void {
    this.#failures.length = 0;
  }

  /** A change begins: it is in the journal, even if it is to fail. */
  change(call: KernelCall, words: string): Promise<void> {
    this.journal.push(words);
    return this.begin(call, words);
  }

  /** What is asked at once is done in order: each call takes as long to begin as any other. */
  async turn(): Promise<void> {
    await Promise.resolve();
  }

  /** A read begins. */
  async begin(call: KernelCall, words: string): Promise<void> {
    await Promise.resolve();
    const refusal = this.refusal(call, words);
    if (refusal !== undefined) throw refusal;
  }

  /** The failure that this call was told to have, which is used up by that. */
  refusal(call: KernelCall, words: string): KernelError | undefined {
    const failure = this.#failures.find((one) => one.call === call && one.times > 0 && words.includes(one.matching));
    if (failure === undefined) return undefined;
    failure.times--;
    return new KernelError(`${words}: ${failure.code}`, failure.code);
  }
}
