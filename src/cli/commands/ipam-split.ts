import type { Command } from 'commander';
import { resourceKey as keyOfResource } from '../../datastore/keys.ts';
import type { Json, Store, Write } from '../../datastore/store.ts';
import { ConflictError } from '../../datastore/store.ts';
import type { Prefix } from '../../model/ip.ts';
import { addressAt, addressBits, formatPrefix, parsePrefix } from '../../model/ip.ts';
import type { IpPool } from '../../resources/index.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import { clusterFacts } from '../ipam/report.ts';
import { ipamView } from '../ipam/view.ts';
import { withStore } from '../session.ts';

/** Longer names are cut, so that the number still fits into Kubernetes' 253 characters. */
const MAX_NAME = 245;
/** The parent goes in the same write. */
const MAX_PARTS = 64;

interface SplitOptions extends DryRunOptions {
  readonly cidr?: string;
  readonly name?: string;
  readonly force?: boolean;
}

export function addIpamSplitCommand(ipam: Command, io: CliIo): void {
  addDryRunOption(ipam.command('split'))
    .description('makes several IP pools of one, in a single write; addresses stay with whoever has them')
    .argument('<number>', `a power of two from 2 to ${MAX_PARTS}`)
    .option('--cidr <cidr>', 'of the pool')
    .option('--name <name>', 'of the pool')
    .option('--force', 'without the lock of the datastore')
    .action((text: string, options: SplitOptions) => {
      const parts = partsArgument(text);
      if ((options.cidr === undefined) === (options.name === undefined)) {
        throw new UsageError('one of --cidr and --name is required, not both');
      }
      return withStore(io, (store) => split({ io: resultIo(io, options), store }, parts, options), options);
    });
}

function partsArgument(text: string): number {
  const parts = Number(text);
  if (!/^\d+$/.test(text) || parts < 2 || !Number.isInteger(Math.log2(parts))) {
    throw new UsageError(`number to split CIDR into is not a valid power of 2: ${text}`);
  }
  if (parts > MAX_PARTS)
    throw new UsageError(
      `number = '${text}': is more than ${MAX_PARTS}, which go into one write; split the parts again`,
    );
  return parts;
}

interface Session {
  readonly io: CliIo;
  readonly store: Store;
}

async function split({ io, store }: Session, parts: number, options: SplitOptions): Promise<void> {
  const view = await ipamView(store);
  // Calico writes parent and parts one after the other. Here they change in one write, so the lock is manners, not need.
  if (!clusterFacts(view).isLocked && options.force !== true && options.dryRun !== true) {
    throw new CommandError(
      'datastore is not locked. Run the `calicoctl-ts datastore migrate lock` command in order to split the IP pools; --force does without',
    );
  }
  const pool = [...view.resources.IPPool.values()].find(
    ({ metadata, spec }) => metadata.name === options.name || spec.cidr === options.cidr,
  );
  if (pool === undefined) throw new CommandError(`unable to find IP pool ${options.name ?? options.cidr ?? ''}`);
  const children = childrenOf(pool, parts);
  const writes: readonly Write[] = [
    ...children.map(({ name, cidr }): Write => ({
      type: 'create',
      key: poolKey(name),
      value: childOf(pool, { name, cidr, nowMs: io.now() }),
    })),
    { type: 'delete', key: poolKey(pool.metadata.name), revision: Number(pool.metadata.resourceVersion) },
  ];
  await store.writeAll(writes).catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error;
    throw new CommandError(`IP pool ${pool.metadata.name} was changed meanwhile; nothing has been split, try again`);
  });
  io.stdout(`Successfully split IP pool ${pool.metadata.name} (${pool.spec.cidr}) into ${parts}:\n`);
  for (const { name, cidr } of children) io.stdout(`  ${name} ${formatPrefix(cidr)}\n`);
}

interface Child {
  readonly name: string;
  readonly cidr: Prefix;
}

function childrenOf({ metadata, spec }: IpPool, parts: number): readonly Child[] {
  const cidr = parsePrefix(spec.cidr);
  const length = cidr.length + Math.log2(parts);
  if (length > spec.blockSize) {
    throw new CommandError(
      `number = '${parts}': the parts of ${spec.cidr} would be smaller than one block (blockSize ${spec.blockSize})`,
    );
  }
  const size = 2 ** (addressBits(cidr.address.family) - length);
  return Array.from({ length: parts }, (_, i) => ({
    name: `${`split-${metadata.name}`.slice(0, MAX_NAME)}-${i}`,
    cidr: { address: addressAt(cidr, i * size), length },
  }));
}

const poolKey = (name: string): string => keyOfResource({ plural: 'ippools', name });

/** As its parent in all but name and CIDR. It overlaps the parent, which goes in the same write. */
function childOf(pool: IpPool, { name, cidr, nowMs }: Child & { readonly nowMs: number }): Json {
  const { labels, annotations } = pool.metadata;
  const creationTimestamp = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const metadata = { name, creationTimestamp, ...(labels && { labels }), ...(annotations && { annotations }) };
  return JSON.parse(
    JSON.stringify({
      apiVersion: pool.apiVersion,
      kind: pool.kind,
      metadata,
      spec: { ...pool.spec, cidr: formatPrefix(cidr) },
    }),
  ) as Json;
}
