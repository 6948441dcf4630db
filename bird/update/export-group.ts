import type { ExportSource, ExportTarget } from '../policy/export.ts';
import { exportRoute } from '../policy/export.ts';
import type { AttributeCache } from '../rib/attribute-cache.ts';
import { attributeBlock } from '../wire.ts';
import type { CodecContext } from '../wire.ts';
import type { EncodedSet } from './pack.ts';
import { isSendable } from './pack.ts';

/** What makes two peers see the same of us: everything that policy and encoding look at. */
export interface ExportView {
  readonly target: ExportTarget;
  readonly codec: CodecContext;
  readonly nextHopIn: 'next-hop' | 'mp-reach';
}

export const viewKey = ({ target, codec, nextHopIn }: ExportView): string =>
  JSON.stringify({
    ...target,
    localAddress: target.localAddress?.join('.'),
    fourOctetAs: codec.fourOctetAs,
    nextHopIn,
  });

const KEPT_BACK = -1;
/** A source's share of the key: local, any external peer, or one internal peer (reflection names it). */
const MAX_SOURCES = 65_536;
/** Beyond this the memory is emptied and filled anew: bounded, whatever the peers send. */
const MAX_MEMORY = 32_768;

/**
 * Peers with the same view share the work: each attribute set goes through export policy once and is encoded once,
 * however many prefixes and peers it serves.
 */
export class ExportGroup {
  readonly view: ExportView;
  readonly #cache: AttributeCache;
  /** Attribute set and kind of source → exported set, or KEPT_BACK. Both ends are held alive while they stand here. */
  readonly #exported = new Map<number, { readonly from: number; readonly to: number }>();
  readonly #encoded = new Map<number, EncodedSet>();
  users = 0;

  constructor(view: ExportView, cache: AttributeCache) {
    this.view = view;
    this.#cache = cache;
  }

  /** The set that the peers of this group are told instead, or undefined: nothing. */
  exported(attributes: number, source: ExportSource, sourceIndex: number): number | undefined {
    const kind = source.kind === 'local' ? 0 : source.external ? 1 : 2 + sourceIndex;
    const key = attributes * MAX_SOURCES + kind;
    const known = this.#exported.get(key);
    if (known !== undefined) return known.to === KEPT_BACK ? undefined : known.to;
    if (this.#exported.size >= MAX_MEMORY) this.clear();
    const outcome = exportRoute(this.#cache.attributes(attributes), source, this.view.target);
    let to = outcome.kind === 'send' ? this.#cache.intern(outcome.attributes) : KEPT_BACK;
    if (to !== KEPT_BACK) this.#cache.retain(to);
    if (to !== KEPT_BACK && !isSendable(this.encodedSet(to))) {
      this.#cache.release(to);
      to = KEPT_BACK;
    }
    this.#cache.retain(attributes);
    this.#exported.set(key, { from: attributes, to });
    return to === KEPT_BACK ? undefined : to;
  }

  encodedSet(attributes: number): EncodedSet {
    const known = this.#encoded.get(attributes);
    if (known !== undefined) return known;
    if (this.#encoded.size >= MAX_MEMORY) this.#forgetEncoded();
    const set = this.#cache.attributes(attributes);
    const block = attributeBlock(set, this.view.codec, this.view.nextHopIn);
    const encoded = { block, nextHop: set.nextHop ?? new Uint8Array() };
    // Held, or the id might come to name another set.
    this.#cache.retain(attributes);
    this.#encoded.set(attributes, encoded);
    return encoded;
  }

  clear(): void {
    for (const { from, to } of this.#exported.values()) {
      this.#cache.release(from);
      if (to !== KEPT_BACK) this.#cache.release(to);
    }
    this.#exported.clear();
    this.#forgetEncoded();
  }

  #forgetEncoded(): void {
    for (const attributes of this.#encoded.keys()) this.#cache.release(attributes);
    this.#encoded.clear();
  }
}
