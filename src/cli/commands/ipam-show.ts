import type { Command } from 'commander';
import { IPAM_CONFIG_KEY } from '../../datastore/keys.ts';
import type { Store } from '../../datastore/store.ts';
import { InvalidValueError } from '../../model/invalid.ts';
import type { IpAddress } from '../../model/ip.ts';
import { parseIpAddress } from '../../model/ip.ts';
import type { CliIo } from '../io.ts';
import { UsageError } from '../io.ts';
import { addressReport, formatAddress } from '../ipam/address.ts';
import { borrowedOf, formatBorrowed, formatUsage, usageRows } from '../ipam/usage.ts';
import { ipamView } from '../ipam/view.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { withStore } from '../session.ts';
import { formatFramed } from '../table.ts';

interface ShowOptions {
  readonly ip?: string;
  readonly showBlocks?: boolean;
  readonly showBorrowed?: boolean;
  readonly showConfiguration?: boolean;
  readonly output: string;
}

export function addIpamShowCommand(ipam: Command, io: CliIo): void {
  ipam
    .command('show')
    .description('how full the IP pools are, or who has an address')
    .option('--ip <address>', 'who has it, since when, and whether he is still there')
    .option('--show-blocks', 'the blocks of each pool, too')
    .option('--show-borrowed', "addresses that nodes have of others' blocks")
    .option('--show-configuration', 'what IPAM goes by')
    .addOption(outputOption())
    .action((options: ShowOptions) =>
      withStore(io, async (store) => {
        const isJson = options.output === 'json';
        if (options.showConfiguration === true) {
          const properties = await configuration(store);
          io.stdout(isJson ? formatJson(Object.fromEntries(properties)) : formatProperties(properties));
          return;
        }
        const address = options.ip === undefined ? undefined : ipArgument(options.ip);
        const view = await ipamView(store);
        for (const { key, reason } of view.unreadable) io.stderr(`cannot read ${key}: ${reason}\n`);
        if (address !== undefined) {
          io.stdout(isJson ? formatJson(addressReport(view, address)) : formatAddress(view, address));
        } else if (options.showBorrowed === true) {
          const borrowed = borrowedOf(view);
          io.stdout(isJson ? formatJson(borrowed) : formatBorrowed(borrowed));
        } else {
          const rows = usageRows(view, options.showBlocks === true);
          io.stdout(isJson ? formatJson(rows) : formatUsage(rows));
        }
      }),
    );
}

export function ipArgument(text: string): IpAddress {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new UsageError(`Error executing command: invalid IP address specified: ${text}`);
  }
}

/** Calico's names of the rows, what its record calls them, and what counts where it says nothing. */
const PROPERTIES = [
  ['StrictAffinity', 'strict_affinity', false],
  ['AutoAllocateBlocks', 'auto_allocate_blocks', true],
  ['MaxBlocksPerHost', 'maxBlocksPerHost', 0],
  ['KubeVirtVMAddressPersistence', 'kubeVirtVMAddressPersistence', 'Enabled'],
  ['IPCooldownSeconds', 'ipCooldownSeconds', 0],
] as const;

type Properties = readonly (readonly [name: string, value: unknown])[];

async function configuration(store: Store): Promise<Properties> {
  const record = ((await store.get(IPAM_CONFIG_KEY))?.value ?? {}) as Readonly<Record<string, unknown>>;
  return PROPERTIES.map(([name, key, absent]) => [name, record[key] ?? absent]);
}

const formatProperties = (properties: Properties): string =>
  formatFramed(
    ['PROPERTY', 'VALUE'],
    properties.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
