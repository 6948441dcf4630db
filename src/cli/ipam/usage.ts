import type { Block } from '../../ipam/index.ts';
import { Reservations } from '../../ipam/index.ts';
import type { Prefix } from '../../model/ip.ts';
import {
  addressAt,
  comparePrefixes,
  formatIpAddress,
  formatPrefix,
  parseInterfaceAddress,
  parsePrefix,
  prefixContains,
  prefixOf,
  prefixSize,
} from '../../model/ip.ts';
import type { IpamView } from './view.ts';
import { reservedBy } from './view.ts';
import { formatFramed } from '../table.ts';

const HEADINGS = ['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS RESERVED', 'IPS FREE', 'IPS COOLING'];
/** Where the numbers begin, which stand to the right. */
const FIRST_NUMBER = 2;

/** The table of `calicoctl ipam show`; blocks stand below the pool that they are of, those of no pool at the end. */
export function formatUsage(view: IpamView, withBlocks: boolean): string {
  const reservations = new Reservations(reservedBy(view.resources).map(([, cidr]) => network(cidr)));
  const blocks = view.survey.blocks.map(({ block }) => block).sort((a, b) => comparePrefixes(a.prefix, b.prefix));
  const pools = [...view.resources.IPPool.values()]
    .map(({ spec }) => parsePrefix(spec.cidr))
    .sort((a, b) => comparePrefixes(a, b));
  const blockRow = (block: Block) => row('Block', block.prefix, { blocks: [block], reservations });
  const rows = pools.flatMap((pool) => {
    const inside = blocks.filter(({ prefix }) => prefixContains(pool, prefix));
    return [row('IP Pool', pool, { blocks: inside, reservations }), ...(withBlocks ? inside.map(blockRow) : [])];
  });
  const orphans = blocks.filter(({ prefix }) => !pools.some((pool) => prefixContains(pool, prefix)));
  return framed([...rows, ...(withBlocks ? orphans.map(blockRow) : [])]);
}

function framed(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((cells) => cells[i]!.length)));
  const aligned = rows.map((cells) => cells.map((cell, i) => (i < FIRST_NUMBER ? cell : cell.padStart(widths[i]!))));
  return formatFramed(HEADINGS, aligned);
}

interface Contents {
  readonly blocks: readonly Block[];
  readonly reservations: Reservations;
}

/** What was assigned before it was reserved counts in both. A resting address is in use, too. */
function row(grouping: string, prefix: Prefix, { blocks, reservations }: Contents): readonly string[] {
  const total = prefixSize(prefix);
  const reserved = reservations.countIn(prefix);
  const [inUse, cooling, reservedInUse] = blocks
    .map((block) => counts(block, reservations))
    .reduce(([a, b, c], [x, y, z]) => [a + x, b + y, c + z], [0, 0, 0]);
  const share = (count: number): string => `${fiveDigits(count)} (${Math.round((100 * count) / total)}%)`;
  const free = total - inUse - reserved + reservedInUse;
  return [
    grouping,
    formatPrefix(prefix),
    fiveDigits(total),
    share(inUse),
    share(reserved),
    share(free),
    share(cooling),
  ];
}

function counts(block: Block, reservations: Reservations): readonly [number, number, number] {
  const isReserved = reservations.of(block.prefix);
  const used = block.allocations.flatMap((index, ordinal) => (index === null ? [] : [[index, ordinal] as const]));
  const cooling = used.filter(([index]) => block.attributes[index]?.releasedAt !== undefined).length;
  return [used.length, cooling, used.filter(([, ordinal]) => isReserved(ordinal)).length];
}

/** As C's `%.5g` writes a count: `65536`, `2.6214e+05`. */
export function fiveDigits(count: number): string {
  if (count < 1e5) return String(count);
  const [mantissa = '', exponent = ''] = count.toExponential(4).split('e+');
  return `${mantissa.replace(/\.?0+$/, '')}e+${exponent.padStart(2, '0')}`;
}

/** The table of `--show-borrowed`: what a node has of a block that is not its own, or nobody's. */
export function formatBorrowed({ survey }: IpamView): string {
  let unclassified = 0;
  const rows = survey.blocks.flatMap(({ block }) => {
    const [, owner = ''] = block.affinity?.split(':') ?? [];
    return block.allocations.flatMap((index, ordinal) => {
      if (index === null) return [];
      const { secondary, releasedAt } = block.attributes[index]!;
      const { node, pod, namespace = '', type = '' } = secondary;
      const vmi = secondary['vmi-name'];
      if (node === undefined && releasedAt === undefined) unclassified++;
      if (node === undefined || node === owner) return [];
      const kind = vmi !== undefined ? 'vmi' : pod !== undefined ? 'pod' : type;
      const to = vmi ?? pod;
      const ip = formatIpAddress(addressAt(block.prefix, ordinal));
      return [[ip, node, formatPrefix(block.prefix), owner, kind, to === undefined ? '' : `${namespace}/${to}`]];
    });
  });
  const table = formatFramed(['IP', 'BORROWING-NODE', 'BLOCK', 'BLOCK OWNER', 'TYPE', 'ALLOCATED-TO'], rows);
  if (unclassified === 0) return table;
  return `${table}\nNote: of ${unclassified} addresses no node is recorded: whether they are borrowed cannot be told.\n`;
}

export function network(cidr: string): Prefix {
  const { address, length } = parseInterfaceAddress(cidr);
  return prefixOf(address, length);
}
