import type { Command } from 'commander';
import { IPAM_CONFIG_KEY } from '../../datastore/keys.ts';
import type { Json, Store } from '../../datastore/store.ts';
import { InvalidResourceError, API_VERSION, parseResource } from '../../resources/index.ts';
import type { DryRunOptions } from '../dry-run/option.ts';
import { addDryRunOption, resultIo } from '../dry-run/option.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import { withStore } from '../session.ts';

interface Property {
  /** As calicoctl calls it when it has set it. */
  readonly title: string;
  readonly flag: string;
  readonly help: string;
  /** What commander makes of the flag. */
  readonly option: string;
  readonly field: string;
  /** In IPAM's record. */
  readonly key: string;
  readonly read: (text: string) => Json;
}

const yesOrNo = (text: string): Json => (text === 'true' ? true : text === 'false' ? false : text);
const number = (text: string): Json => (/^\d+$/.test(text) ? Number(text) : text);

const PROPERTIES: readonly Property[] = [
  {
    title: 'StrictAffinity',
    flag: '--strictaffinity <true|false>',
    help: 'whether a node takes addresses out of its own blocks alone',
    option: 'strictaffinity',
    field: 'strictAffinity',
    key: 'strict_affinity',
    read: yesOrNo,
  },
  {
    title: 'MaxBlocksPerHost',
    flag: '--max-blocks-per-host <number>',
    help: '0: twenty',
    option: 'maxBlocksPerHost',
    field: 'maxBlocksPerHost',
    key: 'maxBlocksPerHost',
    read: number,
  },
  {
    title: 'KubeVirtVMAddressPersistence',
    flag: '--kubevirt-ip-persistence <Enabled|Disabled>',
    help: 'whether a virtual machine keeps its address',
    option: 'kubevirtIpPersistence',
    field: 'kubeVirtVMAddressPersistence',
    key: 'kubeVirtVMAddressPersistence',
    read: (text) => text,
  },
  {
    title: 'IPCooldownSeconds',
    flag: '--ip-cooldown-seconds <number>',
    help: 'how long a released address rests',
    option: 'ipCooldownSeconds',
    field: 'ipCooldownSeconds',
    key: 'ipCooldownSeconds',
    read: number,
  },
];

export function addIpamConfigureCommand(ipam: Command, io: CliIo): void {
  const command = addDryRunOption(ipam.command('configure')).description(
    'changes what IPAM goes by; `ipam show --show-configuration` shows it',
  );
  for (const { flag, help } of PROPERTIES) command.option(flag, help);
  command.action(({ dryRun = false, ...options }: DryRunOptions & Readonly<Record<string, string | undefined>>) => {
    const given = PROPERTIES.flatMap((property) => {
      const text = options[property.option];
      return text === undefined ? [] : [{ ...property, text, value: property.read(text) }];
    });
    if (given.length === 0) {
      throw new UsageError(
        `nothing to configure: one of ${PROPERTIES.map(({ flag }) => flag.split(' ')[0]).join(', ')} is required`,
      );
    }
    const write = async (store: Store): Promise<void> => {
      const entry = await store.get(IPAM_CONFIG_KEY);
      const before = (entry?.value ?? {}) as Readonly<Record<string, Json>>;
      const next = { ...DEFAULTS, ...before, ...Object.fromEntries(given.map(({ key, value }) => [key, value])) };
      refuseInvalid(next);
      await (entry === undefined
        ? store.create(IPAM_CONFIG_KEY, next)
        : store.update(IPAM_CONFIG_KEY, next, entry.revision));
      const result = resultIo(io, { dryRun });
      for (const { title, text } of given) result.stdout(`Successfully set ${title} to: ${text}\n`);
    };
    return withStore(io, write, { dryRun });
  });
}

const DEFAULTS: Readonly<Record<string, Json>> = { strict_affinity: false, auto_allocate_blocks: true };

/** By the rules of the resource that shows the record. */
function refuseInvalid(record: Readonly<Record<string, Json>>): void {
  const known = [...PROPERTIES, { key: 'auto_allocate_blocks', field: 'autoAllocateBlocks' }];
  const spec = Object.fromEntries(
    known.flatMap(({ key, field }) => (record[key] === undefined ? [] : [[field, record[key]]])),
  );
  try {
    parseResource({ apiVersion: API_VERSION, kind: 'IPAMConfiguration', metadata: { name: 'default' }, spec });
  } catch (error) {
    if (!(error instanceof InvalidResourceError)) throw error;
    throw new CommandError(error.message);
  }
}
