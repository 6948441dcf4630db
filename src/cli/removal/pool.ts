import type { AllocationAttributes, Block } from '../../ipam/index.ts';
import { hostOf } from '../../ipam/index.ts';
import { parsePrefix, prefixContains } from '../../model/ip.ts';
import type { IpPool } from '../../resources/index.ts';
import { CommandError } from '../io.ts';
import { ipamView } from '../ipam/view.ts';
import type { RemovalPorts } from './node.ts';
import { counted } from './node.ts';

/** As long as Calico's client gives the nodes to hear that the pool is disabled. */
const GRACE_MS = 500;

export interface PoolRemoval {
  readonly force: boolean;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * What comes before the end of an IPPool, as in Calico's client: nobody takes addresses out of it any more, and its blocks are nobody's.
 * Departs from Calico: a pool with addresses of pods is refused without `force`, for without their block they lose their
 * routes. Addresses of tunnels are no hindrance: nodes replace them by themselves. Throws CommandError.
 */
export async function clearPool(
  name: string,
  { client, store, ipam }: RemovalPorts,
  { force, sleep }: PoolRemoval,
): Promise<readonly string[]> {
  const { resources, survey } = await ipamView(store);
  const pool = resources.IPPool.get(name);
  // One that cannot be read has told nobody its range.
  if (pool === undefined) return [];
  const inside = survey.blocks
    .map(({ block }) => block)
    .filter(({ prefix }) => prefixContains(parsePrefix(pool.spec.cidr), prefix));
  if (!force) refuseInUse(pool, inside);
  if (!pool.spec.disabled) {
    await client.update({ ...pool, spec: { ...pool.spec, disabled: true } });
    await sleep(GRACE_MS);
  }
  const claimed = inside.flatMap(({ prefix, affinity }) => {
    const owner = hostOf(affinity);
    return owner === undefined ? [] : [{ prefix, owner }];
  });
  for (const { prefix, owner } of claimed) await ipam.releaseAffinity(owner, prefix, { mustBeEmpty: false });
  return counted(claimed.length, 'block', 'blocks');
}

/** What Calico calls the addresses of tunnels, ours and WireGuard's. */
const TUNNEL = /TunnelAddress$/;

function refuseInUse(pool: IpPool, blocks: readonly Block[]): void {
  const used = blocks
    .flatMap(holders)
    .filter(({ secondary, releasedAt }) => releasedAt === undefined && !TUNNEL.test(secondary['type'] ?? ''));
  if (used.length === 0) return;
  const nodes = [...new Set(used.map(({ secondary }) => secondary['node'] ?? 'an unknown node'))].sort();
  const where = nodes.length > 3 ? `${nodes.length} nodes` : nodes.join(', ');
  throw new CommandError(
    `IPPool(${pool.metadata.name}) has ${counted(used.length, 'address', 'addresses').join('')} in use on ${where}, and without it they lose their routes. ` +
      `Disable it (spec.disabled: true), let the pods move, and see calicoctl-ts ipam show; --force deletes it all the same`,
  );
}

/** One for each address that is not free. */
const holders = ({ allocations, attributes }: Block): readonly AllocationAttributes[] =>
  allocations.flatMap((index) => (index === null ? [] : (attributes[index] ?? [])));
