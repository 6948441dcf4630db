import type { IpFamily } from '../../src/model/ip.ts';
import { ACCEPTED, REJECTED_OWN_BLOCK } from '../policy/import.ts';
import { isInside } from '../policy/packed.ts';
import { fitsLimit, isLater, limitStage } from '../prefix-limit.ts';
import { BEYOND_LIMIT } from '../rib/lane.ts';
import type { JudgedSet, Lane } from '../rib/lane.ts';
import type { PrefixLimit } from '../settings.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';

/** Of another AS. */
export const isStranger = ({ settings }: RoutingPeer): boolean => settings.remoteAsn !== settings.localAsn;

/** What becomes of one path of a peer beside what its attributes say: whose block it is in, and how many there may be. */
export class Acceptance {
  readonly #core: RoutingCore;
  readonly #peer: RoutingPeer;
  readonly #family: IpFamily;

  constructor(core: RoutingCore, peer: RoutingPeer, family: IpFamily) {
    this.#core = core;
    this.#peer = peer;
    this.#family = family;
  }

  /** All prefixes with the same attributes fare alike: there is no limit, and no policy that looks at the prefix. */
  get isAlike(): boolean {
    if (this.#limit !== undefined || this.#peer.importPolicy?.looksAtPrefix === true) return false;
    return this.#core.speaker.ownBlocks[this.#family].length === 0 || !isStranger(this.#peer);
  }

  get hasLimit(): boolean {
    return this.#limit !== undefined;
  }

  /** Of an announcement; where there is a limit it is counted. */
  ofNew(lane: Lane, prefix: number, judged: JudgedSet): JudgedSet {
    const verdict = this.#verdict(prefix, judged);
    const limit = this.#limit;
    if (limit === undefined) return verdict;
    const isCounted = lane.has(prefix) && !lane.isStale(prefix) && lane.rejection(prefix) !== BEYOND_LIMIT;
    const counted = this.#counted;
    if (!isCounted) this.noteCount(counted + 1);
    return fitsLimit(limit, counted, isCounted) ? verdict : { ...verdict, rejection: BEYOND_LIMIT };
  }

  /** The same of a row that stands. */
  ofRow(lane: Lane, prefix: number, judged: JudgedSet): JudgedSet {
    const verdict = this.#verdict(prefix, judged);
    const isCounted = lane.rejection(prefix) !== BEYOND_LIMIT;
    const fits = this.#limit === undefined || fitsLimit(this.#limit, this.#counted, isCounted);
    return fits ? verdict : { ...verdict, rejection: BEYOND_LIMIT };
  }

  /** So many paths count now: where that is a warning, or beyond the limit, it is told once. */
  noteCount(count: number): void {
    const [limit, family, stages] = [this.#limit, this.#family, this.#peer.limitStages];
    if (limit === undefined) return;
    const stage = limitStage(limit, count);
    if (!isLater(stage, stages[family])) return;
    stages[family] = stage;
    this.#core.listener.limitReached(this.#peer, { family, limit, stage });
  }

  get #counted(): number {
    return this.#peer.adjRibIn[this.#family].counted;
  }

  get #limit(): PrefixLimit | undefined {
    return this.#peer.settings.prefixLimits?.[this.#family];
  }

  #verdict(prefix: number, judged: JudgedSet): JudgedSet {
    if (judged.rejection !== ACCEPTED) return judged;
    // Other nodes borrow single addresses of our blocks (Calico's IPAM) and announce them; strangers have no business there.
    const blocks = this.#core.speaker.ownBlocks[this.#family];
    const policy = this.#peer.importPolicy;
    if (blocks.length === 0 && policy?.looksAtPrefix !== true) return judged;
    const { attributes } = judged;
    const packed = this.#core.tables[this.#family].prefixes.packed(prefix);
    if (blocks.length > 0 && isStranger(this.#peer) && isInside(blocks, packed)) {
      return { attributes, used: attributes, rejection: REJECTED_OWN_BLOCK };
    }
    return policy?.looksAtPrefix === true ? policy.judgePath(this.#family, packed, attributes) : judged;
  }
}
