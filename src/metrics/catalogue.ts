import { AGENT_FAMILIES } from './agent-families.ts';
import { BGP_FAMILIES } from './bgp-families.ts';
import { CLUSTER_FAMILIES } from './cluster-families.ts';
import { DATAPLANE_FAMILIES } from './dataplane-families.ts';
import { DATASTORE_FAMILIES } from './datastore-families.ts';
import type { Family } from './family.ts';
import { PROCESS_FAMILIES, RUNTIME_FAMILIES } from './process-families.ts';

/** Every metric, by what it is about, in the order in which they are told. */
export const CATALOGUE: readonly (readonly [about: string, families: readonly Family[]])[] = [
  ['The agent', AGENT_FAMILIES],
  ['Datastore', DATASTORE_FAMILIES],
  ['BGP', BGP_FAMILIES],
  ['Routes, tunnels and NAT', DATAPLANE_FAMILIES],
  ['Addresses and endpoints', CLUSTER_FAMILIES],
  ['The process', PROCESS_FAMILIES],
  ['The runtime', RUNTIME_FAMILIES],
];

export const FAMILIES: readonly Family[] = CATALOGUE.flatMap(([, families]) => families);
