import type { Listing } from '../../felix/nat/listing.ts';
import { listingOf } from '../../felix/nat/listing.ts';
import type { Nftables } from '../../felix/nat/nftables.ts';
import type { NatTable } from '../../felix/nat/plan.ts';

type Operation = Exclude<keyof Nftables, 'close'>;

/** nftables in memory, our table alone. Held to the same suite as the real one. */
export class FakeNftables implements Nftables {
  #listing: Listing | undefined;
  #isClosed = false;
  #listener: (by: string | undefined) => void = () => undefined;
  #failures: { readonly operation: Operation; readonly error: Error }[] = [];
  /** Every call but close, in order. */
  readonly journal: Operation[] = [];
  /** What a libnftables of other words makes of a listing. */
  words: (listing: Listing) => Listing = (listing) => listing;

  failNext(operation: Operation, error: Error, times = 1): void {
    for (let i = 0; i < times; i++) this.#failures.push({ operation, error });
  }

  /** What is there now, past all failures. */
  get listing(): Listing | undefined {
    return this.#listing;
  }

  /** Somebody else changes the table, or deletes it; the listener hears of it. */
  givenTable(table: NatTable | undefined, by?: string): void {
    this.#listing = table && listingOf(table);
    this.#listener(by);
  }

  async read(): Promise<Listing | undefined> {
    await this.#begin('read');
    return this.#listing && this.words(this.#listing);
  }

  async replace(table: NatTable): Promise<void> {
    await this.#begin('replace');
    this.#listing = listingOf(table);
  }

  async remove(): Promise<void> {
    await this.#begin('remove');
    this.#listing = undefined;
  }

  async watch(listener: (by: string | undefined) => void): Promise<void> {
    await this.#begin('watch');
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#listener = () => undefined;
    return Promise.resolve();
  }

  async #begin(operation: Operation): Promise<void> {
    this.journal.push(operation);
    await Promise.resolve();
    const failure = this.#failures.find((one) => one.operation === operation);
    this.#failures = this.#failures.filter((one) => one !== failure);
    if (failure !== undefined) throw failure.error;
    if (this.#isClosed) throw new Error('nftables was closed');
  }
}
