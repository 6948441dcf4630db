import { gauge, gauges } from './family.ts';
import type { Family } from './family.ts';
import type { PoolUsage } from './pool-usage.ts';

const STATES = ['allocated', 'cooling', 'free'] as const;

const usage = (pool: PoolUsage): readonly { readonly state: string; readonly value: number }[] =>
  STATES.map((state) => ({ state, value: pool[state] }));

export const CLUSTER_FAMILIES: readonly Family[] = [
  gauges({
    name: 'calico_ts_ipam_blocks',
    help: "This node's blocks of addresses, by IP pool; of no pool where none is left around them.",
    labels: ['pool'],
    read: ({ agent }) => (agent?.pools ?? []).map(({ pool, blocks }) => ({ labels: { pool }, value: blocks })),
  }),
  gauges({
    name: 'calico_ts_ipam_addresses',
    help: "Addresses in this node's blocks by IP pool and state: allocated, cooling (released, and resting), free.",
    labels: ['pool', 'state'],
    read: ({ agent }) =>
      (agent?.pools ?? []).flatMap((pool) =>
        usage(pool).map(({ state, value }) => ({ labels: { pool: pool.pool, state }, value })),
      ),
  }),
  gauge(
    'calico_ts_ipam_lent_addresses',
    "Addresses of this node's blocks that other nodes borrowed.",
    ({ agent }) => agent?.lentAddresses,
  ),
  gauge('felix_cluster_num_hosts', 'Nodes of the cluster.', ({ agent }) => agent?.cluster.nodes),
  gauge(
    'felix_cluster_num_workload_endpoints',
    'Workload endpoints of the cluster.',
    ({ agent }) => agent?.cluster.workloadEndpoints,
  ),
  gauge(
    'felix_cluster_num_host_endpoints',
    'Host endpoints of the cluster.',
    ({ agent }) => agent?.cluster.hostEndpoints,
  ),
  gauge(
    'felix_active_local_endpoints',
    'Endpoints on this node, of workloads and of the host.',
    ({ agent }) => agent?.cluster.localEndpoints,
  ),
];
