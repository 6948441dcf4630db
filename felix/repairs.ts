/**
 * What others undid: how often we put it right, and with whom we fight over it. Never touches the kernel.
 *
 * An object that was as we want it, and is not any more though our wish is the same, is *damaged*. Repairs are immediate,
 * until five of one object within a minute make a *fight*: then each further repair waits, 500 ms and doubling up to 10 s.
 * A fight is over after a minute without damage. What went with a link that somebody touched counts as repaired, not
 * as fought over: a cable that flaps is nobody's will, and routes must be back with it at once.
 */
export const REPAIR_KINDS = ['route', 'link', 'address', 'neighbour', 'fdb', 'sysctl', 'nat'] as const;
export type RepairKind = (typeof REPAIR_KINDS)[number];

/** A fight goes on until nothing happened for so long; milliseconds. */
const WINDOW_MS = 60_000;
const FIGHT_REPAIRS = 5;
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 10_000;
/** Past so many witnesses of one burst, the next ones tell nothing new. */
const MAX_EVIDENCE = 1000;

/** `192.168.2.0/26`, `vxlan.calico`, `net/ipv4/ip_forward`, `table inet calico-ts`: as the operator knows it. */
export interface RepairObject {
  readonly kind: RepairKind;
  readonly name: string;
}

/** What the kernel told of who did it. */
export interface Blame {
  /** `replaced by protocol 12 (bird)`, `deleted`. */
  readonly deed: string;
  /** The netlink port of the writer, which is mostly a process's id. */
  readonly port?: number;
  /** Where the kernel names the process itself, as nftables does: `process 71 (nft)`. */
  readonly process?: string;
}

export interface Fight extends RepairObject {
  /** Since the fight's first repair. */
  readonly repairs: number;
  /** Clock's milliseconds of the first repair that counts. */
  readonly since: number;
  readonly blame?: Blame;
}

interface History {
  readonly object: RepairObject;
  /** Times of the repairs within the window; in a fight, of the last one. */
  readonly repairedAt: readonly number[];
  readonly damagedAt: number;
  readonly blame?: Blame;
  readonly fight?: { readonly since: number; readonly repairs: number };
  /** Damaged and not repaired yet. */
  readonly pending?: { readonly dueAt: number; readonly isExcused: boolean };
}

export class Repairs {
  readonly #histories = new Map<string, History>();
  /** Repairs so far, those of fights among them. */
  readonly #counts = new Map<RepairKind, number>();
  readonly #touchedLinks = new Set<number>();
  readonly #blames = new Map<string, Blame>();
  #begun: Fight[] = [];

  /** Objects that are remembered. */
  get size(): number {
    return this.#histories.size;
  }

  /** Evidence: something happened to a link, so what stands on it may have gone with it. */
  noteLink(ifindex: number): void {
    this.#touchedLinks.add(ifindex);
  }

  isLinkTouched(ifindex: number): boolean {
    return this.#touchedLinks.has(ifindex);
  }

