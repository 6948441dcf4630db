import type { IpFamily } from '../../src/model/ip.ts';
import { compilePolicy, NO_RULE } from '../policy/compiled.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { RouteFilter } from '../policy/filter.ts';
import { KEPT_BACK, NOT_PLAIN, PLAIN, PlainExport } from '../policy/export-octets.ts';
import { exportRoute } from '../policy/export.ts';
import type { ExportSource, ExportTarget, FilterOutcome } from '../policy/export.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { RibMemory } from '../rib/lane.ts';
import { attributeBlock, withoutAigp } from '../wire.ts';
import type { CodecContext, PathAttributes } from '../wire.ts';
import { KeptSetEncoder } from './encoded-set.ts';
import type { EncodedSet } from './encoded-set.ts';
import { obstacle } from './pack.ts';
import { asReceived, asTold, isFromOutside, setOf, ToldSets } from './told-sets.ts';
import type { Told } from './told-sets.ts';

/** What makes two peers see the same of us in one family: everything that policy and the encoding of attributes look at. */
export interface ExportView {
  readonly family: IpFamily;
  readonly target: ExportTarget;
  readonly filters: readonly RouteFilter[];
  /** But for path identifiers, which are each session's own. */
  readonly send: CodecContext;
  /** The session is for AIGP. RFC 7311 §3.3. */
  readonly aigp: boolean;
}

export const viewKey = ({ family, target, filters, send, aigp }: ExportView): string => {
  const { fourOctetAs, extendedMessage, extendedNextHop } = send;
  const codec = [fourOctetAs, extendedMessage, [...extendedNextHop]];
  return JSON.stringify([family, { ...target, localAddress: target.localAddress?.join('.') }, filters, codec, aigp]);
};

/** Where a path comes from, as export looks at it. */
export interface ExportOrigin {
  readonly source: ExportSource;
  /** Of the peer that it comes from; 0: this node. */
  readonly peer: number;
  /** The link to that peer, where it has a link-local address. */
  readonly interface?: string;
}

/** What became of a path on its way to a peer, for people. */
export type Exported =
  | { readonly kind: 'send'; readonly attributes: PathAttributes; readonly rule: string | undefined }
  | { readonly kind: 'kept back'; readonly reason: string };

/** Hears of a path that no message to the peers of a group can carry, though policy would tell it. */
export type LeftOut = (reason: string, origin: ExportOrigin) => void;

interface Outcome {
  readonly from: number;
  /** Or KEPT_BACK. */
  readonly to: number;
}

/** A source's share of the key: local, any external peer, or one internal peer (reflection names it). */
const MAX_SOURCES = 2 ** 20;
/** Beyond this the memory is emptied and filled anew: bounded, whatever the peers send. */
const MAX_MEMORY = 32_768;

/**
 * Peers with the same view share the work: each attribute set goes through export policy once and is encoded once,
 * however many prefixes and peers it serves.
 */
export class ExportGroup {
  readonly view: ExportView;
  readonly toldSets: ToldSets;
  readonly #memory: RibMemory;
  readonly #filters: CompiledPolicy;
  readonly #looksAtInterface: boolean;
  readonly #leftOut: LeftOut;
  /** Where the peers read AS numbers as we keep them. */
  readonly #plain: PlainExport | undefined;
  /**
   * By the rule that decides, where that hangs on the prefix; then by attribute set and kind of source. Both ends are
   * held alive while they stand here.
   */
  readonly #outcomes = new Map<number, Map<number, Outcome>>();
  #size = 0;
  readonly #kept: KeptSetEncoder;
  readonly #encoded = new Map<number, EncodedSet>();
  users = 0;

