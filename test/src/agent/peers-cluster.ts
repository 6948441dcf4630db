/** Three nodes by one letter each, and whom one of them peers with. */
import type { ComputedPeers } from '../../../src/agent/peers.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';
import { peerLine } from './bgp-resources.ts';

export interface NodeOptions {
  readonly v6?: string;
  readonly asNumber?: number;
  readonly cluster?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export const node = (name: string, v4: string | undefined, options: NodeOptions = {}): AnyResource => {
  const { v6, asNumber, cluster, labels = {} } = options;
  const bgp = {
    ...(v4 === undefined ? {} : { ipv4Address: v4 }),
    ...(v6 === undefined ? {} : { ipv6Address: v6 }),
    ...(asNumber === undefined ? {} : { asNumber }),
    ...(cluster === undefined ? {} : { routeReflectorClusterID: cluster }),
  };
  return resource('Node', { name, labels }, Object.keys(bgp).length === 0 ? {} : { bgp });
};

export const of = (nodeName: string, ...resources: readonly AnyResource[]): ComputedPeers =>
  computePeers(view(...resources), nodeName, CALICO_PEER_DEFAULTS);

export const lines = ({ peers }: ComputedPeers): readonly string[] => peers.map(peerLine);

export const a = node('a', '10.0.0.9/24');
export const b = node('b', '10.0.0.10/24');
export const c = node('c', '10.0.1.1/24');
