import type { IpFamily } from '../../src/model/ip.ts';
import { addCommunity, carriesCommunity } from '../policy/attributes.ts';
import { ACCEPTED, REJECTED_OWN_BLOCK } from '../policy/import.ts';
import { isInside } from '../policy/packed.ts';
import { fitsLimit, isLater, limitStage } from '../prefix-limit.ts';
import type { AdjRibIn } from '../rib/adj-rib-in.ts';
import { BEYOND_LIMIT } from '../rib/lane.ts';
import type { JudgedSet, Lane } from '../rib/lane.ts';
import { NO_PREFIX } from '../rib/prefix-table.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { PathSink } from '../rib/update-reader.ts';
import { LLGR_STALE, NO_LLGR } from '../rib/well-known.ts';
import type { PrefixLimit } from '../settings.ts';
import type { Walk } from './chores.ts';
import { complain } from './peer.ts';
import type { FamilyTables, RoutingCore, RoutingPeer } from './peer.ts';

/** What goes on behind the changes, one of each at a time. */
type RowsWalk = (typeof WALKS)[number];
const WALKS = ['sweep', 'judge', 'age', 'room', 'source'] as const;

/** Rows that go in one step of a sweep, of neighboring prefixes: the way to a row costs as much as what is done there. */
const SWEPT_AT_ONCE = 64;

/** A walk over the rows of a peer. */
interface RowWork {
  /** Lanes that have such rows; the walk is over where none does. */
  readonly lanes: (lane: Lane) => boolean;
  readonly rows: (lane: Lane, prefix: number) => boolean;
  /** How many rows it was, with those behind that it took along: `most` at most. */
  readonly visit: (lane: Lane, prefix: number, most: number) => number;
}

type RowVisit = (lane: Lane, prefix: number) => void;

const rowByRow = (visit: RowVisit): RowWork['visit'] => {
  return (lane, prefix) => {
    visit(lane, prefix);
    return 1;
  };
};

/** What one peer says in one family becomes rows of its Adj-RIB-In, each with the verdict of import. */
export class Intake implements PathSink {
  readonly #core: RoutingCore;
  readonly #peer: RoutingPeer;
  readonly #family: IpFamily;
  readonly #tables: FamilyTables;
  readonly #adjRibIn: AdjRibIn;
  readonly #swept = new Int32Array(SWEPT_AT_ONCE);
  /** Something beyond the prefix limit may be let in. */
  #hasRoom = false;

  constructor(core: RoutingCore, peer: RoutingPeer, family: IpFamily) {
    this.#core = core;
    this.#peer = peer;
    this.#family = family;
    this.#tables = core.tables[family];
    this.#adjRibIn = peer.adjRibIn[family];
  }

  get prefixes(): PrefixTable {
    return this.#tables.prefixes;
  }

  judge(attributes: number): JudgedSet {
    return this.#peer.importPolicy!.judge(this.#family, attributes);
  }

  announce(prefix: number, pathId: number | undefined, judged: JudgedSet): void {
    const lane = this.#adjRibIn.laneFor(prefix, pathId);
    if (lane === undefined) {
      this.#complainOfPaths();
      return;
    }
    const verdict = this.#verdict(prefix, judged);
    const limit = this.#limit;
    const route = limit === undefined ? verdict : this.#limited(lane, prefix, { limit, verdict });
    if (lane.announce(prefix, route, pathId)) {
      this.#tables.locRib.changed(prefix, lane.source, route.rejection === ACCEPTED);
    }
    if (pathId === undefined && this.#adjRibIn.lanes.length > 1) this.#removeOthers(prefix);
  }

  withdraw(prefix: number, pathId: number | undefined): void {
    if (pathId === undefined && this.#adjRibIn.lanes.length > 1) this.#removeOthers(prefix);
    const lane = this.#adjRibIn.laneOf(prefix, pathId);
    if (lane !== undefined) this.#remove(lane, prefix);
  }

  announceAll(prefixes: Int32Array, count: number, judged: JudgedSet): void {
    if (!this.#isPlain) {
      for (let i = 0; i < count; i++) this.announce(prefixes[i]!, undefined, judged);
      return;
    }
    const lane = this.#adjRibIn.lanes[0]!;
    const { changed, areNew } = lane.announceAll(prefixes, count, judged);
    const { locRib } = this.#tables;
    if (judged.rejection === ACCEPTED)
      locRib.offered(prefixes, changed, { source: lane.source, attributes: judged.used, areNew });
    else for (let i = 0; i < changed; i++) locRib.changed(prefixes[i]!, lane.source, false);
  }

  withdrawAll(prefixes: Int32Array, count: number): void {
    if (!this.#isPlain) {
      for (let i = 0; i < count; i++) if (prefixes[i] !== NO_PREFIX) this.withdraw(prefixes[i]!, undefined);
      return;
    }
    const lane = this.#adjRibIn.lanes[0]!;
    this.#tables.locRib.withdrawn(prefixes, lane.withdrawAll(prefixes, count), lane.source);
  }

  applied(): void {
    this.#core.listener.workWaits();
  }

  /** All rows go, behind the changes; what is announced before its row is removed stays. */
  flush(): void {
    this.#adjRibIn.markStale();
    this.sweepStale();
  }

  /** What is stale now goes, in the same manner. */
  sweepStale(): void {
    for (const lane of this.#adjRibIn.lanes) lane.doomStale();
    this.#walk('sweep', {
      lanes: (lane) => lane.doomed > 0,
      rows: (lane, prefix) => lane.isDoomed(prefix),
      visit: (lane, prefix, most) => this.#sweep(lane, prefix, most),
    });
  }

  /** Every row is judged anew, behind the changes. */
  judgeAgain(): void {
    this.#noteCount(this.#adjRibIn.counted);
    this.walkAll('judge', (lane, prefix) => this.#judgeRow(lane, prefix));
  }

  /** Over every row, behind the changes. */
  walkAll(what: 'judge' | 'source', visit: RowVisit): void {
    this.#walk(what, {
      lanes: (lane) => lane.received > 0,
      rows: (lane, prefix) => lane.has(prefix),
      visit: rowByRow(visit),
    });
  }

