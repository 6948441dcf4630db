/** A table that nobody asked for, taken in, selected, told and forgotten. */
import type { IpFamily } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { localSettings } from '../local-settings.ts';
import { localOpen, negotiate } from '../peer/negotiate.ts';
import type { LocalSettings, Negotiated } from '../peer/negotiate.ts';
import { UpdateReader } from '../rib/update-reader.ts';
import { Routing } from '../routing.ts';
import type { RoutingListener, RoutingPeer } from '../routing.ts';
import type { PeerSettings } from '../settings.ts';
import { peerInPlay } from './peer-in-play.ts';
import { attributeBlock, plainContext, UpdateWriter } from '../wire.ts';

const SLICE_MS = 5;
/** As many as it takes until the pace is what it stays. */
const MESSAGES = 1500;
const PREFIXES_PER_MESSAGE = 8;
const MAX_OCTETS = 4096;
const SETTLE_ROWS = 512;

/** Of tables that nobody watches. */
export const NOBODY_LISTENS: RoutingListener = {
  routesChanged: () => undefined,
  workWaits: () => undefined,
  hasNews: () => undefined,
  isReady: () => true,
  tell: () => undefined,
  limitReached: () => undefined,
  leftOut: () => undefined,
};

/** Begins in the next turn, in slices of some milliseconds, and calls `over`; answers how to end it before its time. */
export function playTables(clock: Clock, families: readonly IpFamily[], over: () => void): () => void {
  const steps = everyStep(families);
  let cancel = clock.after(0, slice);
  function slice(): void {
    const end = clock.now() + SLICE_MS;
    while (clock.now() < end) {
      if (steps.next().done !== true) continue;
      over();
      return;
    }
    cancel = clock.after(0, slice);
  }
  return () => cancel();
}

function* everyStep(families: readonly IpFamily[]): Generator<undefined> {
  for (const family of families) yield* play(new Stage(family));
}

/** Everything twice from two peers, so that paths are contested and replaced; then half is withdrawn by both, the rest by one, and the other is lost. */
function* play(stage: Stage): Generator<undefined> {
  for (const round of [0, 1]) {
    for (let message = 0; message < MESSAGES; message++) {
      stage.announce(message, round);
      if (message % 64 === 0) yield* stage.settled();
    }
    yield* stage.settled();
  }
  for (let message = 0; message < MESSAGES; message++) {
    if (message < MESSAGES / 2 || message % 2 === 0) stage.withdraw(message);
    if (message % 64 === 0) yield* stage.settled();
  }
  yield* stage.settled();
  stage.loseSecond();
  yield* stage.settled();
}

/** Two peers that speak, and one that is told. */
class Stage {
  readonly #family: IpFamily;
  readonly #routing = new Routing({ bgpIdentifier: 1, transit: true, clusterId: undefined, seed: 1 }, NOBODY_LISTENS);
  readonly #readers: readonly UpdateReader[];
  readonly #writer = new UpdateWriter();
  readonly #second: RoutingPeer;
  readonly #listener: RoutingPeer;

  constructor(family: IpFamily) {
    this.#family = family;
    const [first, second, listener] = [1, 2, 3].map((index) => this.#addPeer(index));
    this.#second = second!;
    this.#listener = listener!;
    this.#readers = [first!, second!].map((peer) => this.#readerOf(peer));
  }

  announce(message: number, round: number): void {
    const nextHop = this.#addressOf(2 + (message % 2));
    const asns = [
      65_001 + (message % 2),
      65_100 + (message % 50),
      65_200 + round,
      ...Array<number>(message % 4).fill(7),
    ];
    const asPath = [{ type: 'sequence', asns }] as const;
    const family = { afi: this.#family === 4 ? 1 : 2, safi: 1 };
    const set = { origin: 'igp', asPath, med: message % 500, communities: [65_001 * 65_536 + (message % 90)] } as const;
    if (this.#family === 4) {
      const block = attributeBlock({ ...set, nextHop }, plainContext, 'next-hop');
      this.#writer.begin({ kind: 'announce', block, blockLength: block.length }, MAX_OCTETS);
    } else {
      const block = attributeBlock(set, plainContext, 'mp-reach');
      this.#writer.begin({ kind: 'announce', block, blockLength: block.length, family, nextHop }, MAX_OCTETS);
    }
    this.#send(message);
  }

  withdraw(message: number): void {
    const family = { afi: 2, safi: 1 };
    this.#writer.begin(this.#family === 4 ? { kind: 'withdraw' } : { kind: 'withdraw', family }, MAX_OCTETS);
    this.#send(message);
  }

  /** All its routes go, as when its session ends. */
  loseSecond(): void {
    this.#routing.flush(this.#second, this.#family);
  }

  *settled(): Generator<undefined> {
    for (let isMore = true; isMore;) {
      isMore = this.#routing.settle(SETTLE_ROWS);
      if (this.#routing.tell(false).hasMore) isMore = true;
      this.#routing.nextUpdate(this.#listener, this.#family);
      yield;
    }
  }

  /** Half of the messages of both peers are about the same prefixes. */
  #send(message: number): void {
    const first = (message >> 1) * PREFIXES_PER_MESSAGE;
    for (let i = first; i < first + PREFIXES_PER_MESSAGE; i++) {
      const word = (0x0a00_0000 + (i << 8)) >>> 0;
      this.#writer.prefix(word, word, 0, 0, 24 - (i % 3 === 0 ? 1 : 0));
    }
    this.#writer.end();
    this.#readers[message % 2]!.read(this.#writer.take());
  }

  #addPeer(index: number): RoutingPeer {
    const peer = this.#routing.addPeer(this.#settingsOf(index));
    this.#routing.sessionUp(peer, this.#sessionWith(index), this.#addressOf(1));
    return peer;
  }

  #readerOf(peer: RoutingPeer): UpdateReader {
    return new UpdateReader(this.#sessionWith(peer.index), this.#routing.sinkFor(peer));
  }

  #addressOf(host: number): Uint8Array {
    return this.#family === 4
      ? Uint8Array.of(192, 0, 2, host)
      : Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0x20 : i === 15 ? host : 1));
  }

  #settingsOf(index: number): PeerSettings {
    const family = this.#family;
    const words = family === 4 ? [0xc000_0200 + index] : [0x2000_0000, 0, 0, index];
    return peerInPlay({ address: { family, words }, remoteAsn: 65_000 + index, families: [family] });
  }

  #sessionWith(index: number): Negotiated {
    const local = localSettings(this.#settingsOf(index), { bgpIdentifier: 1, restarting: false, starting: false });
    const theirs: LocalSettings = { ...local, asn: local.remoteAsn, remoteAsn: local.asn, bgpIdentifier: index + 1 };
    const outcome = negotiate(localOpen(theirs), local);
    if (outcome.kind === 'refused') throw new Error(outcome.fault.text);
    return outcome.session;
  }
}
