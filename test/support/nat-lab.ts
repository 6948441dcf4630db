/**
 * One node with two pods on the real kernel, and the world beside it: `one` is in a pool with natOutgoing, `two` in one
 * without. The world knows the way back to every address, so that only NAT decides under which one a packet comes.
 */
import { createDataplane } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { Pool } from '../../felix/inputs.ts';
import { createLinuxKernel } from '../../felix/linux-kernel.ts';
import { createLinuxNftables } from '../../felix/nat/linux-nftables.ts';
import { hostPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, node, pool } from './dataplane-inputs.ts';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';
import { recordPings, takeSources } from './ping-recorder.ts';

/** Of each family one, IPv4 first. */
export type Both = readonly [ipv4: string, ipv6: string];

export const NODE: Both = ['172.30.1.11', 'fd30::11'];
export const WORLD: Both = ['198.51.100.7', '2001:db8::7'];
/** A pod of another node, which the lab lets the world be. */
export const ELSEWHERE: Both = ['10.48.1.5', 'fd10:48::1:5'];
export const PODS = {
  one: ['10.48.0.5', 'fd10:48::5'],
  two: ['10.50.0.5', 'fd10:50::5'],
} as const satisfies Record<string, Both>;
export type PodName = keyof typeof PODS;

/** The pools of both pods, in both families. */
export const poolsOf = (nat: { readonly one: boolean; readonly two: boolean }): readonly Pool[] => [
  pool('10.48.0.0/16', { nat: nat.one }, 'one'),
  pool('fd10:48::/64', { nat: nat.one }, 'one-v6'),
  pool('10.50.0.0/16', { nat: nat.two }, 'two'),
  pool('fd10:50::/64', { nat: nat.two }, 'two-v6'),
];

const SETTINGS = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

export class NatLab {
  readonly spaces: Readonly<Record<'node' | 'world' | PodName, TestNetns>>;
  #dataplane: Dataplane;

  /** `prefix` begins the names of the namespaces. */
  constructor(prefix: string) {
    const [host, world] = [makeNetns(`${prefix}-node`), makeNetns(`${prefix}-world`)];
    this.spaces = { node: host, world, one: makeNetns(`${prefix}-one`), two: makeNetns(`${prefix}-two`) };
    this.#layCable();
    for (const space of [world, this.spaces.two]) recordPings(space);
    this.#dataplane = this.#newDataplane();
  }

  /** Resolves when both pods are there, their pools without NAT. */
  async start(): Promise<void> {
    await this.#dataplane.start();
    await this.want(poolsOf({ one: false, two: false }));
    for (const [name, addresses] of Object.entries(PODS)) {
      const { path: netns } = this.spaces[name as PodName];
      const pod = { netns, hostInterface: `cali${name}`, containerInterface: 'eth0', mtu: 0 };
      await this.#dataplane.addWorkloadInterface({ ...pod, addresses: addresses.map((text) => parseIpAddress(text)) });
    }
    await this.want(poolsOf({ one: false, two: false }));
  }

  async close(): Promise<void> {
    await this.#dataplane.close();
    for (const space of Object.values(this.spaces)) space.remove();
  }

  /** A successor with an empty memory. */
  async restart(pools: readonly Pool[]): Promise<void> {
    await this.#dataplane.close();
    this.#dataplane = this.#newDataplane();
    await this.#dataplane.start();
    await this.want(pools);
  }

  /** Resolves when the kernel has what these pools ask for. */
  async want(pools: readonly Pool[]): Promise<void> {
    const endpoints = Object.entries(PODS).map(([name, addresses]) => ({
      name: `test/${name}`,
      interfaceName: `cali${name}`,
      addresses: addresses.map((text) => parseIpAddress(text)),
    }));
    const localBlocks = Object.values(PODS).flatMap((addresses) =>
      addresses.map((text) => hostPrefix(parseIpAddress(text))),
    );
    const local = node('node-a1', `${NODE[0]}/24`);
    this.#dataplane.update(inputs({ local, nodes: [], pools, endpoints, localBlocks }));
    await this.#dataplane.settled();
  }

  nat(): ReturnType<Dataplane['nat']> {
    return this.#dataplane.nat();
  }

  /** Under which addresses new pings come from a pod to each address of `to`, which `at` has. */
  sources(pod: PodName, to: Both, at: 'world' | PodName = 'world'): readonly string[] {
    return to.flatMap((address) => {
      takeSources(this.spaces[at], address);
      this.spaces[pod].run('ping', '-n', '-c', '2', '-i', '0.01', '-W', '5', address);
      return takeSources(this.spaces[at], address);
    });
  }

  #newDataplane(): Dataplane {
    const { path: netns } = this.spaces.node;
    return createDataplane(SETTINGS, {
      kernel: createLinuxKernel({ netns }),
      nftables: createLinuxNftables({ netns }),
      clock: systemClock,
      random: () => 0,
      log: silentLogger,
    });
  }

  #layCable(): void {
    const { node: host, world } = this.spaces;
    const inNode = (...args: readonly string[]): string => host.run('ip', ...args);
    const inWorld = (...args: readonly string[]): string => world.run('ip', ...args);
    inWorld('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.name);
    for (const ip of [inNode, inWorld]) for (const link of ['lo', 'eth0']) ip('link', 'set', link, 'up');
    inNode('address', 'add', `${NODE[0]}/24`, 'dev', 'eth0');
    inNode('address', 'add', `${NODE[1]}/64`, 'dev', 'eth0', 'nodad');
    inWorld('address', 'add', '172.30.1.1/24', 'dev', 'eth0');
    inWorld('address', 'add', 'fd30::1/64', 'dev', 'eth0', 'nodad');
    for (const address of [...WORLD, ...ELSEWHERE]) inWorld('address', 'add', address, 'dev', 'lo');
    inNode('route', 'add', 'default', 'via', '172.30.1.1');
    inNode('route', 'add', 'default', 'via', 'fd30::1');
    for (const addresses of Object.values(PODS)) {
      addresses.forEach((address, i) => inWorld('route', 'add', address, 'via', NODE[i]!));
    }
  }
}
