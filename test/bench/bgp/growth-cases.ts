/** Loads at three sizes each, and how much work each size is. Pure. */
import { loadNamed } from './loads.ts';
import type { Figure, Load } from './loads.ts';
import { numberAt } from './result.ts';

export interface GrowthCase {
  readonly name: string;
  readonly what: string;
  /** From the smallest to the largest. */
  readonly sizes: readonly { readonly load: Load; readonly work: number }[];
  readonly time: Figure;
}

type Options = Readonly<Record<string, number>>;
/** Prefixes that the daemon is told and those that it tells; of set-up, sessions. */
type Work = (options: { readonly injectors: number; readonly prefixes: number }) => number;

const growing = (
  name: string,
  { what, sizes, work, figure = 0 }: { what: string; sizes: readonly Options[]; work: Work; figure?: number },
): GrowthCase => {
  const base = loadNamed(name);
  const runs = loadNamed(base.within ?? name);
  return {
    ...{ name, what },
    time: base.figures[figure]!,
    sizes: sizes.map((size) => {
      const options = { ...runs.options, ...size };
      const { injectors = 1, prefixes = 0 } = options as Partial<Record<'injectors' | 'prefixes', number>>;
      const label = `${runs.name}, ${Object.entries(size)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')}`;
      return { load: { ...runs, name: label, options }, work: work({ injectors, prefixes }) };
    }),
  };
};

const through: Work = ({ prefixes }) => 2 * prefixes;
/** All hear all. */
const toAll: Work = ({ injectors, prefixes }) => injectors * prefixes * (1 + injectors);
const prefixes = (...counts: readonly number[]): readonly Options[] => counts.map((count) => ({ prefixes: count }));
const injectors = (...counts: readonly number[]): readonly Options[] => counts.map((count) => ({ injectors: count }));
const TABLES = prefixes(100_000, 300_000, 1_000_000);

/** In the order in which they are shown; two of the same sizes share their runs. */
export const GROWTH_CASES: readonly GrowthCase[] = [
  growing('S2', { what: 'a table passes through', sizes: TABLES, work: through }),
  growing('S6', { what: 'it is withdrawn', sizes: TABLES, work: through }),
  growing('S9', { what: 'a new peer gets it', sizes: TABLES, work: ({ prefixes }) => prefixes }),
  growing('S10', { what: 'the peer that told it is reset', sizes: prefixes(30_000, 100_000, 300_000), work: through }),
  growing('S3', {
    what: 'more peers tell the same',
    ...{ sizes: injectors(3, 10, 30), work: ({ injectors, prefixes }) => (injectors + 1) * prefixes },
  }),
  growing('S4', { what: 'more peers with blocks', sizes: injectors(25, 50, 100), work: toAll }),
  growing('S4rr', { what: 'more clients with blocks', sizes: injectors(25, 50, 100), work: toAll }),
  growing('S7', { what: 'more peers with few blocks', sizes: injectors(125, 250, 500), work: toAll }),
  growing('S7h', {
    what: 'sessions at one instant',
    sizes: injectors(125, 250, 500),
    work: ({ injectors }) => injectors,
  }),
  growing('M1', { what: 'a larger mesh', sizes: injectors(250, 500, 1000), work: ({ injectors }) => injectors }),
  growing('M1rr', { what: 'more clients of a reflector', sizes: injectors(125, 250, 500), work: toAll }),
];

/** Resident MB above what the process had with its sessions and no routes. */
export const MEMORY: Figure = {
  ...{ title: 'RSS above sessions', unit: 'MB' },
  of: (result) => {
    const [after, before] = [numberAt(result, 'load.rss_mb'), numberAt(result, 'at_established.rss_mb')];
    return after === undefined || before === undefined ? undefined : after - before;
  },
};

/** Such that the figure is work to this power, from the smallest to the largest. */
export const exponent = (figures: readonly number[], works: readonly number[]): number =>
  Math.log(figures.at(-1)! / figures[0]!) / Math.log(works.at(-1)! / works[0]!);

/** What n log n makes of it. */
export const linearithmic = (works: readonly number[]): number =>
  exponent(
    works.map((n) => n * Math.log2(n)),
    works,
  );
