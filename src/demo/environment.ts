import { agentSocket, fileDatastore, hostDirectory } from './layout.ts';
import type { Layout } from './layout.ts';
import type { Datastore, Encapsulation } from './options.ts';
import { ETCD } from './topology.ts';
import type { DemoNode } from './topology.ts';
import { dirname, join } from 'node:path';

export const POOL_CIDR = '192.168.0.0/16';

/** Short, so that a silent node is gone while one watches; the switches' samples say the same. */
export const HOLD_SECONDS = 9;

export type Environment = Readonly<Record<string, string>>;

/** How agents and the CLI find the datastore, under Calico's names. */
export function datastoreEnvironment(layout: Layout, datastore: Datastore): Environment {
  return datastore === 'file'
    ? { DATASTORE_TYPE: 'file', CALICO_FILE_DATASTORE: fileDatastore(layout) }
    : { DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: `http://${ETCD.address}:2379` };
}

export interface AgentChoice {
  readonly datastore: Datastore;
  readonly encap: Encapsulation;
}

/** What an agent is started with: nothing that a node in production would not be given. */
export function agentEnvironment(layout: Layout, node: DemoNode, choice: AgentChoice): Environment {
  const ipip = choice.encap === 'ipip';
  return {
    ...baseEnvironment,
    ...datastoreEnvironment(layout, choice.datastore),
    NODENAME: node.name,
    IP: 'autodetect',
    WAIT_FOR_DATASTORE: 'true',
    CALICO_IPV4POOL_CIDR: POOL_CIDR,
    CALICO_IPV4POOL_IPIP: ipip ? 'CrossSubnet' : 'Never',
    CALICO_IPV4POOL_VXLAN: ipip ? 'Never' : 'CrossSubnet',
    CALICO_IPV4POOL_NAT_OUTGOING: 'false',
    CALICO_BGP_HOLD_TIME: String(HOLD_SECONDS),
    CALICO_RUN_DIR: dirname(agentSocket(layout, node.name)),
    CALICO_NODENAME_FILE: join(hostDirectory(layout, node.name), 'nodename'),
    CALICO_SOCKET_MODE: '0666',
    CALICO_LOG_LEVEL: 'info',
  };
}

/** Nothing of the user's own settings leaks into the cluster. */
export const baseEnvironment: Environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/nonexistent',
  LANG: 'C.UTF-8',
};

/** The CLI where it speaks to one node's agent. */
export const agentCliEnvironment = (layout: Layout, node: string): Environment => ({
  ...baseEnvironment,
  CALICO_RUN_DIR: dirname(agentSocket(layout, node)),
});