  constructor(view: ExportView, memory: RibMemory, leftOut: LeftOut) {
    this.view = view;
    this.#memory = memory;
    this.#leftOut = leftOut;
    this.#filters = compilePolicy(view.filters);
    const { family, target, send } = view;
    this.#kept = new KeptSetEncoder(family);
    this.#plain = send.fourOctetAs
      ? new PlainExport({ family, target, hasFilters: view.filters.length > 0 })
      : undefined;
    this.toldSets = new ToldSets(memory.attributes, this.#plain);
    this.#looksAtInterface = view.filters.some(({ rules }) => rules.some(({ match }) => match.interface !== undefined));
  }

  /** The outcome may be another for each prefix. */
  get looksAtPrefix(): boolean {
    return this.#filters.looksAtPrefix;
  }

  /** What the peers of this group are told, or ABSENT: nothing. What is said of `exported` is true of this. */
  told(attributes: number, origin: ExportOrigin, prefix: number): Told {
    if (this.#plain !== undefined && isFromOutside(origin.source)) {
      const verdict = this.#plain.judge(this.#memory.attributes.keptSet(attributes), origin.source);
      if (verdict !== NOT_PLAIN) return verdict === PLAIN ? asReceived(attributes) : ABSENT;
    }
    const set = this.exported(attributes, origin, prefix);
    return set === undefined ? ABSENT : asTold(set);
  }

  /**
   * The set that the peers of this group are told instead, or undefined: nothing. It may be new, and nobody's yet: the
   * caller retains it, unless it was held before.
   */
  exported(attributes: number, origin: ExportOrigin, prefix: number): number | undefined {
    const plain = this.#exportPlain(attributes, origin);
    if (plain !== NOT_PLAIN) return plain === KEPT_BACK ? undefined : plain;
    const rule = this.#filters.looksAtPrefix ? this.#ruleFor(attributes, origin, prefix) : NO_RULE;
    const key = attributes * MAX_SOURCES + this.#kindOf(origin);
    const known = this.#outcomes.get(rule)?.get(key);
    const { to } = known ?? this.#remember(attributes, { rule, key, to: this.#export(attributes, origin, prefix) });
    return to === KEPT_BACK ? undefined : to;
  }

  /** The same with reasons, worked out anew. */
  explain(attributes: number, origin: ExportOrigin, prefix: number): Exported {
    const rule = this.#ruleFor(attributes, origin, prefix);
    const name = rule === NO_RULE ? undefined : this.#filters.nameOf(rule);
    const outcome = this.#outcome(attributes, origin, rule);
    if (outcome.kind === 'kept back') {
      const isFilter = name !== undefined && this.#filtered(attributes, rule) === 'rejected';
      return { kind: 'kept back', reason: isFilter ? `rejected by ${name}` : outcome.reason };
    }
    const reason = obstacle(this.#encode(outcome.attributes), this.view.family, this.view.send);
    return reason === undefined ? { ...outcome, rule: name } : { kind: 'kept back', reason };
  }

  /** Stands until the next call. */
  encodedSet(told: Told): EncodedSet {
    if (this.view.send.fourOctetAs) return this.toldSets.encoded(told, this.#kept);
    const attributes = setOf(told);
    const known = this.#encoded.get(attributes);
    if (known !== undefined) return known;
    if (this.#encoded.size >= MAX_MEMORY) this.#forgetEncoded();
    const encoded = this.#encode(this.#memory.attributes.attributes(attributes));
    // Held, or the id might come to name another set.
    this.#memory.attributes.retain(attributes);
    this.#encoded.set(attributes, encoded);
    return encoded;
  }

  clear(): void {
    const { attributes } = this.#memory;
    for (const outcomes of this.#outcomes.values()) {
      for (const { from, to } of outcomes.values()) {
        attributes.release(from);
        if (to !== KEPT_BACK) attributes.release(to);
      }
    }
    this.#outcomes.clear();
    this.#size = 0;
    this.#forgetEncoded();
  }

  /** What most sets are: told as octets, and not remembered, which would cost more. */
  #exportPlain(attributes: number, { source }: ExportOrigin): number {
    const { attributes: sets } = this.#memory;
    const length = this.#plain?.write(sets.keptSet(attributes), source) ?? NOT_PLAIN;
    return length < 0 ? length : sets.internOctets(this.#plain!.octets, length);
  }

  #kindOf({ source, peer }: ExportOrigin): number {
    if (source.kind === 'local') return 0;
    return source.external && !this.#looksAtInterface ? 1 : 1 + peer;
  }

  /** Retains what it answers; the rule may be NO_RULE for one that does not hang on the prefix. */
  #export(attributes: number, origin: ExportOrigin, prefix: number): number {
    const outcome = this.#outcome(attributes, origin, this.#ruleFor(attributes, origin, prefix));
    if (outcome.kind === 'kept back') return KEPT_BACK;
    const { attributes: sets } = this.#memory;
    const to = interned(sets, outcome.attributes);
    if (to === undefined) {
      this.#leftOut('an attribute is longer than any message could carry', origin);
      return KEPT_BACK;
    }
    sets.retain(to);
    const reason = obstacle(this.encodedSet(asTold(to)), this.view.family, this.view.send);
    if (reason === undefined) return to;
    this.#leftOut(reason, origin);
    sets.release(to);
    return KEPT_BACK;
  }

  /** Takes over the hold on `to`. */
  #remember(
    from: number,
    { rule, key, to }: { readonly rule: number; readonly key: number; readonly to: number },
  ): Outcome {
    if (this.#size >= MAX_MEMORY) this.clear();
    this.#memory.attributes.retain(from);
    const outcome = { from, to };
    const ofRule = this.#outcomes.get(rule) ?? new Map<number, Outcome>();
    ofRule.set(key, outcome);
    this.#outcomes.set(rule, ofRule);
    this.#size++;
    return outcome;
  }

  #outcome(attributes: number, { source }: ExportOrigin, rule: number): ReturnType<typeof exportRoute> {
    const set = this.#memory.attributes.attributes(attributes);
    const outcome = exportRoute(set, source, this.view.target, this.#filtered(attributes, rule));
    if (outcome.kind === 'kept back' || this.view.aigp) return outcome;
    return { kind: 'send', attributes: withoutAigp(outcome.attributes) };
  }

  #filtered(attributes: number, rule: number): FilterOutcome | undefined {
    if (rule === NO_RULE) return undefined;
    const applied = this.#filters.apply(rule, this.#memory.attributes.attributes(attributes));
    return applied === undefined ? 'rejected' : { attributes: applied };
  }

  #ruleFor(attributes: number, origin: ExportOrigin, prefix: number): number {
    const { family, target } = this.view;
    return this.#filters.ruleFor({
      family,
      prefix: this.#memory.prefixes.packed(prefix),
      attributes: this.#memory.attributes.attributes(attributes),
      source: origin.source.kind === 'local' ? 'local' : 'remotePeers',
      isExternal: target.external,
      ...(origin.interface !== undefined && { interface: origin.interface }),
    });
  }

  #encode(set: PathAttributes): EncodedSet {
    const { family, send } = this.view;
    const { nextHop = NOTHING } = set;
    const isMultiprotocol = family === 6 || nextHop.length !== 4;
    const block = attributeBlock(set, send, isMultiprotocol ? 'mp-reach' : 'next-hop');
    return { block, blockLength: block.length, nextHop: isMultiprotocol ? nextHop : undefined };
  }

  #forgetEncoded(): void {
    for (const attributes of this.#encoded.keys()) this.#memory.attributes.release(attributes);
    this.#encoded.clear();
  }
}

const NOTHING = new Uint8Array();
/** Undefined where an attribute has grown beyond its two octets of length: policy may add to what came full already. */
function interned(sets: RibMemory['attributes'], attributes: PathAttributes): number | undefined {
  try {
    return sets.intern(attributes);
  } catch {
    return undefined;
  }
}
