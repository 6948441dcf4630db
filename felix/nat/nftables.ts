/**
 * nftables as the reconciler sees it: one table, ours, whole. `linux-nftables.ts` is the real one,
 * `test/support/fake-nftables.ts` the one in memory; `test/compliance/nftables.ts` holds both to this page.
 */
import type { Listing } from './listing.ts';
import type { NatTable } from './plan.ts';

/** It cannot be used on this host as it is: trying again soon is no use. `message` is one sentence that says what to do. */
export class NftablesUnavailableError extends Error {
  override readonly name = 'NftablesUnavailableError';
}

/** Every method rejects with one sentence: NftablesUnavailableError, or an Error where the kernel refused. */
export interface Nftables {
  /** What our table holds; undefined where there is none. */
  read(): Promise<Listing | undefined>;
  /** The whole table, made or replaced in one transaction: no packet sees it half. */
  replace(table: NatTable): Promise<void>;
  /** Success where there is none. */
  remove(): Promise<void>;
  /**
   * From when it resolves the listener hears of changes to our table that the last read() did not see; `by` is who,
   * `process 71 (nft)`, as far as the kernel tells. What we change ourselves may be among them, unless a read() follows.
   */
  watch(listener: (by: string | undefined) => void): Promise<void>;
  /** Ends the watch too; the table stays. */
  close(): Promise<void>;
}
