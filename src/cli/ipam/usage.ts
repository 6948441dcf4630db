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

/** Numbers of addresses. Beyond 2^53 they are as near as a double is. */
export interface UsageRow {
  readonly grouping: 'IP Pool' | 'Block';
  readonly cidr: string;
  readonly total: number;
  /** Resting ones, too. */
  readonly inUse: number;
  /** What was assigned before it was reserved counts here and there. */
  readonly reserved: number;
  readonly free: number;
  readonly cooling: number;
}

/** Of `calicoctl ipam show`; blocks stand below the pool that they are of, those of no pool at the end. */
export function usageRows(view: IpamView, withBlocks: boolean): readonly UsageRow[] {
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
  return [...rows, ...(withBlocks ? orphans.map(blockRow) : [])];
}

export function formatUsage(usage: readonly UsageRow[]): string {
  const rows = usage.map(({ grouping, cidr, total, inUse, reserved, free, cooling }) => {
    const share = (count: number): string => `${fiveDigits(count)} (${Math.round((100 * count) / total)}%)`;
    return [grouping, cidr, fiveDigits(total), share(inUse), share(reserved), share(free), share(cooling)];
  });
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((cells) => cells[i]!.length)));
  const aligned = rows.map((cells) => cells.map((cell, i) => (i < FIRST_NUMBER ? cell : cell.padStart(widths[i]!))));
  return formatFramed(HEADINGS, aligned);
}

interface Contents {
  readonly blocks: readonly Block[];
  readonly reservations: Reservations;
}

function row(grouping: UsageRow['grouping'], prefix: Prefix, { blocks, reservations }: Contents): UsageRow {
  const total = prefixSize(prefix);
  const reserved = reservations.countIn(prefix);
  const [inUse, cooling, reservedInUse] = blocks
    .map((block) => counts(block, reservations))
    .reduce(([a, b, c], [x, y, z]) => [a + x, b + y, c + z], [0, 0, 0]);
  const free = total - inUse - reserved + reservedInUse;
  return { grouping, cidr: formatPrefix(prefix), total, inUse, reserved, free, cooling };
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

/** What a node has of a block that is not its own, or nobody's. */
export interface BorrowedRow {
  readonly ip: string;
  readonly borrower: string;
  readonly block: string;
  /** Empty: nobody. */
  readonly owner: string;
  readonly type: string;
  readonly allocatedTo: string;
}

export interface Borrowed {
  readonly rows: readonly BorrowedRow[];
  /** Addresses of which no node is recorded: whether they are borrowed cannot be told. */
  readonly unclassified: number;
}

export function borrowedOf({ survey }: IpamView): Borrowed {
  let unclassified = 0;
  const rows = survey.blocks.flatMap(({ block }) => {
    const [, owner = ''] = block.affinity?.split(':') ?? [];
    return block.allocations.flatMap((index, ordinal): readonly BorrowedRow[] => {
      if (index === null) return [];
      const { secondary, releasedAt } = block.attributes[index]!;
      const { node, pod, namespace = '', type = '' } = secondary;
      const vmi = secondary['vmi-name'];
      if (node === undefined && releasedAt === undefined) unclassified++;
      if (node === undefined || node === owner) return [];
      const to = vmi ?? pod;
      return [
        {
          ip: formatIpAddress(addressAt(block.prefix, ordinal)),
          borrower: node,
          block: formatPrefix(block.prefix),
          owner,
          type: vmi !== undefined ? 'vmi' : pod !== undefined ? 'pod' : type,
          allocatedTo: to === undefined ? '' : `${namespace}/${to}`,
        },
      ];
    });
  });
  return { rows, unclassified };
}

/** The table of `--show-borrowed`. */
export function formatBorrowed({ rows, unclassified }: Borrowed): string {
  const table = formatFramed(
    ['IP', 'BORROWING-NODE', 'BLOCK', 'BLOCK OWNER', 'TYPE', 'ALLOCATED-TO'],
    rows.map(({ ip, borrower, block, owner, type, allocatedTo }) => [ip, borrower, block, owner, type, allocatedTo]),
  );
  if (unclassified === 0) return table;
  return `${table}\nNote: of ${unclassified} addresses no node is recorded: whether they are borrowed cannot be told.\n`;
}

export function network(cidr: string): Prefix {
  const { address, length } = parseInterfaceAddress(cidr);
  return prefixOf(address, length);
}
