/** What the speaker must hold of one peer, whatever became of its sessions: Adj-RIB-In by RFC 4724 and RFC 8538. Pure. */
import type { GracefulRestart, Open, PathAttributes } from '../../bird/bgp-ts/index.ts';
import { isIpv6 } from './sets.ts';

export interface Held {
  readonly attributes: PathAttributes;
  stale: boolean;
}

/** `speaker`: it hung up to begin anew with other settings, without a NOTIFICATION. */
export type Loss = 'connection' | 'NOTIFICATION or silence' | 'speaker' | 'removed';

export type Afi = 1 | 2;
export const afiOf = (prefix: string): Afi => (isIpv6(prefix) ? 2 : 1);

/** What the two OPENs say of what survives. */
interface Agreement {
  readonly afis: readonly Afi[];
  readonly restart: GracefulRestart | undefined;
  /** Both sides have RFC 8538's N bit. */
  readonly notification: boolean;
}

export class PeerTruth {
  readonly held = new Map<string, Held>();
  #agreed: Agreement | undefined;
  /** Families in which the session owes its End-of-RIB: both sides speak graceful restart. */
  #loading = new Set<Afi>();
  /** How the last session ended. */
  #lastLoss: Loss | undefined;

  get isUp(): boolean {
    return this.#agreed !== undefined;
  }

  /** Whether the session carries the family of this prefix. */
  carries(prefix: string): boolean {
    return this.#agreed?.afis.includes(afiOf(prefix)) === true;
  }

  get keepsRoutesWhenLost(): boolean {
    return this.#agreed?.restart !== undefined;
  }

  announce(prefix: string, attributes: PathAttributes): void {
    this.held.set(prefix, { attributes, stale: false });
  }

  withdraw(prefix: string): void {
    this.held.delete(prefix);
  }

  up(peer: Open, speaker: Open): void {
    const restart = restartOf(speaker) === undefined ? undefined : restartOf(peer);
    const afis = ([1, 2] as const).filter((afi) => speaks(peer, afi) && speaks(speaker, afi));
    const notification = restart?.notification === true && restartOf(speaker)?.notification === true;
    const preserved = restart === undefined ? [] : this.#preserved(restart, afis);
    this.#removeWhere((prefix, { stale }) => stale && !preserved.includes(afiOf(prefix)));
    this.#agreed = { afis, restart, notification };
    this.#loading = new Set(restart === undefined ? [] : afis);
  }

  endOfRib(afi: Afi): void {
    this.#loading.delete(afi);
    this.#removeWhere((prefix, { stale }) => stale && afiOf(prefix) === afi);
  }

  /**
   * A whole refresh of a family: these were told again, and no others. RFC 7313 §4, which wants the marks of a peer ignored
   * that comes with them before its End-of-RIB: what was left out between them then stays.
   */
  refreshed(afi: Afi, told: ReadonlySet<string>): void {
    if (this.#loading.has(afi)) return;
    this.#removeWhere((prefix) => afiOf(prefix) === afi && !told.has(prefix));
  }

  lost(loss: Loss): void {
    const survives = this.#surviving(loss);
    this.#agreed = undefined;
    this.#lastLoss = loss;
    this.#removeWhere((prefix) => !survives.includes(afiOf(prefix)));
    for (const route of this.held.values()) route.stale = true;
  }

  /** RFC 4724 §4.2: a family that is not there, or without F bit, has lost its forwarding state. */
  #preserved(restart: GracefulRestart, afis: readonly Afi[]): readonly Afi[] {
    // Whom the speaker hung up on has lost nothing, unless it says so.
    if (this.#lastLoss === 'speaker' && !restart.restarting) return afis;
    const forwarding = restart.families.filter(({ forwardingPreserved }) => forwardingPreserved);
    return afis.filter((afi) => forwarding.some(({ family }) => family.afi === afi));
  }

  #surviving(loss: Loss): readonly Afi[] {
    const { afis = [], restart, notification = false } = this.#agreed ?? {};
    if (restart === undefined || loss === 'removed') return [];
    if (loss === 'speaker') return afis;
    if (loss === 'NOTIFICATION or silence' && !notification) return [];
    return afis.filter((afi) => restart.families.some(({ family }) => family.afi === afi));
  }

  #removeWhere(isGone: (prefix: string, route: Held) => boolean): void {
    for (const [prefix, route] of this.held) if (isGone(prefix, route)) this.held.delete(prefix);
  }
}

const restartOf = ({ capabilities }: Open): GracefulRestart | undefined =>
  capabilities.find((each) => each.name === 'graceful-restart');

const speaks = ({ capabilities }: Open, afi: Afi): boolean =>
  capabilities.some((each) => each.name === 'multiprotocol' && each.family.afi === afi && each.family.safi === 1);
