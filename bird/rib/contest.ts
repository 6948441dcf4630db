import type { Candidate, Selection } from './decision.ts';
import type { Holders } from './holders.ts';
import type { Qualities } from './qualities.ts';

/** The peer that a path comes from, as the short way looks at it. */
export interface PathPeer {
  readonly identity: { readonly bgpIdentifier: number; readonly external: boolean };
  readonly addressValue: bigint;
}

/** What the decision asks of a path, and how it decides. */
export interface Deciding {
  /** The source that is this node itself. */
  readonly own: number;
  candidateOf(source: number, attributes: number, prefix: number): Candidate;
  select(candidates: readonly Candidate[]): Selection | undefined;
  /** How the short way decides what `select` would; undefined: there is none. */
  readonly short: ShortWay | undefined;
  /** Somebody is to hear of each path that comes, and not of the best alone: see `SettleListener.settled`. */
  hearsOfAll(): boolean;
}

export interface ShortWay {
  /** Undefined: a path of this node. */
  peerOf(source: number): PathPeer | undefined;
  /** As in `DecisionSettings`. */
  readonly alwaysCompareMed: boolean;
}

/** More paths that are equal so far than these are left to the full decision: comparing MEDs takes the square of it. */
const MAX_LEADING = 64;

/**
 * The paths of one contested prefix, reduced to those that none is better than: by numbers that are worked out once for each
 * attribute set, and so without an object for each path. The rules and their order are those of `decisionProcess`, which
 * is asked where the numbers do not tell. Used for one prefix after the other.
 */
export class Contest {
  /** The best path first, then those as good as it, in no order; as many as `run` answered. */
  readonly sources: number[] = [];
  readonly sets: number[] = [];
  readonly #qualities: Qualities;
  readonly #deciding: Deciding;
  readonly #usable: (source: number, prefix: number) => number;
  readonly #isLoser = new Uint8Array(MAX_LEADING);
  #count = 0;

  constructor(qualities: Qualities, deciding: Deciding, usable: (source: number, prefix: number) => number) {
    this.#qualities = qualities;
    this.#deciding = deciding;
    this.#usable = usable;
  }

  /** Among several who offer the prefix; how many paths are as good as the best, that one included. */
  run(prefix: number, offers: Holders): number {
    const { short } = this.#deciding;
    if (short === undefined || !this.#runShort(short, prefix, offers)) this.#runFull(prefix, offers);
    return this.#count;
  }

  /** Whether a path that comes new loses to the one that was selected, and changes nothing about what it is as good as. */
  isWorse(source: number, set: number, best: { readonly source: number; readonly attributes: number }): boolean {
    const { short } = this.#deciding;
    if (short?.peerOf(source) === undefined) return false;
    const qualities = this.#qualities;
    return short.peerOf(best.source) === undefined || qualities.rank(set) > qualities.rank(best.attributes);
  }

  candidates(prefix: number, offers: Holders): readonly Candidate[] {
    return offers.all(prefix).map((source) => this.#deciding.candidateOf(source, this.#usable(source, prefix), prefix));
  }

  #runFull(prefix: number, offers: Holders): void {
    const { multipath = [] } = this.#deciding.select(this.candidates(prefix, offers)) ?? {};
    this.#count = 0;
    for (const { source } of multipath) this.#add(source, this.#usable(source, prefix));
  }

  /** False: it takes the full decision to tell. */
  #runShort(short: ShortWay, prefix: number, offers: Holders): boolean {
    const qualities = this.#qualities;
    let best = Infinity;
    this.#count = 0;
    const last = offers.lastLink(prefix);
    let link = last;
    do {
      link = offers.nextLink(link);
      const source = offers.holderAt(link);
      const set = this.#usable(source, prefix);
      const isOwn = short.peerOf(source) === undefined;
      const rank = isOwn ? -Infinity : qualities.rank(set);
      if (rank > best) continue;
      if (rank < best) this.#count = 0;
      best = rank;
      if (this.#count === MAX_LEADING) return false;
      this.#add(source, set);
    } while (link !== last);
    if (this.#count <= 1) return true;
    this.#compareMed(short);
    if (this.#count > 1) this.#preferExternal(short);
    return this.#count === 1 || this.#breakTie(short);
  }

  #add(source: number, set: number): void {
    this.sources[this.#count] = source;
    this.sets[this.#count] = set;
    this.#count++;
  }

  /** RFC 4271 §9.1.2.2 c). */
  #compareMed({ alwaysCompareMed }: ShortWay): void {
    const { sets } = this;
    const qualities = this.#qualities;
    const isLoser = this.#isLoser;
    const count = this.#count;
    const first = qualities.med(sets[0]!);
    let isAlike = true;
    for (let i = 1; i < count && isAlike; i++) isAlike = qualities.med(sets[i]!) === first;
    if (isAlike) return;
    isLoser.fill(0, 0, count);
    for (let i = 0; i < count; i++) {
      const med = qualities.med(sets[i]!);
      for (let j = 0; j < count; j++) {
        if (qualities.med(sets[j]!) >= med) continue;
        if (alwaysCompareMed || qualities.neighborAs(sets[j]!) === qualities.neighborAs(sets[i]!)) isLoser[i] = 1;
      }
    }
    this.#dropLosers();
  }

  /** RFC 4271 §9.1.2.2 d); e) finds all alike, for nobody here knows of an IGP. */
  #preferExternal(short: ShortWay): void {
    const isLoser = this.#isLoser;
    let external = 0;
    for (let i = 0; i < this.#count; i++) {
      const isExternal = short.peerOf(this.sources[i]!)?.identity.external === true;
      isLoser[i] = isExternal ? 0 : 1;
      if (isExternal) external++;
    }
    if (external > 0) this.#dropLosers();
  }

  #dropLosers(): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) if (this.#isLoser[i] === 0) this.#add(this.sources[i]!, this.sets[i]!);
  }

  /** RFC 4271 §9.1.2.2 f) and g). False where a route reflector or a path identifier has a say, RFC 4456 §9. */
  #breakTie(short: ShortWay): boolean {
    const { sources, sets } = this;
    let best = 0;
    for (let i = 0; i < this.#count; i++) {
      if (this.#qualities.isReflected(sets[i]!)) return false;
      if (i === best) continue;
      const [own, other] = [short.peerOf(sources[i]!)!, short.peerOf(sources[best]!)!];
      const [identifier, otherIdentifier] = [own.identity.bgpIdentifier, other.identity.bgpIdentifier];
      if (identifier === otherIdentifier && own.addressValue === other.addressValue) return false;
      const isBetter =
        identifier === otherIdentifier ? own.addressValue < other.addressValue : identifier < otherIdentifier;
      if (isBetter) best = i;
    }
    const [source, set] = [sources[best]!, sets[best]!];
    sources[best] = sources[0]!;
    sets[best] = sets[0]!;
    sources[0] = source;
    sets[0] = set;
    return true;
  }
}
