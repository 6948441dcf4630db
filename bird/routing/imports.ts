import type { IpFamily } from '../../src/model/ip.ts';
import { isSame } from '../../src/model/same.ts';
import { packPrefix } from '../rib/prefix-table.ts';
import type { PackedPrefix } from '../rib/prefix-table.ts';
import type { UpdateSink } from '../rib/update-reader.ts';
import type { OriginatedRoute } from '../settings.ts';
import { isStranger } from './acceptance.ts';
import { Intake } from './intake.ts';
import { FAMILIES } from './peer.ts';
import type { PerFamily, RoutingCore, RoutingPeer, RoutingSettings } from './peer.ts';

/** What all peers say. */
export class Imports {
  readonly #core: RoutingCore;
  readonly #intakes = new Map<RoutingPeer, PerFamily<Intake>>();

  constructor(core: RoutingCore) {
    this.#core = core;
  }

  add(peer: RoutingPeer): void {
    this.#intakes.set(peer, { 4: new Intake(this.#core, peer, 4), 6: new Intake(this.#core, peer, 6) });
  }

  /** It says nothing any more; what removes its rows is the caller's. */
  remove(peer: RoutingPeer): PerFamily<Intake> {
    const intakes = { 4: this.of(peer, 4), 6: this.of(peer, 6) };
    for (const family of FAMILIES) intakes[family].close();
    peer.importPolicy?.clear();
    peer.importPolicy = undefined;
    this.#intakes.delete(peer);
    return intakes;
  }

  of(peer: RoutingPeer, family: IpFamily): Intake {
    const intakes = this.#intakes.get(peer);
    if (intakes === undefined) throw new Error(`peer ${peer.index} was removed`);
    return intakes[family];
  }

  /** Where the UPDATEs of a peer go while its session is up. */
  sinkFor(peer: RoutingPeer): UpdateSink {
    return {
      attributes: this.#core.attributes,
      keepsAigp: takesAigp(peer, this.#core.settings),
      families: { 4: this.of(peer, 4), 6: this.of(peer, 6) },
    };
  }

  /** Every row of the peer is judged anew, behind the changes. */
  judgeAgain(peer: RoutingPeer): void {
    for (const family of FAMILIES) this.of(peer, family).judgeAgain();
    this.#core.work();
  }

  /** What was accepted before a block became ours must not stay, nor be refused when it is ours no longer. */
  setOwnBlocks(routes: readonly OriginatedRoute[]): void {
    const { settings, speaker } = this.#core;
    // A switch is another matter: what it originates are aggregates, and their parts come from the nodes.
    if (settings.transit) return;
    const blocksOf = (family: IpFamily): readonly PackedPrefix[] =>
      routes.filter(({ prefix }) => prefix.address.family === family).map(({ prefix }) => packPrefix(prefix));
    const blocks = { 4: blocksOf(4), 6: blocksOf(6) };
    if (isSame(blocks, speaker.ownBlocks)) return;
    speaker.ownBlocks = blocks;
    for (const peer of this.#intakes.keys()) if (isStranger(peer)) this.judgeAgain(peer);
  }
}

/** RFC 7311 §3.3: on by default inside an AS, off between ASes. */
export const takesAigp = (peer: RoutingPeer, { decision }: RoutingSettings): boolean =>
  decision?.aigp === true && (peer.settings.aigp ?? !isStranger(peer));
