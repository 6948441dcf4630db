import type { Command } from 'commander';
import type { Borrowed, PoolUsage } from '../../../ipam/index.ts';
import { borrowedAddresses, reportOf, usageOf } from '../../../ipam/index.ts';
import { InvalidValueError } from '../../../model/invalid.ts';
import { formatIpAddress, formatPrefix, parseIpAddress } from '../../../model/ip.ts';
import type { IpAddress } from '../../../model/ip.ts';
import type { CliIo } from '../../io.ts';
import { CommandError } from '../../io.ts';
import { formatAddress, formatBorrowed, formatConfiguration, formatUsage } from '../../ipam-report.ts';
import { readIpam } from '../../ipam-records.ts';
import { formatJson, outputOption } from '../../output-option.ts';
import { withResources } from '../../session.ts';
import { ipamConfiguration } from './configuration.ts';

interface ShowOptions {
  readonly ip?: string;
  readonly showBlocks?: true;
  readonly showBorrowed?: true;
  readonly showConfiguration?: true;
  readonly output: string;
}

export function addIpamShowCommand(ipam: Command, io: CliIo): void {
  ipam
    .command('show')
    .description('how full the pools are, and who holds an address')
    .option('--ip <ip>', 'one address: who holds it')
    .option('--show-blocks', 'each block of the pools, too')
    .option('--show-borrowed', 'addresses that nodes took out of the blocks of others')
    .option('--show-configuration', "IPAM's settings")
    .addOption(outputOption())
    .action(async (options: ShowOptions) => {
      const address = options.ip === undefined ? undefined : addressArgument(options.ip);
      await withResources(io, async (_, store) => {
        const isJson = options.output === 'json';
        if (options.showConfiguration === true) {
          const configuration = await ipamConfiguration(store);
          io.stdout(isJson ? formatJson(configuration) : formatConfiguration(configuration));
          return;
        }
        const records = await readIpam(store);
        for (const { key, reason } of records.unreadable) io.stderr(`cannot read ${key}: ${reason}\n`);
        if (address !== undefined) {
          const report = reportOf(address, records);
          io.stdout(
            isJson
              ? formatJson(addressJson(address, report))
              : formatAddress(address, report, records.resources.WorkloadEndpoint.values()),
          );
        } else if (options.showBorrowed === true) {
          const borrowed = borrowedAddresses(records.blocks);
          io.stdout(isJson ? formatJson(borrowed.map(borrowedJson)) : formatBorrowed(borrowed));
        } else {
          const usage = usageOf(records.pools, records.blocks, records.reservations);
          io.stdout(isJson ? formatJson(usage.map(poolJson)) : formatUsage(usage, options.showBlocks === true));
        }
      });
    });
}

/** Throws CommandError in calicoctl's words. */
function addressArgument(text: string): IpAddress {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new CommandError(`Error executing command: invalid IP address specified: ${text}`);
  }
}

const addressJson = (address: IpAddress, report: ReturnType<typeof reportOf>): object => ({
  ip: formatIpAddress(address),
  inUse: report.assignment !== undefined,
  ...(report.assignment && {
    handle: report.assignment.attributes.handleId,
    attributes: report.assignment.attributes.secondary,
    sequenceNumber: report.assignment.sequenceNumber,
  }),
  ...(report.releasedAt !== undefined && { releasedAt: report.releasedAt }),
  ...(report.reservation && { reservation: formatPrefix(report.reservation) }),
  ...(report.block && { block: formatPrefix(report.block.prefix), affinity: report.block.affinity }),
  ...(report.pool && { pool: report.pool.name }),
});

const borrowedJson = ({ address, block, owner, borrower, attributes }: Borrowed): object => ({
  ip: formatIpAddress(address),
  borrower,
  block: formatPrefix(block),
  owner,
  handle: attributes.handleId,
  attributes: attributes.secondary,
});

const poolJson = ({ pool, blocks, ...usage }: PoolUsage): object => ({
  ...(pool && { name: pool.name, cidr: formatPrefix(pool.cidr) }),
  ...usage,
  blocks: blocks.map(({ prefix, ...block }) => ({ cidr: formatPrefix(prefix), ...block })),
});
