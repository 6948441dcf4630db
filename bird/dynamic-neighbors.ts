import { formatIpAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { asnsOf, callerName, peerOf, peersByAddress, rangeOf, refusalOf, settingsOf } from './incoming.ts';
import type { Caller } from './incoming.ts';
import type { Neighbor } from './neighbor.ts';
import { fault } from './peer/fault.ts';
import type { DynamicPeers, PeerSettings } from './settings.ts';
import type { SessionState } from './view.ts';
import type { Fault } from './wire.ts';

/** What dynamic neighbors ask of the speaker. */
export interface DynamicHost {
  readonly clock: Clock;
  make(settings: PeerSettings): Neighbor;
  /** The neighbor that serves these settings from now on. */
  change(neighbor: Neighbor, settings: PeerSettings): Neighbor;
  end(neighbor: Neighbor, farewell: Fault): void;
  refused(caller: Caller, why: string): void;
}

interface Member {
  readonly caller: Caller;
  range: DynamicPeers;
  neighbor: Neighbor;
  /** What it was when we looked last, and since when by our looks. */
  state: SessionState;
  since: number;
  hasBeenUp: boolean;
}

const LOOK_SECONDS = 5;
/** RFC 4271 §8.2.2 gives an OPEN four minutes; whoever may call unasked gets less. */
const OPEN_SECONDS = 30;
/** Without a session, and without routes that are kept for it, the place of a peer is free again after so long. */
const OVER_SECONDS = 60;

/** Neighbors that nobody configured one by one: made for a caller from a prefix, gone when its session is over. */
export class DynamicNeighbors {
  readonly #host: DynamicHost;
  #ranges: readonly DynamicPeers[] = [];
  /** By the caller's name, in the order in which they came. */
  readonly #members = new Map<string, Member>();
  #cancelLook: (() => void) | undefined;

  constructor(host: DynamicHost) {
    this.#host = host;
  }

  get ranges(): readonly DynamicPeers[] {
    return this.#ranges;
  }

  get neighbors(): readonly Neighbor[] {
    return Array.from(this.#members.values(), ({ neighbor }) => neighbor);
  }

  /** The whole set. Who is in no range any more, or has an AS that is not wanted there, ends. */
  setRanges(ranges: readonly DynamicPeers[]): void {
    this.#ranges = ranges;
    this.#keepWhere((member) => {
      const range = rangeOf(ranges, member.caller);
      if (range === undefined) return 'the range of the peer was removed from the configuration';
      const settings = settingsFor(member, range);
      if (settings === undefined) return 'the AS of the peer was removed from the range';
      member.range = range;
      this.#change(member, settings);
      return undefined;
    });
  }

  /** Configured peers take the place of dynamic ones. */
  giveWayTo(peers: readonly PeerSettings[]): void {
    const configured = peersByAddress(peers.map((settings) => ({ settings })));
    this.#keepWhere(({ caller }) =>
      peerOf(configured.get(formatIpAddress(caller.address)) ?? [], caller) === undefined
        ? undefined
        : 'the peer is configured by its address now',
    );
  }

  /** The neighbor that the caller is from now on, or why it is none. */
  admit(caller: Caller): Neighbor | string {
    const name = callerName(caller);
    const known = this.#members.get(name);
    if (known !== undefined) return known.neighbor;
    const range = rangeOf(this.#ranges, caller);
    if (range === undefined) return refusalOf.stranger;
    if (!this.#hasRoom(range)) return refusalOf.full(range);
    const neighbor = this.#host.make(settingsOf(range, caller));
    neighbor.start();
    const since = this.#host.clock.now();
    this.#members.set(name, { caller, range, neighbor, state: neighbor.state, since, hasBeenUp: false });
    this.#lookLater();
    return neighbor;
  }

  /** The neighbors stay with whoever closes them. */
  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** A place that is only kept for people to read why its session failed goes to the next caller. */
  #hasRoom(range: DynamicPeers): boolean {
    const members = [...this.#members.values()].filter((member) => member.range === range);
    if (members.length < range.limit) return true;
    for (const member of members) this.#observe(member);
    const failed = members.find(({ hasBeenUp, state }) => !hasBeenUp && !isUnderWay(state));
    if (failed === undefined) return false;
    this.#end(failed, 'peerDeconfigured', 'another dynamic peer needs the place');
    return true;
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#host.clock.after(LOOK_SECONDS * 1000, () => this.#look());
  }

  #look(): void {
    this.#cancelLook = undefined;
    for (const member of [...this.#members.values()]) {
      this.#observe(member);
      const seconds = (this.#host.clock.now() - member.since) / 1000;
      if (member.state === 'OpenSent' && seconds >= OPEN_SECONDS) {
        this.#host.refused(member.caller, refusalOf.silent(OPEN_SECONDS));
        this.#end(member, 'holdTimerExpired', refusalOf.silent(OPEN_SECONDS));
      } else if (!isUnderWay(member.state) && seconds >= OVER_SECONDS && !isKept(member)) {
        this.#end(member, 'peerDeconfigured', 'the session of a dynamic peer is over');
      }
    }
    if (this.#members.size > 0) this.#lookLater();
  }

  #observe(member: Member): void {
    const { state } = member.neighbor;
    member.hasBeenUp ||= state === 'Established';
    if (state === member.state) return;
    member.state = state;
    member.since = this.#host.clock.now();
  }

  #change(member: Member, settings: PeerSettings): void {
    const { neighbor } = member;
    member.neighbor = this.#host.change(neighbor, settings);
    if (member.neighbor !== neighbor) member.neighbor.start();
  }

  #keepWhere(verdict: (member: Member) => string | undefined): void {
    for (const member of [...this.#members.values()]) {
      const why = verdict(member);
      if (why !== undefined) this.#end(member, 'peerDeconfigured', why);
    }
  }

  #end(member: Member, name: 'holdTimerExpired' | 'peerDeconfigured', why: string): void {
    this.#members.delete(callerName(member.caller));
    this.#host.end(member.neighbor, fault(name, why));
  }
}

/** Its routes are kept, or it is kept out: then a new neighbor for the same caller would know nothing of either. */
const isKept = ({ neighbor }: Member): boolean => neighbor.isHelping || neighbor.isHeldDown;

/** A connection stands, and something is to be expected of it. */
const isUnderWay = (state: SessionState): boolean =>
  state === 'OpenSent' || state === 'OpenConfirm' || state === 'Established';

/** What a member is to be now; one that has said its AS keeps it. Undefined where that AS is not wanted any more. */
function settingsFor({ caller, neighbor }: Member, range: DynamicPeers): PeerSettings | undefined {
  const wanted = settingsOf(range, caller);
  const { remoteAsn, remoteAsns } = neighbor.settings;
  const hasSaidAsn = remoteAsns === undefined;
  if (!hasSaidAsn) return wanted;
  if (!asnsOf(range).includes(remoteAsn)) return undefined;
  return { ...settingsOf({ ...range, remoteAsns: undefined }, caller), remoteAsn };
}
