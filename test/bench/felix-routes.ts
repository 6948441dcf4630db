/** The 100,000 routes of the felix scenario: pod blocks of a cluster of 250 nodes, as inputs, in the kernel's words and as `ip -batch` takes them. */
import type { ClusterNode, DataplaneInputs } from '../../felix/inputs.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { MAIN_TABLE, SCOPE } from '../../felix/routes/kernel-route.ts';
import { OUR_PROTOCOL } from '../../felix/ownership.ts';
import { formatIpv4, ipv4Address, prefixOf } from '../../src/model/ip.ts';
import { inputs, node, pool } from '../support/dataplane-inputs.ts';

export const ROUTES = 100_000;
/** The interface that carries our address, in the scenario's namespace. */
export const PARENT = 'near';
export const OWN_ADDRESS = '172.30.0.1/16';

const NODES = 250;
const FIRST_BLOCK = 0x1000_0000;
const BLOCK_LENGTH = 26;
const FIRST_NODE = 0xac1e_0002;

/** Where route `i` goes: every node has 400 blocks. `turn` 0 is before the change of next hop, 1 after it. */
const gatewayWord = (i: number, turn: number): number => FIRST_NODE + ((i + turn) % NODES);
const blockWord = (i: number): number => FIRST_BLOCK + (i << (32 - BLOCK_LENGTH));
const eachRoute = <T>(make: (i: number) => T): readonly T[] => Array.from({ length: ROUTES }, (_, i) => make(i));

const nodes: readonly ClusterNode[] = Array.from({ length: NODES }, (_, i) =>
  node(`node-${i}`, `${formatIpv4(FIRST_NODE + i)}/16`),
);

/** What bird would tell after turn 0 or 1; undefined: it lost its peers. */
export function inputsOf(turn: number | undefined): DataplaneInputs {
  const learned = (i: number) => {
    const nextHop = gatewayWord(i, turn ?? 0);
    return {
      prefix: prefixOf(ipv4Address(blockWord(i)), BLOCK_LENGTH),
      nextHops: [ipv4Address(nextHop)],
      learnedFrom: `${formatIpv4(nextHop)} (node-to-node mesh)`,
    };
  };
  return inputs({
    local: node('node-own', OWN_ADDRESS),
    nodes,
    pools: [pool('16.0.0.0/8')],
    learned: turn === undefined ? [] : eachRoute(learned),
  });
}

export const kernelRoutesOf = (turn: number, ifindex: number): readonly KernelRoute[] =>
  eachRoute((i) => ({
    prefix: prefixOf(ipv4Address(blockWord(i)), BLOCK_LENGTH),
    table: MAIN_TABLE,
    protocol: OUR_PROTOCOL,
    type: 'unicast',
    scope: SCOPE.universe,
    metric: 0,
    hops: [{ gateway: ipv4Address(gatewayWord(i, turn)), ifindex, onlink: true }],
  }));

/** Lines for `ip -batch`. */
export function batchOf(verb: 'add' | 'replace' | 'del', turn: number): string {
  const block = (i: number): string => `route ${verb} ${formatIpv4(blockWord(i))}/${BLOCK_LENGTH}`;
  const way = (i: number): string => ` via ${formatIpv4(gatewayWord(i, turn))} dev ${PARENT} onlink`;
  return eachRoute((i) => `${block(i)}${verb === 'del' ? '' : way(i)} proto ${OUR_PROTOCOL}\n`).join('');
}

/** What `ip route` must show of the first route after a turn. */
export const firstGateway = (turn: number): string => formatIpv4(gatewayWord(0, turn));
