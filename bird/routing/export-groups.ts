import type { IpFamily } from '../../src/model/ip.ts';
import { NOBODY } from '../rib/holders.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { LocRib } from '../rib/loc-rib.ts';
import { NO_PEER } from '../update/batch.ts';
import { ExportGroup, viewKey } from '../update/export-group.ts';
import type { ExportOrigin } from '../update/export-group.ts';
import { SharedRibOut } from '../update/shared-rib-out.ts';
import type { Watcher, Wish } from '../update/shared-rib-out.ts';
import type { Told } from '../update/told-sets.ts';
import { exportView } from './export-view.ts';
import { takesAigp } from './imports.ts';
import { complain, originOfSource } from './peer.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';

/** The peers with one view of us that take the best path alone, and what they were told. */
export interface Audience {
  readonly family: IpFamily;
  readonly group: ExportGroup;
  readonly rib: SharedRibOut;
  readonly wish: GroupWish;
  /** Those of its peers that wait until nothing is due any more. */
  readonly waiting: Set<RoutingPeer>;
}

/** What the peers of a group are to have of the best route of a prefix. */
export class GroupWish implements Wish {
  target: Told = ABSENT;
  from = NO_PEER;
  readonly #core: RoutingCore;
  readonly #group: ExportGroup;
  readonly #locRib: LocRib;
  /** The last answer: neighboring prefixes mostly have the same attributes from the same peer. */
  #source = NOBODY;
  #attributes = ABSENT;

  constructor(core: RoutingCore, group: ExportGroup) {
    this.#core = core;
    this.#group = group;
    this.#locRib = core.tables[group.view.family].locRib;
  }

  /** Before each pass, too: the numbers of attribute sets and sources may mean others since the last. */
  forget(): void {
    this.target = ABSENT;
    this.#source = NOBODY;
    this.#attributes = ABSENT;
  }

  look(prefix: number): void {
    const source = this.#locRib.bestSource(prefix);
    const attributes = this.#locRib.bestAttributes(prefix);
    if (source === this.#source && attributes === this.#attributes) return;
    this.#source = this.#group.looksAtPrefix ? NOBODY : source;
    this.#attributes = attributes;
    if (source === NOBODY) {
      this.target = ABSENT;
      return;
    }
    this.target = this.#group.told(attributes, originOfSource(this.#core, source), prefix);
    this.from = this.#core.sources.peer(source)?.index ?? NO_PEER;
  }
}

/** The groups of peers that are told the same, and the Adj-RIB-Out of each. */
export class ExportGroups {
  readonly #core: RoutingCore;
  readonly #groups = new Map<string, ExportGroup>();
  readonly #audiences = new Map<ExportGroup, Audience>();
  /** Those whose rows follow selection. */
  #following: readonly Audience[] = [];

  constructor(core: RoutingCore) {
    this.#core = core;
  }

  /** Of a peer whose session is up; one more user, see `leave`. */
  enter(peer: RoutingPeer, family: IpFamily): ExportGroup {
    const { settings, speaker } = this.#core;
    const view = exportView(peer, family, {
      transit: settings.transit,
      clusterId: speaker.clusterId,
      draining: speaker.isDraining,
      aigp: takesAigp(peer, settings),
    });
    const key = viewKey(view);
    const group = this.#groups.get(key) ?? this.#make(view, key);
    group.users++;
    return group;
  }

  leave(group: ExportGroup): void {
    if (--group.users > 0) return;
    group.clear();
    this.#groups.delete(viewKey(group.view));
    this.#follow();
  }

  /** Export remembers peers by index: an index that means another peer must not find what the last one left. */
  forget(): void {
    for (const group of this.#groups.values()) group.clear();
  }

  get following(): readonly Audience[] {
    return this.#following;
  }

  audienceOf(group: ExportGroup): Audience {
    const known = this.#audiences.get(group);
    if (known !== undefined) return known;
    const { family } = group.view;
    const wish = new GroupWish(this.#core, group);
    const { prefixes } = this.#memory(family);
    const memory = { prefixes, toldSets: group.toldSets };
    const rib = new SharedRibOut(memory, wish, () => this.#unwatched(audience));
    const audience: Audience = { family, group, rib, wish, waiting: new Set() };
    this.#audiences.set(group, audience);
    this.#follow();
    this.#fill(audience);
    return audience;
  }

  /** There may be something for the peer by itself. */
  wake({ peer: index }: Watcher): void {
    const peer = this.#core.sources.peer(index);
    if (peer !== undefined) this.#core.listener.hasNews(peer);
  }

  /** Before anybody is told, the rows become what is wanted now; who joins is told them as what the group has. */
  #fill({ family, group, rib, wish }: Audience): void {
    const { locRib } = this.#core.tables[family];
    if (locRib.size === 0) {
      rib.isFilled = true;
      return;
    }
    this.#core.chores.add({
      // Without a peer of its own it only waits to be left.
      rows: () => (rib.isWatched && group.users > 0 ? locRib.rows : 0),
      visit: (prefix) => {
        wish.forget();
        return Number(rib.fill(prefix));
      },
      end: () => {
        rib.isFilled = true;
        for (const watcher of rib.watchers()) this.wake(watcher);
      },
    });
  }

  #unwatched(audience: Audience): void {
    const { rib, group } = audience;
    this.#audiences.delete(group);
    this.#follow();
    this.#core.chores.add({ rows: () => rib.rows, visit: (prefix) => Number(rib.letGo(prefix)) });
    this.#core.work();
  }

  /** One that has no peer of its own any more stands still: peers come from it and compare. */
  #follow(): void {
    this.#following = [...this.#audiences.values()].filter(({ group }) => group.users > 0);
  }

  #make(view: ExportGroup['view'], key: string): ExportGroup {
    const group: ExportGroup = new ExportGroup(view, this.#memory(view.family), (reason, origin) =>
      this.#leftOut(group, reason, origin),
    );
    this.#groups.set(key, group);
    return group;
  }

  #memory(family: IpFamily) {
    return { prefixes: this.#core.tables[family].prefixes, attributes: this.#core.attributes };
  }

  #leftOut(group: ExportGroup, reason: string, origin: ExportOrigin): void {
    for (const peer of this.#core.sources.peers()) {
      if (peer.exportGroups.get(group.view.family) !== group || peer.index === origin.peer) continue;
      complain(this.#core, peer, { cause: 'left out', text: `a route is not told: ${reason}` });
    }
  }
}
