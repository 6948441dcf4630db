import { Option } from 'commander';
import type { Command } from 'commander';
import { IPAM_CONFIG_KEY } from '../../../datastore/keys.ts';
import type { Json, Store } from '../../../datastore/store.ts';
import { AlreadyExistsError, ConflictError } from '../../../datastore/store.ts';
import { borrowedAddresses } from '../../../ipam/index.ts';
import { kindTable, parseResource } from '../../../resources/index.ts';
import type { DryRunOptions } from '../../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../../dry-run/option.ts';
import type { CliIo } from '../../io.ts';
import { CommandError } from '../../io.ts';
import { readIpam } from '../../ipam-records.ts';
import { withResources } from '../../session.ts';

interface ConfigureOptions extends DryRunOptions {
  readonly strictaffinity?: string;
  readonly maxBlocksPerHost?: string;
  readonly kubevirtIpPersistence?: string;
  readonly ipCooldownSeconds?: string;
}

/** An option, the key of IPAM's record, and calicoctl's word for it. */
const SETTINGS = [
  ['strictaffinity', 'strict_affinity', 'StrictAffinity', (text: string) => text === 'true'],
  ['maxBlocksPerHost', 'maxBlocksPerHost', 'MaxBlocksPerHost', wholeNumber('--max-blocks-per-host')],
  ['kubevirtIpPersistence', 'kubeVirtVMAddressPersistence', 'KubeVirtVMAddressPersistence', (text: string) => text],
  ['ipCooldownSeconds', 'ipCooldownSeconds', 'IPCooldownSeconds', wholeNumber('--ip-cooldown-seconds')],
] as const;

export function addIpamConfigureCommand(ipam: Command, io: CliIo): void {
  addDryRunOption(ipam.command('configure'))
    .description("changes IPAM's settings; what is not named stays")
    .addOption(
      new Option('--strictaffinity <bool>', 'whether a node takes addresses out of its own blocks alone').choices([
        'true',
        'false',
      ]),
    )
    .option('--max-blocks-per-host <number>', '0: twenty; needs strict affinity')
    .addOption(
      new Option('--kubevirt-ip-persistence <word>', 'whether a virtual machine keeps its address').choices([
        'Enabled',
        'Disabled',
      ]),
    )
    .option('--ip-cooldown-seconds <seconds>', 'how long a released address rests, 0 to 1200')
    .action(async (options: ConfigureOptions) => {
      const given = SETTINGS.flatMap(([option, key, word, read]) => {
        const text = options[option];
        return text === undefined ? [] : [{ key, word, value: read(text) }];
      });
      if (given.length === 0) throw new CommandError('nothing to configure: no option says what to set');
      const result = resultIo(io, options);
      await withResources(
        io,
        async (_, store) => {
          await write(store, Object.fromEntries(given.map(({ key, value }) => [key, value])));
          for (const { word, value } of given) result.stdout(`Successfully set ${word} to: ${value}\n`);
          if (options.strictaffinity === 'true') result.stdout(await borrowedNote(store));
        },
        options,
      );
    });
}

function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw new CommandError(`${option} = '${text}': is not a whole number`);
  };
}

/** By compare-and-swap; keys of the record that we do not know stay. Throws InvalidResourceError for what no record may say. */
async function write(store: Store, settings: Readonly<Record<string, Json>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const entry = await store.get(IPAM_CONFIG_KEY);
    const before = (entry?.value ?? { strict_affinity: false, auto_allocate_blocks: true }) as object;
    const value = { ...before, ...settings };
    parseResource(kindTable.IPAMConfiguration.kept!.toDocument(value));
    try {
      await (entry === undefined
        ? store.create(IPAM_CONFIG_KEY, value)
        : store.update(IPAM_CONFIG_KEY, value, entry.revision));
      return;
    } catch (error) {
      const isLost = error instanceof ConflictError || error instanceof AlreadyExistsError;
      if (!isLost || attempt >= 5) throw error;
    }
  }
}

/** Strict affinity is about what is given out from now on. */
async function borrowedNote(store: Store): Promise<string> {
  const borrowed = borrowedAddresses((await readIpam(store)).blocks).length;
  if (borrowed === 0) return '';
  const whose =
    borrowed === 1
      ? '1 address is borrowed and stays so while its pod lives'
      : `${borrowed} addresses are borrowed and stay so while their pods live`;
  return `${whose}: calicoctl-ts ipam show --show-borrowed\n`;
}
