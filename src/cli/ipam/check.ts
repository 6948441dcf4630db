import type { Allocation, Audit } from '../../ipam/index.ts';
import { formatPrefix, parseIpAddress, parsePrefix, prefixContainsAddress } from '../../model/ip.ts';
import type { IpamView } from './view.ts';

export interface CheckOptions {
  readonly showAllIps: boolean;
  readonly showProblemIps: boolean;
}

const TOP_NODES = 20;

/** What `ipam check` prints: calicoctl's stages and sentences, then what we find beyond them. */
export function formatCheck(view: IpamView, found: Audit, options: CheckOptions): string {
  const unallocated = inUseUnallocated(view, found);
  const leaked = found.allocations.filter(({ verdict }) => verdict === 'leaked');
  const beyond = beyondCalico(view, found);
  const problems =
    leaked.length +
    unallocated.inPools.length +
    unallocated.elsewhere.length +
    found.leakedHandles.length +
    beyond.length;
  return [
    'Checking IPAM for inconsistencies...',
    '',
    ...blockLines(view, found),
    '',
    ...poolLines(view),
    '',
    ...ownerLines(view),
    '',
    ...nodeLines(found),
    '',
    ...addressLines(leaked, found, options),
    ...(options.showAllIps || options.showProblemIps ? unallocated.lines : []),
    `Found ${unallocated.elsewhere.length} in-use IPs that are not in active IP pools.`,
    `Found ${unallocated.inPools.length} in-use IPs that are in active IP pools but have no corresponding IPAM allocation.`,
    '',
    ...handleLines(view, found, options),
    '',
    'Scanning for counts, claims and records that do not fit...',
    ...beyond.map((line) => `  ${line}`),
    `Found ${beyond.length} counts, claims and records that do not fit.`,
    `Check complete; found ${problems} problems.`,
    '',
  ].join('\n');
}

const blockLines = ({ survey: { blocks } }: IpamView, { allocations }: Audit): readonly string[] => [
  'Loading all IPAM blocks...',
  `Found ${blocks.length} IPAM blocks.`,
  ...blocks.map(({ block }) => ` IPAM block ${formatPrefix(block.prefix)} affinity=${block.affinity ?? '<none>'}:`),
  `IPAM blocks record ${allocations.length} allocations.`,
];

function activePools({ resources }: IpamView): readonly string[] {
  return [...resources.IPPool.values()].filter(({ spec }) => !spec.disabled).map(({ spec }) => spec.cidr);
}

const poolLines = (view: IpamView): readonly string[] => [
  'Loading all IPAM pools...',
  ...activePools(view).map((cidr) => `  ${cidr}`),
  `Found ${activePools(view).length} active IP pools.`,
];

function ownerLines({ users }: IpamView): readonly string[] {
  const owners = [...users.inUse.values()].flat();
  const tunnels = owners.filter((owner) => owner.startsWith('Node(')).length;
  return [
    'Loading all nodes.',
    `Found ${tunnels} node tunnel IPs.`,
    '',
    'Loading all workload endpoints.',
    `Found ${owners.length - tunnels} workload IPs.`,
    `Workloads and nodes are using ${users.inUse.size} IPs.`,
  ];
}

function nodeLines({ allocations }: Audit): readonly string[] {
  const byNode = Map.groupBy(allocations, ({ attributes }) => attributes['node'] ?? '<unknown>');
  const counts = [...byNode].map(([node, all]) => [node, all.length] as const).sort(([, a], [, b]) => b - a);
  const [most] = counts;
  const median = counts[Math.floor(counts.length / 2)];
  return [
    `Looking for top (up to ${TOP_NODES}) nodes by allocations...`,
    ...counts.slice(0, TOP_NODES).map(([node, count]) => `  ${node} has ${count} allocations`),
    ...(most && median ? [`Node with most allocations has ${most[1]}; median is ${median[1]}`] : []),
  ];
}

