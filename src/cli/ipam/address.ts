import type { AllocationAttributes, Block } from '../../ipam/index.ts';
import type { IpAddress } from '../../model/ip.ts';
import { formatIpAddress, formatPrefix, offsetIn, parsePrefix, prefixContainsAddress } from '../../model/ip.ts';
import { endpointName } from '../../resources/index.ts';
import type { IpPool } from '../../resources/index.ts';
import type { IpamView } from './view.ts';
import { reservedBy } from './view.ts';
import { network } from './usage.ts';

/** For programs: what `formatAddress` says. */
export interface AddressReport {
  readonly ip: string;
  readonly inUse: boolean;
  readonly handle?: string | null;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly releasedAt?: string;
  readonly block?: string;
  readonly affinity?: string | null;
  readonly pool?: string;
  readonly reservedBy?: readonly string[];
  /** Endpoints and nodes that have it. */
  readonly usedBy: readonly string[];
}

export function addressReport(view: IpamView, address: IpAddress): AddressReport {
  const ip = formatIpAddress(address);
  const { block, attributes } = recordOf(view, address);
  const pool = poolOf(view, address);
  const reserved = reservedBy(view.resources).filter(([, cidr]) => prefixContainsAddress(network(cidr), address));
  const { releasedAt } = attributes ?? {};
  return {
    ip,
    inUse: attributes !== undefined && releasedAt === undefined,
    ...(attributes !== undefined &&
      releasedAt === undefined && { handle: attributes.handleId, attributes: attributes.secondary }),
    ...(releasedAt !== undefined && { releasedAt }),
    ...(block && { block: formatPrefix(block.prefix), affinity: block.affinity }),
    ...(pool && { pool: pool.metadata.name }),
    ...(reserved.length > 0 && { reservedBy: reserved.map(([name]) => name) }),
    usedBy: view.users.inUse.get(ip) ?? [],
  };
}

interface AddressRecord {
  readonly block: Block | undefined;
  readonly attributes: AllocationAttributes | undefined;
}

function recordOf({ survey }: IpamView, address: IpAddress): AddressRecord {
  const block = survey.blocks.map((one) => one.block).find(({ prefix }) => prefixContainsAddress(prefix, address));
  const index = block?.allocations[offsetIn(block.prefix, address)];
  return { block, attributes: typeof index === 'number' ? block?.attributes[index] : undefined };
}

const poolOf = ({ resources }: Pick<IpamView, 'resources'>, address: IpAddress): IpPool | undefined =>
  [...resources.IPPool.values()].find(({ spec }) => prefixContainsAddress(parsePrefix(spec.cidr), address));

/** `calicoctl ipam show --ip`, in its words, and below what it does not tell: since when, out of which block, and who has it now. */
export function formatAddress(view: IpamView, address: IpAddress): string {
  const ip = formatIpAddress(address);
  const { block, attributes } = recordOf(view, address);
  if (block === undefined || attributes === undefined) {
    return lines(`${ip} is not assigned`, ...place(view, address, block), ...usersText(view, ip));
  }
  if (attributes.releasedAt !== undefined) {
    return lines(
      `${ip} is not assigned`,
      `It was released at ${attributes.releasedAt} and rests for ipCooldownSeconds`,
    );
  }
  const { secondary, alternate = {}, handleId } = attributes;
  return lines(
    `IP ${ip} is in use`,
    `Handle ID: ${handleId ?? '<none>'}`,
    ...(owners('Active Owner Attributes', secondary) ?? ['No Active Owner attributes defined']),
    ...(owners('Alternate Owner Attributes', alternate) ?? []),
    `Block: ${formatPrefix(block.prefix)} of ${block.affinity ?? 'nobody'}${borrowed(block, secondary['node'])}`,
    `Since: ${secondary['timestamp'] ?? 'not recorded'}`,
    ...reservedText(view, address),
    ...presentUser(view, ip, { handleId, secondary }),
  );
}

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;

function owners(title: string, attributes: Readonly<Record<string, string>>): readonly string[] | undefined {
  const names = Object.keys(attributes).sort();
  return names.length === 0 ? undefined : [`${title}:`, ...names.map((name) => `  ${name}: ${attributes[name]!}`)];
}

const borrowed = ({ affinity }: Block, node: string | undefined): string =>
  node === undefined || affinity === `host:${node}` ? '' : `, borrowed by ${node}`;

function place({ resources, survey }: IpamView, address: IpAddress, block: Block | undefined): readonly string[] {
  const pool = poolOf({ resources }, address);
  if (pool === undefined) return ['It lies in no IP pool'];
  const { metadata, spec } = pool;
  const where =
    block === undefined ? 'in no block yet' : `in block ${formatPrefix(block.prefix)} of ${block.affinity ?? 'nobody'}`;
  const isOff = spec.disabled ? ', which is disabled' : '';
  return [
    `It lies in IP pool ${metadata.name} (${spec.cidr})${isOff}, ${where}`,
    ...reservedText({ resources, survey }, address),
  ];
}

const reservedText = ({ resources }: Pick<IpamView, 'resources' | 'survey'>, address: IpAddress): readonly string[] =>
  reservedBy(resources)
    .filter(([, cidr]) => prefixContainsAddress(network(cidr), address))
    .map(([name, cidr]) => `Reserved: by IPReservation ${name} (${cidr})`);

const usersText = ({ users }: IpamView, ip: string): readonly string[] => {
  const owners = users.inUse.get(ip);
  return owners === undefined ? [] : [`Yet it is used by ${owners.join(', ')}: two may get it`];
};

interface Held {
  readonly handleId: string | null;
  readonly secondary: Readonly<Record<string, string>>;
}

/** Whether whoever it was assigned to is still there. */
function presentUser({ users, resources }: IpamView, ip: string, { handleId, secondary }: Held): readonly string[] {
  const present = users.inUse.get(ip);
  if (present !== undefined) return [`Used by: ${present.join(', ')}`];
  const { pod, namespace, node, type } = secondary;
  const gone = node === undefined || users.nodes.has(node) ? '' : `; there is no Node ${node}`;
  if (pod === undefined) {
    return [
      `Used by: nobody that the datastore knows${type === undefined ? '' : `; no Node has it as its ${type}`}${gone}`,
    ];
  }
  const same = [...resources.WorkloadEndpoint.values()].filter(
    (one) => one.spec.pod === pod && one.metadata.namespace === namespace,
  );
  if (same.length === 0)
    return [`Used by: nobody; pod ${namespace ?? ''}/${pod} has no WorkloadEndpoint any more${gone}`];
  const has = same
    .map((one) => `${endpointName(one)} has ${one.spec.ipNetworks.join(', ') || 'no address'}`)
    .join('; ');
  const isNewer = same.every(
    ({ spec }) => spec.containerID === undefined || handleId?.endsWith(spec.containerID) !== true,
  );
  return [`Used by: nobody; ${has}${isNewer ? ', of another container' : ''}${gone}`];
}
