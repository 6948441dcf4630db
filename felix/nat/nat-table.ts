/** Keeps our table in nftables as planned: reads it where in doubt, writes it whole where it differs, and tells of it. */
import type { Logger } from '../../src/runtime/logger.ts';
import type { PassResult } from '../reconcile.ts';
import { asError } from '../reconcile.ts';
import type { RepairObject, Repairs } from '../repairs.ts';
import { RetrySchedule } from '../retry.ts';
import { listingOf, OUR_TABLE } from './listing.ts';
import type { Nftables } from './nftables.ts';
import { NftablesUnavailableError } from './nftables.ts';
import type { NatPlan, NatSubject } from './plan.ts';

/** Whether what a pool or a tunnel asks for is in the kernel, and why. */
export interface NatStatus extends Pick<NatSubject, 'subject' | 'reason'> {
  /** `off`: nobody asks for it; `pending`: the next pass will write it; `failed`: `error` says why. */
  readonly state: 'in force' | 'pending' | 'failed' | 'off';
  readonly error?: string;
}

export interface NatTablePorts {
  /** Absent: the table is left alone. */
  readonly nftables: Nftables | undefined;
  readonly log: Logger;
  /** What others undo is counted there, and waits there where they do so again and again. */
  readonly repairs: Repairs;
  /** Somebody touched the table: a pass, please. */
  readonly onSurprise: () => void;
}

/** One table is one entry. */
const KEY = 'table';
const UNCHANGED: PassResult<string> = { changed: 0, failed: new Map() };
const NO_PORT = 'this process was given no nftables';
const ABSENT = '';
const OBJECT: RepairObject = { kind: 'nat', name: `table ${OUR_TABLE.family} ${OUR_TABLE.name}` };

export class NatTableKeeper {
  readonly #ports: NatTablePorts;
  readonly #retry = new RetrySchedule<string>();
  #plan: NatPlan = { subjects: [] };
  /** Its listing, or ABSENT. */
  #wanted = ABSENT;
  /** The table's listing as one text; ABSENT: there is none; undefined: not known. */
  #actual: string | undefined;
  /** What became of a text that we wrote, where it lists otherwise than we think: another libnftables, other words. */
  #otherWords: { readonly wanted: string; readonly listed: string; readonly isSure: boolean } | undefined;
  #isWatching = false;
  /** What was wanted and there at the end of the last pass; if it is wanted still and not there, it is damaged. */
  #settled: string | undefined;
  #touchedBy: string | undefined;
  #error: Error | undefined;

  constructor(ports: NatTablePorts) {
    this.#ports = ports;
  }

  /** Undefined: there is nothing to try again before the next full resync. `after`: see RetrySchedule. */
  nextDueAt(after = -Infinity): number | undefined {
    return this.#retry.nextDueAt(after);
  }

