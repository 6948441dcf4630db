/** The routes of this node among the sources. */
export const LOCAL_SOURCE = 0;

/** Where paths come from, as small integers: each lane of each peer is one, the same in both families. */
export class Sources<Peer> {
  /** By source. */
  readonly #peers: (Peer | undefined)[] = [undefined];
  /** By peer: the sources of its lanes. */
  readonly #lanes = new Map<Peer, number[]>();

  /** The number that the first lane of a new peer will get. */
  get next(): number {
    const free = this.#peers.indexOf(undefined, LOCAL_SOURCE + 1);
    return free === -1 ? this.#peers.length : free;
  }

  /** Undefined: this node itself, or nobody. */
  peer(source: number): Peer | undefined {
    return this.#peers[source];
  }

  peers(): Iterable<Peer> {
    return this.#lanes.keys();
  }

  of(peer: Peer): readonly number[] {
    return this.#lanes.get(peer) ?? [];
  }

  /** The source of lane `at`, where there is one already the same. */
  claim(peer: Peer, at: number): number {
    const lanes = this.#lanes.get(peer) ?? [];
    this.#lanes.set(peer, lanes);
    const known = lanes[at];
    if (known !== undefined) return known;
    const source = this.next;
    this.#peers[source] = peer;
    lanes[at] = source;
    return source;
  }

  /** The peer is none any more; its sources, which are not given away before `release`, tell of it still. */
  retire(peer: Peer): readonly number[] {
    const sources = this.of(peer);
    this.#lanes.delete(peer);
    return sources;
  }

  /** Nobody may refer to it any more. */
  release(source: number): void {
    this.#peers[source] = undefined;
  }
}
