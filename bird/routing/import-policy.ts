import type { IpFamily } from '../../src/model/ip.ts';
import { compilePolicy, NO_RULE } from '../policy/compiled.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { ImportContext } from '../policy/import.ts';
import { PlainImport } from '../policy/import-octets.ts';
import { ACCEPTED, judgeAttributes, REJECTED_BY_FILTER, rewriteOnImport } from '../policy/import.ts';
import type { AttributeCache } from '../rib/attribute-cache.ts';
import type { JudgedSet } from '../rib/lane.ts';
import type { PackedPrefix } from '../rib/prefix-table.ts';
import type { PeerSettings } from '../settings.ts';

/** Rules of one peer's filters; more than anybody will write. */
const MAX_RULES = 2 ** 20;
/** Beyond this the memory is emptied and filled anew: bounded, whatever the peer sends. */
const MAX_MEMORY = 32_768;

/** Equal where import makes the same of every route. */
export const importKey = ({ importFilters }: PeerSettings, context: ImportContext): string =>
  JSON.stringify([importFilters, { ...context, localAddress: context.localAddress.join('.') }]);

/** What import makes of one peer's attribute sets: the built-in rules, then its filters, then the built-in changes. */
export class ImportPolicy {
  readonly context: ImportContext;
  readonly key: string;
  readonly #cache: AttributeCache;
  readonly #filters: CompiledPolicy;
  readonly #interface: string | undefined;
  /** Only where there are no filters. */
  readonly #plain: PlainImport | undefined;
  /** By attribute set and rule, where a rule decides or changes something. Both sets are held while they stand here. */
  readonly #outcomes = new Map<number, JudgedSet>();

  constructor(settings: PeerSettings, context: ImportContext, cache: AttributeCache) {
    this.context = context;
    this.key = importKey(settings, context);
    this.#cache = cache;
    this.#filters = compilePolicy(settings.importFilters);
    this.#interface = settings.interface;
    this.#plain = (settings.importFilters ?? []).length === 0 ? new PlainImport(context) : undefined;
  }

  /** Whether `judge` must be followed by `judgePath` for every prefix that it does not reject. */
  get looksAtPrefix(): boolean {
    return this.#filters.looksAtPrefix;
  }

  /** What holds for all prefixes with this attribute set. */
  judge(family: IpFamily, attributes: number): JudgedSet {
    if (this.#plain?.accepts(this.#cache.keptSet(attributes)) === true) {
      return { attributes, used: attributes, rejection: ACCEPTED };
    }
    const rejection = judgeAttributes(this.#cache.attributes(attributes), this.context);
    if (rejection !== ACCEPTED || this.looksAtPrefix) return { attributes, used: attributes, rejection };
    return this.judgePath(family, ANY_PREFIX, attributes);
  }

  /** For a set that `judge` accepted. What it answers holds until the next call, unless somebody retains it. */
  judgePath(family: IpFamily, prefix: PackedPrefix, attributes: number): JudgedSet {
    const rule = this.#ruleFor(family, prefix, attributes);
    const known = this.#outcomes.get(attributes * MAX_RULES + rule + 1);
    if (known !== undefined) return known;
    const set = this.#cache.attributes(attributes);
    const filtered = rule === NO_RULE ? set : this.#filters.apply(rule, set);
    if (filtered === undefined) return { attributes, used: attributes, rejection: REJECTED_BY_FILTER };
    const rewritten = rewriteOnImport(filtered, this.context);
    if (rewritten === set) return { attributes, used: attributes, rejection: ACCEPTED };
    const outcome = { attributes, used: this.#cache.intern(rewritten), rejection: ACCEPTED };
    this.#cache.retain(outcome.used);
    this.#remember(outcome, rule);
    return outcome;
  }

  /** Which rule of the filters decides about a path, for people; undefined: none. */
  ruleName(family: IpFamily, prefix: PackedPrefix, attributes: number): string | undefined {
    const rule = this.#ruleFor(family, prefix, attributes);
    return rule === NO_RULE ? undefined : this.#filters.nameOf(rule);
  }

  clear(): void {
    for (const { attributes, used } of this.#outcomes.values()) {
      this.#cache.release(attributes);
      this.#cache.release(used);
    }
    this.#outcomes.clear();
  }

  /** Takes over the hold on `used`. */
  #remember(outcome: JudgedSet, rule: number): void {
    if (this.#outcomes.size >= MAX_MEMORY) this.clear();
    this.#cache.retain(outcome.attributes);
    this.#outcomes.set(outcome.attributes * MAX_RULES + rule + 1, outcome);
  }

  #ruleFor(family: IpFamily, prefix: PackedPrefix, attributes: number): number {
    return this.#filters.ruleFor({
      family,
      prefix,
      attributes: this.#cache.attributes(attributes),
      source: 'remotePeers',
      isExternal: this.context.external,
      ...(this.#interface !== undefined && { interface: this.#interface }),
    });
  }
}

/** Where no rule looks at it. */
const ANY_PREFIX: PackedPrefix = { w0: 0, w1: 0, w2: 0, w3: 0, length: 0 };
