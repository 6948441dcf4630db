/** A cluster of many nodes as it stands in the datastore and in BGP: addresses, blocks, entries in Calico's layout. */
import { affinityKey, blockKey } from '../../src/datastore/keys.ts';
import type { Json, Write } from '../../src/datastore/store.ts';
import { hostAffinity } from '../../src/ipam/affinity.ts';
import { blockToJson } from '../../src/ipam/block-json.ts';
import { newBlock } from '../../src/ipam/block.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import type { AnyResource } from '../../src/resources/index.ts';
import { entryOf, resource } from '../support/resources.ts';

export interface ClusterShape {
  /** With the one whose agent is measured. */
  readonly nodes: number;
  readonly peering: 'mesh' | 'reflectors';
}

export const ASN = 64512;
export const BLOCKS_PER_NODE = 20;
/** Nodes 1 and 2, where there are any. Node 0 is the one whose agent is measured. */
export const REFLECTORS = 2;
export const CLUSTER_ID = 0x01000001;
/** Addresses in use in each block of another node. */
const PODS_PER_BLOCK = 5;

export const nodeName = (i: number): string => `node-${String(i).padStart(4, '0')}`;

/** 172.20.1.0, as a number. */
const FIRST_ADDRESS = 0xac140100;

/**
 * From 172.20.1.0 on, as a number; node 0 has the one in the middle: in a mesh the one of two nodes with the lower address, as text, waits for the
 * other to call, so half of the others call, and half are called.
 */
export function nodeAddress(i: number, { nodes }: ClusterShape): number {
  const middle = nodes >>> 1;
  return FIRST_ADDRESS + (i === 0 ? middle : i <= middle ? i - 1 : i);
}

export function nodeIndex(address: number, { nodes }: ClusterShape): number {
  const [at, middle] = [address - FIRST_ADDRESS, nodes >>> 1];
  return at === middle ? 0 : at < middle ? at + 1 : at;
}

/** The `k`th block of node `i`, the network address as a number: /26s of 10.0.0.0/8, one after the other. */
export const blockAddress = (i: number, k: number): number => 0x0a000000 + (i * BLOCKS_PER_NODE + k) * 64;

export const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** Everything but what the measured agent writes itself. */
export function* clusterWrites(shape: ClusterShape): Generator<Write> {
  const { nodes, peering } = shape;
  yield created('IPPool', 'pods', { cidr: '10.0.0.0/8', vxlanMode: 'CrossSubnet', ipipMode: 'Never', blockSize: 26 });
  if (peering === 'reflectors') {
    yield created('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false, asNumber: ASN });
    yield created('BGPPeer', 'to-reflectors', { nodeSelector: 'all()', peerSelector: "reflector == 'yes'" });
  }
  for (let i = 0; i < nodes; i++) {
    if (i > 0) yield write(clusterNode(i, shape));
    for (let k = 0; k < BLOCKS_PER_NODE; k++) yield* blockWrites(i, k);
  }
}

const created = (...[kind, name, spec]: Parameters<typeof resource>): Write => write(resource(kind, name, spec));

function write(value: AnyResource): Write {
  const entry = entryOf(value);
  return { type: 'create', key: entry.key, value: entry.value };
}

function clusterNode(i: number, shape: ClusterShape): AnyResource {
  const isReflector = shape.peering === 'reflectors' && i <= REFLECTORS;
  return resource(
    'Node',
    { name: nodeName(i), labels: { 'kubernetes.io/hostname': nodeName(i), ...(isReflector && { reflector: 'yes' }) } },
    {
      bgp: {
        ipv4Address: `${dotted(nodeAddress(i, shape))}/16`,
        ...(isReflector && { routeReflectorClusterID: dotted(CLUSTER_ID) }),
      },
      ipv4VXLANTunnelAddr: dotted(blockAddress(i, 0)),
    },
  );
}

function* blockWrites(i: number, k: number): Generator<Write> {
  const prefix = parsePrefix(`${dotted(blockAddress(i, k))}/26`);
  const affinity: Json = { state: 'confirmed', deleted: false };
  const empty = newBlock({ prefix, affinity: hostAffinity(nodeName(i)), claimedAtMs: 0 });
  const pods = i === 0 ? 0 : PODS_PER_BLOCK;
  const block = {
    ...empty,
    allocations: empty.allocations.map((_, at) => (at < pods ? at : null)),
    unallocated: empty.unallocated.slice(pods),
    attributes: Array.from({ length: pods }, (_, at) => ({
      handleId: `k8s-pod-network.${String(blockAddress(i, k) + at).repeat(6)}`,
      secondary: {
        namespace: 'default',
        node: nodeName(i),
        pod: `web-${i}-${k}-${at}`,
        timestamp: '2026-01-01 00:00:00',
      },
    })),
  };
  yield { type: 'create', key: blockKey(prefix), value: blockToJson(block) };
  yield { type: 'create', key: affinityKey(nodeName(i), prefix), value: affinity };
}