  /** RFC 9494 §4.2: what must not be kept for long goes, the rest that is stale now is marked, and so preferred least. */
  startLongLived(): void {
    for (const lane of this.#adjRibIn.lanes) lane.ageStale();
    this.#walk('age', {
      lanes: (lane) => lane.aging > 0,
      rows: (lane, prefix) => lane.isAging(prefix),
      visit: rowByRow((lane, prefix) => this.#age(lane, prefix)),
    });
  }

  /** All rows of one prefix go at once; true where there was one. */
  remove(prefix: number): boolean {
    const holders = this.#adjRibIn.lanes.filter((lane) => lane.has(prefix));
    for (const lane of holders) if (lane.withdraw(prefix)) this.#tables.locRib.changed(prefix, lane.source, false);
    return holders.length > 0;
  }

  /** Nothing of it goes on behind the changes any more. */
  close(): void {
    for (const what of WALKS) this.#core.chores.drop(this.#nameOf(what));
  }

  /** All prefixes of an UPDATE fare alike: there is one lane, no limit, and no policy that looks at the prefix. */
  get #isPlain(): boolean {
    if (this.#adjRibIn.lanes.length > 1 || this.#limit !== undefined) return false;
    if (this.#peer.importPolicy?.looksAtPrefix === true) return false;
    return this.#core.speaker.ownBlocks[this.#family].length === 0 || !isStranger(this.#peer);
  }

  get #limit(): PrefixLimit | undefined {
    return this.#peer.settings.prefixLimits?.[this.#family];
  }

