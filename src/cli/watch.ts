import type { BgpConfiguration } from '../resources/index.ts';
import { addressIn } from './bgp-nodes.ts';
import type { BgpNode } from './bgp-nodes.ts';
import { isPassiveTowards } from './peerings.ts';
import type { Cluster, Wanted } from './peerings.ts';

export const MESH_ORIGIN = 'BGPConfiguration(default)';

/** Every node with every other; route reflectors stay out of it. */
export function meshPeerings({ self, nodes, resources }: Cluster): Wanted {
  const configuration = resources.BGPConfiguration.get('default')?.spec;
  const none = (reason: string): Wanted => ({
    peerings: [],
    omitted: [{ origin: MESH_ORIGIN, peer: 'node-to-node mesh', reason, isMeant: true }],
  });
  if (configuration?.nodeToNodeMeshEnabled === false) return none('nodeToNodeMeshEnabled is false');
  if (self.clusterId !== undefined) return none(`this node is a route reflector of cluster ${self.clusterId}`);
  const settings = meshSettings(configuration);
  const others = [...nodes.values()].filter(({ name }) => name !== self.name);
  const left = others.flatMap((node) => {
    const reason = whyNotInMesh(node, self);
    return reason === undefined
      ? []
      : [{ origin: MESH_ORIGIN, peer: `Node(${node.name})`, reason, isMeant: true } as const];
  });
  const peerings = others
    .filter((node) => node.clusterId === undefined)
    .flatMap((remoteNode) => remoteNode.addresses.map((address) => ({ remoteNode, address })))
    .flatMap(({ remoteNode, address }) => {
      const ours = addressIn(self, address.family);
      if (ours === undefined) return [];
      return [
        {
          kind: 'node-to-node mesh',
          origin: MESH_ORIGIN,
          address,
          port: remoteNode.port,
          // Departs from Calico, where a node without an AS number of its own counts with ours: it says another one itself.
          remoteAsn: remoteNode.asn,
          remoteNode,
          passive: isPassiveTowards(address, ours),
          useNodeAddress: true,
          nextHop: undefined,
          allowOwnAsn: 0,
          // Calico: no BGPFilter is for the mesh.
          filters: [],
          ...settings,
        } as const,
      ];
    });
  return { peerings, omitted: left };
}

const meshSettings = (spec: BgpConfiguration['spec'] | undefined) => ({
  ...(spec?.nodeMeshMaxRestartTime === undefined ? {} : { restartTime: spec.nodeMeshMaxRestartTime }),
  ...(spec?.nodeMeshPassword === undefined ? {} : { password: spec.nodeMeshPassword.secretKeyRef }),
});

function whyNotInMesh(node: BgpNode, self: BgpNode): string | undefined {
  if (node.clusterId !== undefined) return `is a route reflector of cluster ${node.clusterId}`;
  if (node.addresses.length === 0) return 'has no address';
  const shared = node.addresses.some(({ family }) => addressIn(self, family) !== undefined);
  return shared ? undefined : 'has no address of a family that this node has';
}