  /** Evidence: who did it, as the event says. */
  noteBlame(object: RepairObject, blame: Blame): void {
    if (this.#blames.size < MAX_EVIDENCE) this.#blames.set(idOf(object), blame);
  }

  /** `isExcused`: it went with a link. */
  damaged(object: RepairObject, now: number, isExcused = false): void {
    const id = idOf(object);
    const before = this.#histories.get(id);
    if (before?.pending !== undefined) return;
    const blame = this.#blames.get(id) ?? before?.blame;
    const waitMs = isExcused || before?.fight === undefined ? 0 : waitOf(before.fight.repairs);
    this.#histories.set(id, {
      ...{ object, damagedAt: now, repairedAt: before?.repairedAt.filter((at) => now - at < WINDOW_MS) ?? [] },
      ...(blame !== undefined && { blame }),
      ...(before?.fight !== undefined && { fight: before.fight }),
      pending: { dueAt: now + waitMs, isExcused },
    });
  }

  /** May it be put right now? True of what nobody damaged. */
  isDue(object: RepairObject, now: number): boolean {
    const pending = this.#histories.get(idOf(object))?.pending;
    return pending === undefined || pending.dueAt <= now;
  }

  repaired(object: RepairObject, now: number): void {
    const id = idOf(object);
    const history = this.#histories.get(id);
    if (history?.pending === undefined) return;
    const { pending } = history;
    const before = whole(history);
    this.#counts.set(object.kind, (this.#counts.get(object.kind) ?? 0) + 1);
    if (pending.isExcused) {
      this.#histories.set(id, before);
      return;
    }
    const after = { ...before, ...reckoned(before, now) };
    this.#histories.set(id, after);
    if (before.fight === undefined) this.#begun.push(...fightOf(after));
  }

  /** No repair is needed any more: it is whole again without us, or wanted otherwise. */
  withdraw(object: RepairObject): void {
    const history = this.#histories.get(idOf(object));
    if (history?.pending !== undefined) this.#histories.set(idOf(object), whole(history));
  }

  /** Between two passes the evidence is new; fights that nobody keeps up end, and are returned. */
  endPass(now: number): readonly Fight[] {
    this.#touchedLinks.clear();
    this.#blames.clear();
    const ended: Fight[] = [];
    for (const [id, record] of this.#histories) {
      if (record.pending !== undefined || now - lastOf(record) < WINDOW_MS) continue;
      ended.push(...fightOf(record));
      this.#histories.delete(id);
    }
    return ended;
  }

  /** Fights that began since the last call. */
  takeBegun(): readonly Fight[] {
    const begun = this.#begun;
    this.#begun = [];
    return begun;
  }

  fights(): readonly Fight[] {
    return [...this.#histories.values()].flatMap(fightOf);
  }

  counts(): Readonly<Record<RepairKind, number>> {
    const counted = REPAIR_KINDS.map((kind) => [kind, this.#counts.get(kind) ?? 0] as const);
    return Object.fromEntries(counted) as Record<RepairKind, number>;
  }

  /** The next time, later than `after`, at which a repair that waits may be made, or a fight may be over. See RetrySchedule. */
  nextDueAt(after: number): number | undefined {
    let next: number | undefined;
    for (const record of this.#histories.values()) {
      const { pending, fight } = record;
      const at = pending?.dueAt ?? (fight === undefined ? undefined : lastOf(record) + WINDOW_MS);
      if (at !== undefined && at > after && (next === undefined || at < next)) next = at;
    }
    return next;
  }
}

/** With nothing left to repair. */
const whole = ({ object, repairedAt, damagedAt, blame, fight }: History): History => ({
  ...{ object, repairedAt, damagedAt },
  ...(blame !== undefined && { blame }),
  ...(fight !== undefined && { fight }),
});

const idOf = ({ kind, name }: RepairObject): string => `${kind} ${name}`;

const waitOf = (repairs: number): number =>
  Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(repairs - FIGHT_REPAIRS, 10));

/** One repair more: of the window's, or of the fight's. */
function reckoned({ fight, repairedAt }: History, now: number): Pick<History, 'repairedAt' | 'fight'> {
  if (fight !== undefined) return { repairedAt: [now], fight: { ...fight, repairs: fight.repairs + 1 } };
  const times = [...repairedAt, now];
  if (times.length < FIGHT_REPAIRS) return { repairedAt: times };
  return { repairedAt: times, fight: { since: times[0] ?? now, repairs: times.length } };
}

const lastOf = ({ repairedAt, damagedAt }: History): number => Math.max(damagedAt, repairedAt.at(-1) ?? 0);

const fightOf = ({ object, fight, blame }: History): readonly Fight[] =>
  fight === undefined ? [] : [{ ...object, ...fight, ...(blame !== undefined && { blame }) }];
