import type { Command } from 'commander';
import { AlreadyExistsError } from '../../../datastore/store.ts';
import { formatPrefix, parsePrefix } from '../../../model/ip.ts';
import { splitPool } from '../../../resources/index.ts';
import type { IpPool } from '../../../resources/index.ts';
import type { DryRunOptions } from '../../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../../dry-run/option.ts';
import type { CliIo } from '../../io.ts';
import { CommandError } from '../../io.ts';
import { withResources } from '../../session.ts';

interface SplitOptions extends DryRunOptions {
  readonly cidr?: string;
  readonly name?: string;
}

export function addIpamSplitCommand(ipam: Command, io: CliIo): void {
  addDryRunOption(ipam.command('split'))
    .description('cuts a pool into equal ones; needs a locked datastore, blocks and pods stay as they are')
    .argument('<number>', 'a power of two')
    .option('--cidr <cidr>', 'of the pool')
    .option('--name <name>', 'of the pool')
    .action(async (number: string, options: SplitOptions) => {
      if ((options.cidr === undefined) === (options.name === undefined)) {
        throw new CommandError('one of --cidr and --name must say which pool to split');
      }
      if (!/^\d{1,9}$/.test(number)) throw new CommandError(`number = '${number}': is not a whole number`);
      const parts = Number(number);
      await withResources(
        io,
        async (client, store) => {
          const pool = (await client.list('IPPool')).find((each) => isMeant(each, options));
          if (pool === undefined) {
            throw new CommandError(`unable to find IP pool ${options.name ?? options.cidr ?? ''}`);
          }
          const writes = splitPool(pool, parts);
          const [cluster] = await client.list('ClusterInformation');
          if (options.dryRun !== true && cluster?.spec.datastoreReady !== false) {
            throw new CommandError(
              "datastore is not locked. Run the 'calicoctl-ts datastore migrate lock' command in order to split the IP pools",
            );
          }
          await store.writeAll(writes).catch((error: unknown) => {
            if (!(error instanceof AlreadyExistsError)) throw error;
            throw new CommandError(`a pool with the name of a part is there already: ${error.message}`, {
              cause: error,
            });
          });
          resultIo(io, options).stdout(
            `Successfully split IP pool ${pool.metadata.name} (${pool.spec.cidr}) into ${writes.length - 1}\n`,
          );
        },
        options,
      );
    });
}

const isMeant = ({ metadata, spec }: IpPool, { name, cidr }: SplitOptions): boolean =>
  name === undefined ? spec.cidr === formatPrefix(parsePrefix(cidr ?? '', '--cidr')) : metadata.name === name;
