/** docs/performance.md, and a table of README.md, out of docs/performance.json: what was measured; the rest is written by hand. Pure. */
import { generatorLeads, judgeAims } from './bgp/aims.ts';
import type { Machine } from './bgp/bgp.ts';
import type { Growth } from './bgp/growth.ts';
import { growthTable } from './bgp/growth.ts';
import { LOADS } from './bgp/loads.ts';
import { DAEMON_ORDER } from './bgp/summary.ts';
import type { SummaryRow } from './bgp/summary.ts';
import { aimsTable, leadsTable, mainTable, shownTable } from './bgp/tables.ts';
import type { Table } from './bgp/tables.ts';
import { measuredText } from './scenario.ts';
import type { Aim } from './scenario.ts';

/** What the page stands on. Each part is what the last run of it gave. */
export interface Measured {
  readonly machine?: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly SummaryRow[];
  readonly growth: readonly Growth[];
  /** Of scenarios that are not of BGP, by their names. */
  readonly aims: Readonly<Record<string, readonly Aim[]>>;
}

/** What one scenario wrote, as far as the page wants it. */
export interface Written extends Partial<Omit<Measured, 'aims'>> {
  readonly scenario: string;
  readonly aims?: readonly Aim[];
}

export const NOTHING: Measured = { versions: {}, rows: [], growth: [], aims: {} };

/** The newer measurement of a load on a daemon takes the place of the older. */
export function merge(measured: Measured, { scenario, aims, ...written }: Written): Measured {
  const { machine = measured.machine, versions = {}, rows = [], growth = [] } = written;
  const isReplaced = (old: SummaryRow): boolean =>
    rows.some(({ load, daemon }) => load === old.load && daemon === old.daemon);
  const isGrownAnew = (old: Growth): boolean =>
    growth.some(({ name, daemon }) => name === old.name && daemon === old.daemon);
  const isOther = !['bgp', 'growth'].includes(scenario) && aims !== undefined;
  return {
    ...(machine === undefined ? {} : { machine }),
    versions: { ...measured.versions, ...versions },
    rows: inOrder([...measured.rows.filter((row) => !isReplaced(row)), ...rows]),
    growth: [...measured.growth.filter((each) => !isGrownAnew(each)), ...growth],
    aims: isOther ? { ...measured.aims, [scenario]: aims } : measured.aims,
  };
}

/** As the loads stand in their table, whatever was measured last. */
function inOrder(rows: readonly SummaryRow[]): readonly SummaryRow[] {
  const place = ({ load, daemon }: SummaryRow): number =>
    100 * LOADS.findIndex(({ name }) => name === load) + DAEMON_ORDER.indexOf(daemon);
  return rows.toSorted((a, b) => place(a) - place(b));
}

const BEGIN = '<!-- made by test/bench/page.ts -->';
const END = '<!-- by hand again -->';

/** The page with its measured part exchanged. Throws where the page has no place for it. */
export const withMeasured = (page: string, measured: Measured): string =>
  exchanged('docs/performance.md', page, formatMeasured(measured));

/** The same of README.md, which shows a few figures. */
export const withShown = (readme: string, { rows, versions }: Measured): string =>
  exchanged('README.md', readme, markdown(shownTable(rows, versions)));

function exchanged(name: string, page: string, made: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error(`${name} has no ${BEGIN} with a ${END} after it`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${made}\n\n${page.slice(end)}`;
}

function formatMeasured({ machine, versions, rows, growth, aims }: Measured): string {
  const leads = generatorLeads(rows);
  const others = Object.entries(aims);
  return [
    ...(machine === undefined
      ? ['Nothing was measured yet.']
      : [
          `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, Node ${machine.node}, ${machine.day}.`,
          `${Object.values(versions).join(', ').replaceAll(', bgpblast mirror', '')}.`,
        ]),
    ...section('### The aims under load', rows.length === 0 ? [] : aimsTable(judgeAims(rows))),
    ...section('### All figures', rows.length === 0 ? [] : mainTable(rows)),
    ...section('### The generator is faster than what it measures', leads.length === 0 ? [] : leadsTable(leads)),
    ...section('### How cost grows', growth.length === 0 ? [] : growthTable(growth)),
    ...section('### The other aims', others.length === 0 ? [] : otherAims(others)),
  ].join('\n');
}

const section = (heading: string, table: Table): readonly string[] =>
  table.length === 0 ? [] : ['', heading, '', markdown(table)];

function markdown([header = [], ...body]: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...body.map(line)].join('\n');
}

const otherAims = (aims: readonly (readonly [string, readonly Aim[]])[]): Table => [
  ['scenario', 'aim', 'at most', 'measured', ''],
  ...aims.flatMap(([scenario, each]) =>
    each.map((aim) => [...[scenario, aim.what, aim.limit, measuredText(aim)], aim.isReached ? 'reached' : 'missed']),
  ),
];