  statuses(): readonly NatStatus[] {
    const error = this.#ports.nftables === undefined ? NO_PORT : this.#error?.message;
    const isThere = this.#isRight(this.#wanted);
    return this.#plan.subjects.map(({ subject, isWanted, reason }) => {
      if (!isWanted) return { subject, reason, state: 'off' };
      if (error !== undefined) return { subject, reason, state: 'failed', error };
      return { subject, reason, state: isThere ? 'in force' : 'pending' };
    });
  }

  /** Those of the links that the table in the kernel has a rule for. What cannot be read has none, and reconcile() tells of it. */
  async linksWithRules(links: readonly string[]): Promise<readonly string[]> {
    const { nftables } = this.#ports;
    if (links.length === 0 || nftables === undefined) return [];
    const actual = this.#actual ?? (await nftables.read().then(textOf, () => ABSENT));
    return links.filter((link) => actual.includes(JSON.stringify(link)));
  }

  /**
   * Brings the table to the plan; `isFull`: whatever we believe, read it. What fails is told by statuses() and waits its
   * time: it is no failure of the pass, which has nothing to read again because of it.
   */
  async reconcile(plan: NatPlan, now: number, isFull: boolean): Promise<PassResult<string>> {
    const wanted = plan === this.#plan ? this.#wanted : wantedText(plan);
    const isNew = wanted !== this.#wanted;
    this.#plan = plan;
    this.#wanted = wanted;
    const { nftables, repairs } = this.#ports;
    if (nftables === undefined || !this.#isDue(now, isNew || isFull)) return UNCHANGED;
    try {
      await this.#watch(nftables);
      if (this.#actual === undefined || isFull) this.#actual = textOf(await nftables.read());
      const isRight = this.#isRight(wanted);
      if (isRight) repairs.withdraw(OBJECT);
      else if (this.#mayWrite(wanted, now)) await this.#write(nftables, wanted, now);
      else return UNCHANGED;
      this.#succeeded(wanted);
      return { ...UNCHANGED, changed: isRight ? 0 : 1 };
    } catch (error) {
      this.#failed(asError(error), now);
      return UNCHANGED;
    }
  }

  #isDue(now: number, isForced: boolean): boolean {
    if (isForced) return true;
    return this.#error instanceof NftablesUnavailableError ? false : this.#retry.isDue(KEY, now);
  }

  /** What is damaged may have to wait; a new wish never. */
  #mayWrite(wanted: string, now: number): boolean {
    const { repairs } = this.#ports;
    if (this.#settled === wanted) repairs.damaged(OBJECT, now);
    else repairs.withdraw(OBJECT);
    return repairs.isDue(OBJECT, now);
  }

  #isRight(wanted: string): boolean {
    if (this.#actual === undefined) return false;
    const other = this.#otherWords;
    return this.#actual === wanted || (other?.isSure === true && isSame(other, wanted, this.#actual));
  }

  async #watch(nftables: Nftables): Promise<void> {
    if (this.#isWatching) return;
    try {
      await nftables.watch((by) => {
        this.#actual = undefined;
        this.#touchedBy = by ?? 'somebody';
        this.#ports.repairs.noteBlame(OBJECT, { deed: 'changed', ...(by !== undefined && { process: by }) });
        this.#ports.onSurprise();
      });
      this.#isWatching = true;
    } catch (error) {
      if (error instanceof NftablesUnavailableError) throw error;
      this.#ports.log.warn({ error: asError(error).message }, 'nftables cannot be watched: the resync sees changes');
    }
  }

  async #write(nftables: Nftables, wanted: string, now: number): Promise<void> {
    const { log, repairs } = this.#ports;
    const { table } = this.#plan;
    const by = this.#touchedBy;
    this.#actual = undefined;
    await (table === undefined ? nftables.remove() : nftables.replace(table));
    this.#check(wanted, textOf(await nftables.read()));
    repairs.repaired(OBJECT, now);
    // A fight is told by its report, once.
    if (repairs.fights().some(({ kind }) => kind === OBJECT.kind)) return;
    if (by !== undefined) log.warn({ by }, 'the NAT table was changed by somebody else and is as it should be again');
    else log.info({ rules: table?.rules.length ?? 0 }, table === undefined ? 'NAT table removed' : 'NAT table written');
  }

  /** Somebody may have changed the table in between, so only what lists twice in the same other words is trusted. */
  #check(wanted: string, listed: string): void {
    this.#actual = listed;
    if (listed === wanted) return;
    const isThere = wanted !== ABSENT && listed !== ABSENT;
    const isSure = isThere && this.#otherWords !== undefined && isSame(this.#otherWords, wanted, listed);
    this.#otherWords = { wanted, listed, isSure };
    if (!isSure) throw new Error('the NAT table lists otherwise than it was written');
  }

  #succeeded(wanted: string): void {
    this.#settled = wanted;
    if (this.#error !== undefined) this.#ports.log.info({}, 'the NAT table is as it should be');
    this.#error = undefined;
    this.#touchedBy = undefined;
    this.#retry.succeeded(KEY);
  }

  /** Each sentence is logged once, not at every try. */
  #failed(error: Error, now: number): void {
    this.#actual = undefined;
    // Without nftables there is no table, and nobody who misses it.
    const isMissed = !(error instanceof NftablesUnavailableError) || this.#plan.table !== undefined;
    if (isMissed && error.message !== this.#error?.message) {
      this.#ports.log.warn({ error: error.message }, 'the NAT table is not as it should be; will try again');
    }
    this.#error = error;
    if (error instanceof NftablesUnavailableError) this.#retry.succeeded(KEY);
    else this.#retry.failed(KEY, error, now);
  }
}

const textOf = (listing: readonly string[] | undefined): string => listing?.join('\n') ?? ABSENT;

const isSame = (a: { readonly wanted: string; readonly listed: string }, wanted: string, listed: string): boolean =>
  a.wanted === wanted && a.listed === listed;

const wantedText = ({ table }: NatPlan): string => textOf(table && listingOf(table));