  #nameOf(what: RowsWalk): string {
    return `${what} ${this.#peer.index} IPv${this.#family}`;
  }

  #walk(what: RowsWalk, { lanes, rows, visit }: RowWork, end?: () => void): void {
    const { prefixes } = this.#tables;
    const adjRibIn = this.#adjRibIn;
    const walk: Walk = {
      rows: () => (adjRibIn.lanes.some(lanes) ? prefixes.capacity : 0),
      visit: (prefix, most) => {
        let done = 0;
        for (const lane of adjRibIn.lanes) if (rows(lane, prefix)) done = visit(lane, prefix, most);
        return done;
      },
      ...(end !== undefined && { end }),
    };
    this.#core.chores.set(this.#nameOf(what), walk);
  }

  #remove(lane: Lane, prefix: number): void {
    const isRoom = this.#limit !== undefined && lane.rejection(prefix) !== BEYOND_LIMIT;
    if (lane.withdraw(prefix)) this.#tables.locRib.changed(prefix, lane.source, false);
    if (isRoom) this.#letIn();
  }

  /**
   * At once where its announcements are, too: else what is told again in the same breath would wait behind a backlog. Takes those
   * behind the prefix along that are to go as well: their turn would come next.
   */
  #sweep(lane: Lane, prefix: number, most: number): number {
    if (!this.#isPlain || lane.pathId(prefix) !== undefined) {
      this.#remove(lane, prefix);
      return 1;
    }
    const swept = this.#swept;
    const end = prefix + Math.min(most, SWEPT_AT_ONCE);
    let count = 0;
    for (let at = prefix; at < end; at++) {
      if (lane.isDoomed(at) && lane.pathId(at) === undefined) swept[count++] = at;
    }
    this.#tables.locRib.withdrawn(swept, lane.withdrawAll(swept, count), lane.source);
    return count;
  }

  /** A peer without ADD-PATH has one path for a prefix: what more there is comes from an earlier session. */
  #removeOthers(prefix: number): void {
    for (const lane of this.#adjRibIn.otherLanes(prefix)) this.#remove(lane, prefix);
  }

  #verdict(prefix: number, judged: JudgedSet): JudgedSet {
    if (judged.rejection !== ACCEPTED) return judged;
    // Other nodes borrow single addresses of our blocks (Calico's IPAM) and announce them; strangers have no business there.
    const blocks = this.#core.speaker.ownBlocks[this.#family];
    const policy = this.#peer.importPolicy;
    if (blocks.length === 0 && policy?.looksAtPrefix !== true) return judged;
    const { attributes } = judged;
    const packed = this.#tables.prefixes.packed(prefix);
    if (blocks.length > 0 && isStranger(this.#peer) && isInside(blocks, packed)) {
      return { attributes, used: attributes, rejection: REJECTED_OWN_BLOCK };
    }
    return policy?.looksAtPrefix === true ? policy.judgePath(this.#family, packed, attributes) : judged;
  }

  #limited(
    lane: Lane,
    prefix: number,
    { limit, verdict }: { readonly limit: PrefixLimit; readonly verdict: JudgedSet },
  ): JudgedSet {
    const isCounted = lane.has(prefix) && !lane.isStale(prefix) && lane.rejection(prefix) !== BEYOND_LIMIT;
    const { counted } = this.#adjRibIn;
    if (!isCounted) this.#noteCount(counted + 1);
    return fitsLimit(limit, counted, isCounted) ? verdict : { ...verdict, rejection: BEYOND_LIMIT };
  }

  #noteCount(count: number): void {
    const [limit, family, stages] = [this.#limit, this.#family, this.#peer.limitStages];
    if (limit === undefined) return;
    const stage = limitStage(limit, count);
    if (!isLater(stage, stages[family])) return;
    stages[family] = stage;
    this.#core.listener.limitReached(this.#peer, { family, limit, stage });
  }

  /** There may be room below the limit for what is beyond it. */
  #letIn(): void {
    if (this.#adjRibIn.beyond === 0) return;
    this.#hasRoom = true;
    if (this.#core.chores.has(this.#nameOf('room'))) return;
    this.#letRowsIn();
    this.#core.work();
  }

  /** Once more where there came more room meanwhile. */
  #letRowsIn(): void {
    this.#hasRoom = false;
    const work: RowWork = {
      lanes: (lane) => lane.beyond > 0,
      rows: (lane, prefix) => lane.rejection(prefix) === BEYOND_LIMIT,
      visit: rowByRow((lane, prefix) => this.#judgeRow(lane, prefix)),
    };
    this.#walk('room', work, () => {
      if (this.#hasRoom) this.#letRowsIn();
    });
  }

  #age(lane: Lane, prefix: number): void {
    lane.aged(prefix);
    if (carriesCommunity(this.#core.attributes.attributes(lane.get(prefix)), NO_LLGR)) this.#remove(lane, prefix);
    else this.#replace(lane, prefix, { used: this.#marked(lane.used(prefix)), rejection: lane.rejection(prefix) });
  }

  #judgeRow(lane: Lane, prefix: number): void {
    const policy = this.#peer.importPolicy;
    if (policy === undefined) return;
    const judged = policy.judge(this.#family, lane.get(prefix));
    const { used, rejection } = this.#verdict(prefix, judged);
    const isCounted = lane.rejection(prefix) !== BEYOND_LIMIT;
    const fits = this.#limit === undefined || fitsLimit(this.#limit, this.#adjRibIn.counted, isCounted);
    this.#replace(lane, prefix, {
      used: this.#isLongLived(lane, prefix) ? this.#marked(used) : used,
      rejection: fits ? rejection : BEYOND_LIMIT,
    });
  }

  #replace(lane: Lane, prefix: number, verdict: Omit<JudgedSet, 'attributes'>): void {
    const { attributes } = this.#core;
    attributes.retain(verdict.used);
    if (lane.judgeAgain(prefix, verdict)) this.#tables.locRib.touch(prefix, lane.source);
    attributes.release(verdict.used);
  }

  /** Marked by `startLongLived`, and not fresh since. */
  #isLongLived(lane: Lane, prefix: number): boolean {
    return lane.isStale(prefix) && this.#core.attributes.record(lane.used(prefix)).longLivedStale;
  }

  #marked(set: number): number {
    const { attributes } = this.#core;
    const { longLivedStale } = attributes.record(set);
    return longLivedStale ? set : attributes.intern(addCommunity(attributes.attributes(set), LLGR_STALE));
  }

  #complainOfPaths(): void {
    const text = `more than ${this.#adjRibIn.lanes.length} paths for one prefix: the rest is not used`;
    complain(this.#core, this.#peer, { cause: `paths IPv${this.#family}`, text });
  }
}

/** Of another AS. */
export const isStranger = ({ settings }: RoutingPeer): boolean => settings.remoteAsn !== settings.localAsn;
