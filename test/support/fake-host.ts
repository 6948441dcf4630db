import type { Endpoint, Holder, PodPorts } from '../../src/cni/ports.ts';
import { Turns } from '../../src/cni/turns.ts';
import { InvalidValueError } from '../../src/model/invalid.ts';
import { parseIpAddress } from '../../src/model/ip.ts';

/** A step that fails: before it did anything, or after it did all. */
export type Failures = { readonly [K in keyof PodPorts]?: 'before' | 'after' };

export interface HostState {
  readonly links: readonly string[];
  readonly handles: readonly string[];
  readonly endpoints: readonly string[];
}

/** The agent was killed: none of its steps does anything any more. */
class Death extends Error {}

/** A host, its IPAM and its datastore in memory; agents on it come and go, fail and die. */
export class FakeHost {
  readonly #namespaces: ReadonlySet<string>;
  readonly #links = new Map<string, string>();
  readonly #handles = new Map<string, Holder>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #pauses = new Map<string, Promise<void>>();
  #turns = new Turns();
  readonly calls: string[] = [];

  constructor(namespaces: readonly string[]) {
    this.#namespaces = new Set(namespaces);
  }

  state(): HostState {
    return {
      links: [...this.#links].map(([name, netns]) => `${name} in ${netns}`),
      handles: [...this.#handles.keys()].sort(),
      endpoints: [...this.#endpoints.values()].map(({ pod, containerId }) => `${pod} is ${containerId}`),
    };
  }

  /** The ports of an agent whose steps in `failures` throw. */
  ports(failures: Failures = {}): PodPorts {
    return this.#agent(failures, Number.POSITIVE_INFINITY);
  }

  /** The ports of an agent that is killed once it has done so many steps. */
  dyingAfter(steps: number, failures: Failures = {}): PodPorts {
    return this.#agent(failures, steps);
  }

  /** A new process: what waited in the old one is forgotten. */
  reborn(): void {
    this.#turns = new Turns();
  }

  /** Holds every call of `step` until the function that is returned is called. */
  pauseBefore(step: keyof PodPorts): () => void {
    let resume = (): void => undefined;
    this.#pauses.set(step, new Promise<void>((resolve) => (resume = resolve)));
    return () => {
      this.#pauses.delete(step);
      resume();
    };
  }

  #agent(failures: Failures, lifetime: number): PodPorts {
    let left = lifetime;
    const step =
      <A extends readonly unknown[], R>(name: keyof PodPorts, work: (...args: A) => R) =>
      async (...args: A): Promise<R> => {
        if (left-- <= 0) throw new Death('killed');
        this.calls.push(name);
        await this.#pauses.get(name);
        if (failures[name] === 'before') throw new Error(`${name} failed`);
        const result = work(...args);
        if (failures[name] === 'after') throw new Error(`${name} failed`);
        return result;
      };
    return {
      node: 'node-a1',
      now: () => 1000,
      inTurn: (name, work) => this.#turns.inTurn(name, work),
      requireNamespace: step('requireNamespace', (path: string) => {
        if (!this.#namespaces.has(path)) throw new InvalidValueError('netns', path, 'is not there');
      }),
      held: step('held', (handle: string) => this.#handles.get(handle)),
      assign: step('assign', (handle: string, { pod, namespace }: Readonly<Record<string, string>>) => {
        this.#handles.set(handle, { pod: pod!, namespace: namespace! });
        return { addresses: [parseIpAddress('192.168.0.1')], blockClaimedAt: 900 };
      }),
      release: step('release', (handle: string) => void this.#handles.delete(handle)),
      addInterface: step('addInterface', ({ hostInterface, netns }: { hostInterface: string; netns: string }) => {
        this.#links.set(hostInterface, netns);
        return { mac: '0a:00:00:00:00:01' };
      }),
      removeInterface: step('removeInterface', (name: string) => void this.#links.delete(name)),
      // Named by pod, not by container, as WorkloadEndpoints are.
      putEndpoint: step('putEndpoint', (endpoint: Endpoint) => void this.#endpoints.set(podName(endpoint), endpoint)),
      endpointsOf: step('endpointsOf', ({ pod, namespace }: Holder) =>
        [...this.#endpoints.values()].filter((one) => one.pod === pod && one.namespace === namespace),
      ),
      endpoints: step('endpoints', () => [...this.#endpoints.values()]),
      removeEndpoint: step('removeEndpoint', (endpoint: Endpoint) => {
        const name = podName(endpoint);
        if (this.#endpoints.get(name)?.containerId === endpoint.containerId) this.#endpoints.delete(name);
      }),
      routed: step('routed', () => undefined),
    };
  }
}

const podName = ({ namespace, pod }: Holder): string => `${namespace}/${pod}`;
