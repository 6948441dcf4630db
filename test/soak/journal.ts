/** What one peer of the soak did lately: a difference is told with it, for what happens by chance does not happen again. */
import type { PathAttributes } from '../../bird/bgp-ts/index.ts';
import { formatAsPath, formatNextHop } from '../../bird/bgp-ts/index.ts';
import type { Afi } from './truth.ts';
import { afiOf } from './truth.ts';

/** What it is about: a family, these prefixes, or, where it is left out, everything. */
type Scope = Afi | readonly string[] | undefined;

interface Entry {
  readonly at: number;
  readonly what: string;
  readonly scope: Scope;
  readonly attributes: PathAttributes | undefined;
}

/** More than a peer does between two comparisons, mostly. */
const KEPT = 5000;
const TOLD = 12;

export class Journal {
  readonly #now: () => number;
  #entries: Entry[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  note(what: string, scope?: Scope, attributes?: PathAttributes): void {
    this.#entries.push({ at: this.#now(), what, scope, attributes });
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
  }

  /** The last that concerned this prefix, oldest first. */
  story(prefix: string): readonly string[] {
    const concerns = ({ scope }: Entry): boolean =>
      typeof scope === 'object' ? scope.includes(prefix) : scope === undefined || scope === afiOf(prefix);
    return this.#entries.filter(concerns).slice(-TOLD).map(textOf);
  }
}

function textOf({ at, what, attributes }: Entry): string {
  const time = `${(at / 1000).toFixed(3)} s`;
  if (attributes === undefined) return `${time} ${what}`;
  const { nextHop, asPath = [], origin } = attributes;
  return `${time} ${what} ${formatNextHop(nextHop!)} ${formatAsPath(asPath)} ${origin}`;
}
