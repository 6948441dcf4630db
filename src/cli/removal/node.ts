import type { Store } from '../../datastore/store.ts';
import { NotFoundError } from '../../datastore/store.ts';
import type { Block, Ipam } from '../../ipam/index.ts';
import { hostOf } from '../../ipam/index.ts';
import { parsePrefix } from '../../model/ip.ts';
import type { AnyResource, ResourceClient } from '../../resources/index.ts';
import { resourceId } from '../../resources/index.ts';
import { ipamView } from '../ipam/view.ts';

export interface RemovalPorts {
  readonly client: ResourceClient;
  readonly store: Store;
  readonly ipam: Ipam;
}

/**
 * What goes with a Node, as in Calico's client: its endpoints, what is named after it or is for it alone, its addresses and
 * blocks. Before the Node itself, so that a deletion that was cut off is done by the next. A sentence for each kind of thing.
 * Departs from Calico: addresses of the node that no endpoint has go, too; they would leak.
 */
export async function clearNode(name: string, { client, store, ipam }: RemovalPorts): Promise<readonly string[]> {
  const { resources, survey } = await ipamView(store);
  const blocks = survey.blocks.map(({ block }) => block);
  const endpoints = [...resources.WorkloadEndpoint.values()].filter(({ spec }) => spec.node === name);
  const others = [
    ...[...resources.BGPPeer.values()].filter(({ spec }) => spec.node === name),
    ...[...resources.HostEndpoint.values()].filter(({ spec }) => spec.node === name),
    ...[resources.BGPConfiguration, resources.FelixConfiguration].flatMap((kind): readonly AnyResource[] =>
      [kind.get(`node.${name}`)].filter((each) => each !== undefined),
    ),
  ];
  const handles = handlesOf(blocks, name);
  for (const { spec, metadata } of endpoints) {
    await client.delete('WorkloadEndpoint', metadata).catch(unlessGone);
    for (const network of spec.ipNetworks) await releaseFor(name, network, ipam);
  }
  for (const handle of handles) await ipam.releaseByHandle(handle);
  await ipam.releaseHost(name);
  for (const { kind, metadata } of others) await client.delete(kind, metadata).catch(unlessGone);
  const own = blocks.filter(({ affinity }) => hostOf(affinity) === name);
  return [
    ...counted(endpoints.length, 'WorkloadEndpoint', 'WorkloadEndpoints'),
    ...counted(handles.length, 'IPAM handle', 'IPAM handles'),
    ...counted(own.length, 'block', 'blocks'),
    ...others.map(({ kind, metadata }) => resourceId(kind, metadata.name, metadata.namespace)),
  ];
}

/** What an endpoint has of IPAM; an address that is another node's by now stays that one's. */
async function releaseFor(node: string, network: string, ipam: Ipam): Promise<void> {
  const { address } = parsePrefix(network);
  const holder = await ipam.holderOf(address);
  const { handleId, secondary } = holder?.attributes ?? { handleId: null, secondary: {} };
  if (holder === undefined || (secondary['node'] ?? node) !== node) return;
  await ipam.releaseAddress({ address, handleId, sequenceNumber: holder.sequenceNumber });
}

const handlesOf = (blocks: readonly Block[], node: string): readonly string[] => [
  ...new Set(
    blocks
      .flatMap(({ attributes }) => attributes)
      .flatMap(({ handleId, secondary }) => (secondary['node'] === node && handleId !== null ? [handleId] : [])),
  ),
];

export const counted = (count: number, one: string, many: string): readonly string[] =>
  count === 0 ? [] : [count === 1 ? `1 ${one}` : `${count} ${many}`];

const unlessGone = (error: unknown): void => {
  if (!(error instanceof NotFoundError)) throw error;
};