function addressLines(leaked: readonly Allocation[], { allocations }: Audit, options: CheckOptions): readonly string[] {
  const { showAllIps, showProblemIps } = options;
  const shown = allocations.filter(({ verdict }) => showAllIps || (showProblemIps && verdict === 'leaked'));
  const unknown = allocations.filter(({ verdict }) => verdict === 'unknown').length;
  return [
    'Scanning for IPs that are allocated but not actually in use...',
    ...shown.map((one) => `  ${one.ip} ${verdictText(one)}`),
    `Found ${leaked.length} IPs that are allocated in IPAM but not actually in use.`,
    ...(unknown === 0
      ? []
      : [`Left alone: ${unknown} IPs that are neither a pod's nor a tunnel's, or whose handle is somebody alive's.`]),
    'Scanning for IPs that are in use by a workload or node but not allocated in IPAM...',
  ];
}

function verdictText({ verdict, owners, handle, attributes }: Allocation): string {
  if (verdict === 'in-use') return `in use by ${owners.join(', ')}`;
  const names = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  const attrs = `attrs ${[`handle=${handle ?? '<none>'}`, ...names].join(' ')}`;
  return verdict === 'unknown' ? `left alone; ${attrs}` : verdict === 'resting' ? 'cooling down' : `leaked; ${attrs}`;
}

interface Unallocated {
  readonly inPools: readonly string[];
  readonly elsewhere: readonly string[];
  readonly lines: readonly string[];
}

function inUseUnallocated(view: IpamView, { allocations }: Audit): Unallocated {
  const pools = activePools(view).map((cidr) => parsePrefix(cidr));
  const allocated = new Set(allocations.filter(({ verdict }) => verdict !== 'resting').map(({ ip }) => ip));
  const isInPool = (ip: string): boolean => pools.some((pool) => prefixContainsAddress(pool, parseIpAddress(ip)));
  const missing = [...view.users.inUse].filter(([ip]) => !allocated.has(ip));
  return {
    inPools: missing.map(([ip]) => ip).filter(isInPool),
    elsewhere: missing.map(([ip]) => ip).filter((ip) => !isInPool(ip)),
    lines: [
      ...[...view.users.inUse].filter(([, owners]) => owners.length > 1).map(([ip]) => `  ${ip} has multiple owners.`),
      ...missing.map(([ip, owners]) =>
        isInPool(ip)
          ? `  ${ip} in use by ${owners.join(', ')} and in active IPAM pool but has no IPAM allocation.`
          : `  ${ip} in use by ${owners.join(', ')} is not in any active IP pool.`,
      ),
    ],
  };
}

function handleLines({ survey: { handles } }: IpamView, found: Audit, { showAllIps, showProblemIps }: CheckOptions) {
  const { leakedHandles, missingHandles } = found;
  return [
    'Scanning for IPAM handles with no matching IPs...',
    ...(showAllIps ? leakedHandles.map(({ id }) => `  ${id} doesn't have any active IPs.`) : []),
    `Found ${leakedHandles.length} handles with no matching IPs (and ${handles.length - leakedHandles.length} handles with matches).`,
    'Scanning for IPs with missing handle...',
    ...(showAllIps || showProblemIps
      ? missingHandles.map((id) => `  ${id} is in use in a block but doesn't exist.`)
      : []),
    `Found ${missingHandles.length} handles mentioned in blocks with no matching handle resource.`,
  ];
}

/** One line for each. */
function beyondCalico({ unreadable }: IpamView, found: Audit): readonly string[] {
  const { wrongCounts, affinitiesWithoutNode, blocksWithoutAffinity } = found;
  return [
    ...unreadable.map(({ key, reason }) => `cannot read ${key}: ${reason}`),
    ...wrongCounts.map(
      ({ handle, cidr, counted, allocated }) =>
        `handle ${handle} counts ${counted} addresses of block ${cidr}, and has ${allocated}`,
    ),
    ...affinitiesWithoutNode.map(
      ({ node, prefix }) => `block ${formatPrefix(prefix)} is claimed by ${node}, and there is no such Node`,
    ),
    ...blocksWithoutAffinity.map(({ prefix, host, isHostGone }) =>
      isHostGone
        ? `block ${formatPrefix(prefix)} is of ${host}, which has no claim to it, and there is no such Node`
        : `block ${formatPrefix(prefix)} is of ${host}, which has no claim to it: its next assignment sets that right`,
    ),
  ];
}
