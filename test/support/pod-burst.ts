/** Many pods at once on one node, as after a node's reboot: what the CNI plugin asks of a real agent. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodResult } from '../../src/api/contract.ts';
import { addPod, until, untilSettled } from './agent-lab.ts';
import type { AgentLab, LabNode } from './agent-lab.ts';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';

export interface BurstPod {
  readonly name: string;
  readonly address: string;
  /** From the request until the agent's answer, which means that the kernel has the pod's route. */
  readonly ms: number;
}

export interface Burst {
  readonly pods: readonly BurstPod[];
  /** From the first request to the last answer. */
  readonly allMs: number;
  /** Addresses from which a pod of the other node got no answer. */
  readonly unreachable: readonly string[];
}

/** A cluster of two agents with one pod on the second node, which looks for those that burst into the first. */
export class PodBursts {
  readonly #lab: AgentLab;
  readonly #prefix: string;
  readonly #names: readonly string[];
  #observer: TestNetns | undefined;

  /** `prefix` begins the names of the pods' namespaces. */
  constructor(lab: AgentLab, { prefix, pods }: { readonly prefix: string; readonly pods: number }) {
    this.#lab = lab;
    this.#prefix = prefix;
    this.#names = Array.from({ length: pods }, (_, i) => `${prefix}-${i}`);
  }

  /** The sandboxes' namespaces are there before the plugin is called, and are not its time. */
  async start(): Promise<void> {
    for (const node of this.#lab.nodes) node.start();
    await untilSettled(this.#lab);
    this.#observer = makeNetns(`${this.#prefix}-observer`);
    await addPod(this.#lab.nodes[1]!, this.#observer, `${this.#prefix}-observer`);
    this.#removeSpaces();
    this.#batch('add');
  }

  async run(): Promise<Burst> {
    const [node] = this.#lab.nodes as [LabNode];
    const began = performance.now();
    const pods = await Promise.all(this.#names.map((name) => addTimed(node, name)));
    const allMs = performance.now() - began;
    return { pods, allMs, unreachable: await this.#unreachable(pods) };
  }

  /** The first `count` of them one after the other, with `pauseMs` in between in which the node comes to rest. */
  async oneByOne(count: number, pauseMs: number): Promise<readonly BurstPod[]> {
    const [node] = this.#lab.nodes as [LabNode];
    const pods: BurstPod[] = [];
    for (const name of this.#names.slice(0, count)) {
      pods.push(await addTimed(node, name));
      await sleep(pauseMs);
    }
    return pods;
  }

  /** All pods leave, so that others may come. */
  async clear(): Promise<void> {
    const [node] = this.#lab.nodes as [LabNode];
    await Promise.all(this.#names.map((name) => node.client.delete(`/v1/pods/${name}`)));
  }

  async close(): Promise<void> {
    await this.#lab.remove();
    this.#removeSpaces();
    this.#observer?.remove();
  }

  async #unreachable(pods: readonly BurstPod[]): Promise<readonly string[]> {
    let missing = pods.map(({ address }) => address);
    const look = (): Promise<boolean> => {
      missing = this.#silent(missing);
      return Promise.resolve(missing.length === 0);
    };
    // The other node may have yet to hear of a block.
    await until(look, () => missing.join(' ')).catch(() => undefined);
    return missing;
  }

  /** All at once: each address gets one packet and two seconds. */
  #silent(addresses: readonly string[]): string[] {
    const script = 'for to; do (ping -n -c 1 -W 2 $to >/dev/null || echo $to) & done; wait';
    return this.#observer!.run('sh', '-c', script, 'sh', ...addresses)
      .split('\n')
      .filter((line) => line !== '');
  }

  #removeSpaces(): void {
    try {
      this.#batch('del');
    } catch {
      // Some or all were not there.
    }
  }

  #batch(verb: 'add' | 'del'): void {
    const input = this.#names.map((name) => `netns ${verb} ${name}\n`).join('');
    execFileSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'pipe'] });
  }
}

async function addTimed({ client }: LabNode, name: string): Promise<BurstPod> {
  const began = performance.now();
  const { addresses } = await client.post<PodResult>('/v1/pods', {
    ...{ containerId: name, netns: `/var/run/netns/${name}`, interfaceName: 'eth0' },
    ...{ podNamespace: 'default', podName: name },
  });
  return { name, address: addresses[0]!.split('/')[0]!, ms: performance.now() - began };
}

/** The value below which so many percent of the values are, or which is the first not below: the nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}
