/** Tells of fights over kernel objects: in the log as they begin and end, and as long as they last in the answers. */
import type { Logger } from '../src/runtime/logger.ts';
import type { FightStatus, RepairStatus } from './contract.ts';
import type { Kernel } from './kernel.ts';
import { asError } from './reconcile.ts';
import type { Blame, Fight, Repairs } from './repairs.ts';

/** One who flushes the table fights over every route; the log names a few. */
const MAX_NAMED = 5;

export class FightReport {
  readonly #kernel: Pick<Kernel, 'processOfPort'>;
  readonly #log: Logger;
  readonly #repairs: Repairs;
  /** Who is behind a netlink port, asked while he may still be there. */
  readonly #owners = new Map<number, string>();

  constructor(kernel: Pick<Kernel, 'processOfPort'>, log: Logger, repairs: Repairs) {
    this.#kernel = kernel;
    this.#log = log;
    this.#repairs = repairs;
  }

  /** At the end of a pass. */
  async endPass(now: number): Promise<void> {
    const begun = this.#repairs.takeBegun();
    const ended = this.#repairs.endPass(now);
    const fights = this.#repairs.fights();
    await this.#learnOwners(fights);
    const named = begun.slice(0, MAX_NAMED).map((fight) => sentence(this.#statusOf(fight)));
    if (begun.length > 0)
      this.#log.warn(
        { fights: begun.length, examples: named },
        'somebody keeps undoing what we program; repairs slow down',
      );
    if (ended.length > 0) {
      const over = ended
        .slice(0, MAX_NAMED)
        .map(({ kind, name, repairs }) => `${kind} ${name} after ${repairs} repairs`);
      this.#log.info({ fights: ended.length, examples: over }, 'nobody has undone it for a minute');
    }
  }

  status(): RepairStatus {
    return { counts: this.#repairs.counts(), fights: this.#repairs.fights().map((fight) => this.#statusOf(fight)) };
  }

  #statusOf({ kind, name, repairs, blame }: Fight): FightStatus {
    return { kind, name, repairs, by: this.#culprit(blame) };
  }

  #culprit(blame: Blame | undefined): string {
    if (blame === undefined) return 'the kernel does not tell by whom';
    if (blame.process !== undefined) return `${blame.deed} by ${blame.process}`;
    if (blame.port === undefined) return `${blame.deed}; the kernel does not tell by whom`;
    return `${blame.deed} by ${this.#owners.get(blame.port) ?? `netlink port ${blame.port}`}`;
  }

  async #learnOwners(fights: readonly Fight[]): Promise<void> {
    const ports = new Set(fights.flatMap(({ blame }) => (blame?.port === undefined ? [] : [blame.port])));
    for (const port of this.#owners.keys()) if (!ports.has(port)) this.#owners.delete(port);
    const unknown = [...ports].filter((port) => !this.#owners.has(port)).slice(0, MAX_NAMED);
    for (const port of unknown) {
      const owner = await this.#kernel.processOfPort(port).catch(asError);
      if (owner instanceof Error) continue;
      const text = owner === undefined ? 'a process that has ended' : `process ${owner.pid} (${owner.name})`;
      this.#owners.set(port, `netlink port ${port}, ${text}`);
    }
  }
}

/** `route 192.168.2.0/26: 5 repairs, deleted by netlink port 812, process 812 (bird)`. */
const sentence = ({ kind, name, repairs, by }: FightStatus): string => `${kind} ${name}: ${repairs} repairs, ${by}`;
