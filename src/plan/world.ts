/** The cluster at one moment, as the datastore has it: what every agent knows of itself, for all nodes at once. Pure. */
import { bgpNodes } from '../agent/bgp-nodes.ts';
import type { BgpNode } from '../agent/bgp-nodes.ts';
import { confirmedAffinity } from '../agent/cluster-view.ts';
import type { Knowledge } from '../agent/cluster-view.ts';
import type { Entry } from '../datastore/store.ts';
import type { Prefix } from '../model/ip.ts';
import { ResourceReader } from '../resources/index.ts';
import type { Resources, UnreadableEntry } from '../resources/index.ts';

type Endpoints = Resources['WorkloadEndpoint'];

export interface World {
  readonly resources: Resources;
  /** In the order of their names. */
  readonly nodes: ReadonlyMap<string, BgpNode>;
  /** With a confirmed affinity, by host; also of hosts that have no Node resource. */
  readonly blocks: ReadonlyMap<string, readonly Prefix[]>;
  readonly endpoints: ReadonlyMap<string, Endpoints>;
  /** Left out, as agents leave it out. */
  readonly unreadable: readonly UnreadableEntry[];
}

/**
 * Out of all entries below `/calico/`; blocks and handles need not be among them. With one reader for two worlds what did not
 * change is the same object in both.
 */
export function worldOf(entries: readonly Entry[], reader = new ResourceReader()): World {
  const { resources, unreadable } = reader.view(entries);
  const affinities = entries.flatMap((entry) => confirmedAffinity(entry) ?? []);
  const blocks = Map.groupBy(affinities, ({ host }) => host);
  const endpoints = Map.groupBy(resources.WorkloadEndpoint, ([, { spec }]) => spec.node);
  return {
    resources,
    nodes: bgpNodes(resources),
    blocks: new Map([...blocks].map(([host, own]) => [host, own.map(({ prefix }) => prefix)])),
    endpoints: new Map([...endpoints].map(([node, own]) => [node, new Map(own)])),
    unreadable,
  };
}

/** What the agent of one node knows, but for the endpoints of others, of which it makes nothing. */
export const knowledgeOf = ({ resources, blocks, endpoints }: World, node: string): Knowledge => ({
  node,
  resources: { ...resources, WorkloadEndpoint: endpoints.get(node) ?? new Map() },
  blocks: blocks.get(node) ?? [],
});
