import type { IpFamily } from '../../src/model/ip.ts';
import { addCommunity, carriesCommunity } from '../policy/attributes.ts';
import { ACCEPTED } from '../policy/import.ts';
import type { AdjRibIn } from '../rib/adj-rib-in.ts';
import { BEYOND_LIMIT } from '../rib/lane.ts';
import type { JudgedSet, Lane } from '../rib/lane.ts';
import { NO_PREFIX } from '../rib/prefix-table.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { PathSink } from '../rib/update-reader.ts';
import { LLGR_STALE, NO_LLGR } from '../rib/well-known.ts';
import { Acceptance } from './acceptance.ts';
import { complain } from './peer.ts';
import type { FamilyTables, RoutingCore, RoutingPeer } from './peer.ts';
import { rowByRow, RowWalks } from './row-walks.ts';
import type { RowVisit } from './row-walks.ts';

/** Rows that go in one step of a sweep, of neighboring prefixes: the way to a row costs as much as what is done there. */
const SWEPT_AT_ONCE = 64;
/** A step is done in one go, so there is one for all peers. */
const SWEPT = new Int32Array(SWEPT_AT_ONCE);

/** What one peer says in one family becomes rows of its Adj-RIB-In, each with the verdict of import. */
export class Intake implements PathSink {
  readonly #core: RoutingCore;
  readonly #peer: RoutingPeer;
  readonly #family: IpFamily;
  readonly #tables: FamilyTables;
  readonly #adjRibIn: AdjRibIn;
  readonly #acceptance: Acceptance;
  readonly #walks: RowWalks;
  /** Something beyond the prefix limit may be let in. */
  #hasRoom = false;

  constructor(core: RoutingCore, peer: RoutingPeer, family: IpFamily) {
    this.#core = core;
    this.#peer = peer;
    this.#family = family;
    this.#tables = core.tables[family];
    this.#adjRibIn = peer.adjRibIn[family];
    this.#acceptance = new Acceptance(core, peer, family);
    this.#walks = new RowWalks(core, peer, family);
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
    const route = this.#acceptance.ofNew(lane, prefix, judged);
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
    this.#walks.begin('sweep', {
      lanes: (lane) => lane.doomed > 0,
      rows: (lane, prefix) => lane.isDoomed(prefix),
      visit: (lane, prefix, most) => this.#sweep(lane, prefix, most),
    });
  }

  /** Every row is judged anew, behind the changes. */
  judgeAgain(): void {
    this.#acceptance.noteCount(this.#adjRibIn.counted);
    this.walkAll('judge', (lane, prefix) => this.#judgeRow(lane, prefix));
  }

  /** Over every row, behind the changes. */
  walkAll(what: 'judge' | 'source', visit: RowVisit): void {
    this.#walks.begin(what, {
      lanes: (lane) => lane.received > 0,
      rows: (lane, prefix) => lane.has(prefix),
      visit: rowByRow(visit),
    });
  }

  /** RFC 9494 §4.2: what must not be kept for long goes, the rest that is stale now is marked, and so preferred least. */
  startLongLived(): void {
    for (const lane of this.#adjRibIn.lanes) lane.ageStale();
    this.#walks.begin('age', {
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
    this.#walks.close();
  }

  /** All prefixes of an UPDATE fare alike. */
  get #isPlain(): boolean {
    return this.#adjRibIn.lanes.length === 1 && this.#acceptance.isAlike;
  }

  #remove(lane: Lane, prefix: number): void {
    const isRoom = this.#acceptance.hasLimit && lane.rejection(prefix) !== BEYOND_LIMIT;
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
    const end = prefix + Math.min(most, SWEPT_AT_ONCE);
    let count = 0;
    for (let at = prefix; at < end; at++) {
      if (lane.isDoomed(at) && lane.pathId(at) === undefined) SWEPT[count++] = at;
    }
    this.#tables.locRib.withdrawn(SWEPT, lane.withdrawAll(SWEPT, count), lane.source);
    return count;
  }

  /** A peer without ADD-PATH has one path for a prefix: what more there is comes from an earlier session. */
  #removeOthers(prefix: number): void {
    for (const lane of this.#adjRibIn.otherLanes(prefix)) this.#remove(lane, prefix);
  }

  /** There may be room below the limit for what is beyond it. */
  #letIn(): void {
    if (this.#adjRibIn.beyond === 0) return;
    this.#hasRoom = true;
    if (this.#walks.isUnderWay('room')) return;
    this.#letRowsIn();
    this.#core.work();
  }

  /** Once more where there came more room meanwhile. */
  #letRowsIn(): void {
    this.#hasRoom = false;
    this.#walks.begin('room', {
      lanes: (lane) => lane.beyond > 0,
      rows: (lane, prefix) => lane.rejection(prefix) === BEYOND_LIMIT,
      visit: rowByRow((lane, prefix) => this.#judgeRow(lane, prefix)),
      end: () => {
        if (this.#hasRoom) this.#letRowsIn();
      },
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
    const { used, rejection } = this.#acceptance.ofRow(lane, prefix, judged);
    this.#replace(lane, prefix, { used: this.#isLongLived(lane, prefix) ? this.#marked(used) : used, rejection });
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
