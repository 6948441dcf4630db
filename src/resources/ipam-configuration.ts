import * as z from 'zod';
import { IPAM_CONFIG_KEY } from '../datastore/keys.ts';
import type { Json } from '../datastore/store.ts';
import type { Fault } from './fields.ts';
import { fields, obeys, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { API_VERSION, envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

const NAME = 'default';

const shape = once(() => ({
  strictAffinity: z.boolean().default(false).describe('whether a node takes addresses out of its own blocks alone'),
  autoAllocateBlocks: z.boolean().default(true).describe('whether a node claims blocks by itself'),
  maxBlocksPerHost: wholeNumber(0, 1_000_000).default(0).describe('0: twenty'),
  kubeVirtVMAddressPersistence: z
    .enum(['Enabled', 'Disabled'])
    .meta({ absent: 'Enabled', description: 'whether a virtual machine keeps its address' })
    .exactOptional(),
  ipCooldownSeconds: wholeNumber(0, 1200).default(0).describe('how long a released address rests'),
}));

const spec = once(() =>
  fields('IPAMConfiguration.spec', shape()).check(
    obeys(({ strictAffinity, autoAllocateBlocks, maxBlocksPerHost }): readonly Fault[] => [
      ...(strictAffinity || autoAllocateBlocks
        ? []
        : [[['autoAllocateBlocks'], 'cannot be false when strictAffinity is false'] as const]),
      ...(strictAffinity || maxBlocksPerHost === 0
        ? []
        : [[['maxBlocksPerHost'], 'needs strictAffinity: a node could borrow beyond it'] as const]),
    ]),
  ),
);

const schema = once(() =>
  envelope('IPAMConfiguration', false, spec()).check(
    obeys(({ metadata }): readonly Fault[] =>
      metadata.name === NAME ? [] : [[['metadata', 'name'], `is not ${NAME}, the only name there is`]],
    ),
  ),
);

export type IpamConfiguration = z.output<ReturnType<typeof schema>>;

/** What IPAM's record calls the fields. */
const STORED: Readonly<Record<keyof ReturnType<typeof shape>, string>> = {
  strictAffinity: 'strict_affinity',
  autoAllocateBlocks: 'auto_allocate_blocks',
  maxBlocksPerHost: 'maxBlocksPerHost',
  kubeVirtVMAddressPersistence: 'kubeVirtVMAddressPersistence',
  ipCooldownSeconds: 'ipCooldownSeconds',
};

function toDocument(record: Json): object {
  const values = record as Readonly<Record<string, Json | undefined>> | null;
  const known = Object.entries(STORED).map(([field, stored]) => [field, values?.[stored] ?? undefined] as const);
  return {
    apiVersion: API_VERSION,
    kind: 'IPAMConfiguration',
    metadata: { name: NAME },
    spec: Object.fromEntries(known.filter(([, value]) => value !== undefined)),
  };
}

const columns: KindSpec<IpamConfiguration>['columns'] = [
  nameColumn,
  { heading: 'STRICTAFFINITY', value: (r) => String(r.spec.strictAffinity) },
  { heading: 'AUTOALLOCATEBLOCKS', value: (r) => String(r.spec.autoAllocateBlocks) },
];

/** IPAM keeps it as a record of its own, which is what counts; as a resource it is only shown. */
export const ipamConfiguration: KindSpec<IpamConfiguration> = {
  kind: 'IPAMConfiguration',
  plural: 'ipamconfigurations',
  aliases: ['ipamconfig', 'ipamconfigs'],
  namespaced: false,
  schema,
  columns,
  wideColumns: [...columns, { heading: 'MAXBLOCKSPERHOST', value: (r) => String(r.spec.maxBlocksPerHost) }],
  readOnly: true,
  reserved: () => 'is the configuration of IPAM, which is not written as a resource',
  kept: { key: IPAM_CONFIG_KEY, name: NAME, toDocument },
};
