import type { IpFamily } from '../../src/model/ip.ts';
import type { PathsOut } from '../rib/adj-rib-out.ts';
import { ABSENT } from '../rib/int-table.ts';
import { originOfSource } from './peer.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';
import { LOCAL_SOURCE } from './sources.ts';

/** A peer that takes several paths of a prefix, in one family. */
interface PathPeer {
  readonly peer: RoutingPeer;
  readonly family: IpFamily;
  readonly out: PathsOut;
}

/** What peers with ADD-PATH (RFC 7911) are told: every path of a prefix that policy lets them have. */
export class PathExports {
  readonly #core: RoutingCore;
  readonly #peers = new Map<RoutingPeer, Map<IpFamily, PathPeer>>();

  constructor(core: RoutingCore) {
    this.#core = core;
  }

  hasPeers(family: IpFamily): boolean {
    if (this.#peers.size === 0) return false;
    return [...this.#peers.values()].some((families) => families.has(family));
  }

  outOf(peer: RoutingPeer, family: IpFamily): PathsOut | undefined {
    return this.#peers.get(peer)?.get(family)?.out;
  }

  sessionUp(peer: RoutingPeer, family: IpFamily, out: PathsOut): void {
    const families = this.#peers.get(peer) ?? new Map<IpFamily, PathPeer>();
    this.#peers.set(peer, families.set(family, { peer, family, out }));
    this.tell(peer, family);
  }

  sessionDown(peer: RoutingPeer): void {
    const { chores } = this.#core;
    for (const { family, out } of this.#peers.get(peer)?.values() ?? []) {
      chores.drop(choreName(peer, family));
      chores.drop(againName(peer, family));
      chores.add({ rows: () => out.slots, visit: (slot) => Number(out.letGo(slot)) });
    }
    this.#peers.delete(peer);
  }

  /** Some path of a prefix is another. */
  changed(family: IpFamily, prefix: number): void {
    for (const families of this.#peers.values()) {
      const each = families.get(family);
      if (each !== undefined) this.#update(each, prefix);
    }
  }

  /** Everything that is selected is due to be told, as far as the peer does not have it. */
  tell(peer: RoutingPeer, family: IpFamily): void {
    const { locRib } = this.#core.tables[family];
    this.#walk({ peer, family, name: choreName(peer, family) }, (each, prefix) => {
      if (locRib.bestSource(prefix) < LOCAL_SOURCE) return false;
      this.#update(each, prefix);
      return true;
    });
  }

  /** Everything that the peer has is due to be told once more. RFC 2918 §4. */
  tellAgain(peer: RoutingPeer, family: IpFamily): void {
    this.#walk({ peer, family, name: againName(peer, family) }, (each, prefix) => {
      const paths = each.out.pathsOf(prefix);
      for (const path of paths) each.out.tellAgain(prefix, path, this.#wanted(each, prefix, path));
      if (paths.length > 0) this.#core.listener.hasNews(peer);
      return paths.length > 0;
    });
  }

  isTelling(peer: RoutingPeer, family: IpFamily): boolean {
    return this.#core.chores.has(choreName(peer, family));
  }

  isTellingAgain(peer: RoutingPeer, family: IpFamily): boolean {
    return this.#core.chores.has(againName(peer, family));
  }

  /** Every path that the peer has or may have. */
  #update(each: PathPeer, prefix: number): void {
    const { peer, family, out } = each;
    const paths = new Set([...out.pathsOf(prefix), ...this.#core.tables[family].locRib.sourcesOf(prefix)]);
    let isNews = false;
    for (const path of paths) if (out.want(prefix, path, this.#wanted(each, prefix, path))) isNews = true;
    if (isNews) this.#core.listener.hasNews(peer);
  }

  /** `path` is a source, and the path that it offers. Nothing is told before selection has looked at the prefix. */
  #wanted({ peer, family }: PathPeer, prefix: number, path: number): number | undefined {
    const { locRib } = this.#core.tables[family];
    const group = peer.exportGroups.get(family);
    if (group === undefined || locRib.bestSource(prefix) < LOCAL_SOURCE) return undefined;
    const attributes = locRib.offer(prefix, path);
    const isOwn = path !== LOCAL_SOURCE && this.#core.sources.peer(path) === peer;
    if (attributes === ABSENT || isOwn) return undefined;
    return group.exported(attributes, originOfSource(this.#core, path), prefix);
  }

  /** Where the peer needs nothing, what waits for the end of the walk can be said: End-of-RIB, EoRR. */
  #walk(
    { peer, family, name }: { readonly peer: RoutingPeer; readonly family: IpFamily; readonly name: string },
    visit: (each: PathPeer, prefix: number) => boolean,
  ): void {
    const { chores, tables, listener } = this.#core;
    const each = this.#peers.get(peer)?.get(family);
    if (each === undefined) return;
    const { locRib } = tables[family];
    chores.set(name, {
      rows: () => locRib.rows,
      visit: (prefix) => Number(visit(each, prefix)),
      end: () => listener.hasNews(peer),
    });
  }
}

const againName = ({ index }: RoutingPeer, family: IpFamily): string => `again ${index} IPv${family}`;
const choreName = ({ index }: RoutingPeer, family: IpFamily): string => `export ${index} IPv${family}`;
