/** What `calicoctl-ts ipam show` prints. Pure. The tables and the first lines are calicoctl's. */
import type { AddressReport, Borrowed, PoolUsage, Usage } from '../ipam/index.ts';
import { ownerOf } from '../ipam/index.ts';
import type { IpAddress } from '../model/ip.ts';
import { formatIpAddress, formatPrefix, parsePrefix, sameAddress } from '../model/ip.ts';
import type { IpamConfiguration, WorkloadEndpoint } from '../resources/index.ts';
import { formatFramed } from './table.ts';

export function formatUsage(pools: readonly PoolUsage[], withBlocks: boolean): string {
  const rows = pools.flatMap(({ pool, blocks, ...usage }) => [
    usageRow(pool === undefined ? 'No IP Pool' : 'IP Pool', pool === undefined ? '' : formatPrefix(pool.cidr), usage),
    ...(withBlocks ? blocks.map((block) => usageRow('Block', formatPrefix(block.prefix), block)) : []),
  ]);
  return formatFramed(['grouping', 'cidr', 'ips total', 'ips in use', 'ips reserved', 'ips free'], rows);
}

const usageRow = (grouping: string, cidr: string, { total, inUse, reserved, free }: Usage): readonly string[] => [
  grouping,
  cidr,
  significant(total),
  ...[inUse, reserved, free].map((part) => `${significant(part)} (${Math.round((100 * part) / total)}%)`),
];

/** Go's `%.5g`. */
function significant(value: number): string {
  if (value < 100_000) return String(value);
  const [mantissa = '', exponent = ''] = value.toExponential(4).split('e+');
  return `${mantissa.replace(/\.?0+$/, '')}e+${exponent.padStart(2, '0')}`;
}

export function formatBorrowed(borrowed: readonly Borrowed[]): string {
  const rows = borrowed.map(({ address, block, owner, borrower, attributes: { handleId, secondary } }) => [
    formatIpAddress(address),
    borrower,
    formatPrefix(block),
    owner,
    secondary['pod'] === undefined ? (secondary['type'] ?? '') : 'pod',
    secondary['pod'] === undefined ? (handleId ?? '') : `${secondary['namespace'] ?? 'default'}/${secondary['pod']}`,
  ]);
  return formatFramed(['ip', 'borrowing-node', 'block', 'block owner', 'type', 'allocated-to'], rows);
}

export function formatConfiguration({ spec }: IpamConfiguration): string {
  const rows = Object.entries(spec).map(([field, value]) => [
    `${field.charAt(0).toUpperCase()}${field.slice(1)}`,
    String(value),
  ]);
  return formatFramed(['property', 'value'], rows);
}

/** Who holds an address and since when, and whether somebody who needs it is still there. */
export function formatAddress(
  address: IpAddress,
  report: AddressReport,
  endpoints: Iterable<WorkloadEndpoint>,
): string {
  const text = formatIpAddress(address);
  const { assignment } = report;
  if (assignment === undefined) return lines(`${text} is not assigned`, ...standing(report));
  const { handleId, secondary } = assignment.attributes;
  const attributes = Object.entries(secondary).sort(([a], [b]) => (a < b ? -1 : 1));
  return lines(
    `IP ${text} is in use`,
    `Handle ID: ${handleId ?? '<none>'}`,
    ...(attributes.length === 0
      ? ['No attributes defined']
      : ['Active Owner Attributes:', ...attributes.map(([key, value]) => `  ${key}: ${value}`)]),
    ...standing(report),
    holder(address, secondary, endpoints),
  );
}

const lines = (...each: readonly string[]): string => `${each.join('\n')}\n`;

function standing({ pool, block, releasedAt, reservation }: AddressReport): readonly string[] {
  const owner = block === undefined ? undefined : (ownerOf(block) ?? block.affinity ?? 'nobody');
  return [
    ...(releasedAt === undefined ? [] : [`Released: ${releasedAt}, and rests until ipCooldownSeconds are over`]),
    ...(reservation === undefined
      ? []
      : [`Reserved: IPReservation ${formatPrefix(reservation)}: not given out by itself`]),
    block === undefined ? 'Block: none yet' : `Block: ${formatPrefix(block.prefix)} of ${owner}`,
    pool === undefined ? 'Pool: none holds it' : `Pool: ${pool.name} (${formatPrefix(pool.cidr)})`,
  ];
}

function holder(
  address: IpAddress,
  secondary: Readonly<Record<string, string>>,
  endpoints: Iterable<WorkloadEndpoint>,
): string {
  const found = [...endpoints].find(({ spec }) =>
    spec.ipNetworks.some((network) => sameAddress(parsePrefix(network).address, address)),
  );
  if (found !== undefined) {
    const { metadata, spec } = found;
    return `Endpoint: ${metadata.namespace ?? 'default'}/${spec.pod ?? spec.workload ?? metadata.name} on node ${spec.node}, behind ${spec.interfaceName}`;
  }
  if (secondary['pod'] === undefined) return 'Endpoint: none; it is not a pod’s address';
  return 'Endpoint: none has it: its pod is gone, or not there yet; `ipam check` tells whether it has leaked';
}
