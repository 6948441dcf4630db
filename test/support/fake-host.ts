import type { WorkloadInterface, WorkloadSight } from '../../felix/index.ts';
import type { Attachment, Workload } from '../../src/cni/attachment.ts';
import { handleId, hostInterfaceName } from '../../src/cni/names.ts';
import type { Endpoint, HeldHandle, PodPorts } from '../../src/cni/ports.ts';
import { Turns } from '../../src/cni/turns.ts';
import { PoolsExhaustedError } from '../../src/ipam/index.ts';
import { InvalidValueError } from '../../src/model/invalid.ts';
import { addressAt, parsePrefix } from '../../src/model/ip.ts';
import type { IpAddress } from '../../src/model/ip.ts';

/** A step that fails: before it did anything, or after it did all. */
export type Failures = { readonly [K in keyof PodPorts]?: 'before' | 'after' };

export interface HostState {
  readonly links: readonly string[];
  readonly handles: readonly string[];
  readonly endpoints: readonly string[];
}

/** The agent was killed: none of its steps does anything any more. */
class Death extends Error {}

interface AgentLife {
  readonly failures: Failures;
  /** How many steps it has left. */
  left: number;
}

const NETWORKS = { 4: parsePrefix('192.168.0.0/26'), 6: parsePrefix('fd00::/122') } as const;

/** A host, its IPAM and its datastore in memory; agents on it come and go, fail and die. */
export class FakeHost {
  readonly #namespaces: ReadonlySet<string>;
  readonly #links = new Map<string, WorkloadInterface>();
  readonly #handles = new Map<string, HeldHandle>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #pauses = new Map<string, Promise<void>>();
  #turns = new Turns();
  readonly calls: string[] = [];
  /** What `look` tells in place of what it sees. */
  alter: (sight: WorkloadSight) => WorkloadSight = (sight) => sight;

  constructor(namespaces: readonly string[]) {
    this.#namespaces = new Set(namespaces);
  }

  state(): HostState {
    return {
      links: [...this.#links].map(([name, { netns }]) => `${name} in ${netns}`).sort(),
      handles: [...this.#handles.keys()].sort(),
      endpoints: [...this.#endpoints].map(([name, { containerId }]) => `${name} is ${containerId}`).sort(),
    };
  }

  /** Who has which address; no two may have the same. */
  addresses(): readonly IpAddress[] {
    return [...this.#handles.values()].flatMap(({ addresses }) => addresses);
  }

  /** A host interface that nobody knows anything of. */
  givenLink(hostInterface: string): void {
    const netns = '/var/run/netns/lost';
    this.#links.set(hostInterface, { hostInterface, netns, containerInterface: 'eth0', addresses: [], mtu: 0 });
  }

  givenEndpoint(endpoint: Endpoint): void {
    this.#endpoints.set(nameOf(endpoint.workload), endpoint);
  }

  forgetHandle(id: string): void {
    this.#handles.delete(id);
  }

  /** The ports of an agent whose steps in `failures` throw. */
  ports(failures: Failures = {}): PodPorts {
    return this.#agent({ failures, left: Number.POSITIVE_INFINITY });
  }

  /** The ports of an agent that is killed once it has done so many steps. */
  dyingAfter(steps: number, failures: Failures = {}): PodPorts {
    return this.#agent({ failures, left: steps });
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

  #agent(life: AgentLife): PodPorts {
    const step =
      <A extends readonly unknown[], R>(name: keyof PodPorts, work: (...args: A) => R) =>
      async (...args: A): Promise<R> => {
        if (life.left-- <= 0) throw new Death('killed');
        this.calls.push(name);
        await this.#pauses.get(name);
        if (life.failures[name] === 'before') throw new Error(`${name} failed`);
        const result = work(...args);
        if (life.failures[name] === 'after') throw new Error(`${name} failed`);
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
      heldHere: step('heldHere', () => [...this.#handles.values()]),
      assign: step('assign', (attachment: Attachment) => {
        const addresses = this.#assign(attachment);
        return { addresses, blockClaimedAt: 900 };
      }),
      release: step('release', (handle: string) => void this.#handles.delete(handle)),
      addInterface: step('addInterface', (workload: WorkloadInterface) => {
        this.#links.set(workload.hostInterface, workload);
        return { mac: '0a:00:00:00:00:01', mtu: workload.mtu || 1440 };
      }),
      removeInterface: step('removeInterface', (name: string) => void this.#links.delete(name)),
      look: step('look', ({ hostInterface }: { readonly hostInterface: string }) =>
        this.alter(sightOf(this.#links.get(hostInterface))),
      ),
      veths: step('veths', () => [...this.#links.keys()]),
      // Named by pod, not by container, as WorkloadEndpoints are.
      putEndpoint: step('putEndpoint', (endpoint: Endpoint) => this.givenEndpoint(endpoint)),
      endpointsOf: step('endpointsOf', (workload: Workload) =>
        [...this.#endpoints.values()].filter((one) => nameOf(one.workload) === nameOf(workload)),
      ),
      endpoints: step('endpoints', () => [...this.#endpoints.values()]),
      removeEndpoint: step('removeEndpoint', ({ workload, containerId }: Endpoint) => {
        const name = nameOf(workload);
        if (this.#endpoints.get(name)?.containerId === containerId) this.#endpoints.delete(name);
      }),
    };
  }

  /** What a handle has already it keeps; a family of which nothing is left fails after the other one was assigned. */
  #assign(attachment: Attachment): readonly IpAddress[] {
    const { workload, wish } = attachment;
    const id = handleId(attachment);
    const before = this.#handles.get(id)?.addresses ?? [];
    const families = wish.kind === 'given' || wish.families === 'available' ? ([4] as const) : wish.families;
    const pod = workload.orchestrator === 'k8s' ? { pod: { namespace: workload.namespace, name: workload.pod } } : {};
    const addresses = [...before];
    for (const family of families) {
      if (addresses.some((address) => address.family === family)) continue;
      const address =
        wish.kind === 'assigned' && wish.pools[family]?.pools.includes('full') ? undefined : this.#free(family);
      if (address === undefined) throw new PoolsExhaustedError(`no free IPv${family} address`);
      addresses.push(address);
      this.#handles.set(id, { handleId: id, addresses: [...addresses], ...pod });
    }
    return addresses;
  }

  #free(family: 4 | 6): IpAddress {
    const taken = new Set(this.addresses().map(({ words }) => words.join()));
    for (let offset = 1; ; offset++) {
      const address = addressAt(NETWORKS[family], offset);
      if (!taken.has(address.words.join())) return address;
    }
  }
}

const nameOf = (workload: Workload): string =>
  workload.orchestrator === 'k8s' ? `${workload.namespace}/${workload.pod}` : workload.containerId;

/** As the kernel would have it where nobody altered anything. */
function sightOf(link: WorkloadInterface | undefined): WorkloadSight {
  if (link === undefined) return { reached: [] };
  const { addresses, mtu } = link;
  const gateway = { 4: '169.254.1.1/32', 6: 'fe80::ecee:eeff:feee:eeee/128' };
  return {
    host: { mac: 'ee:ee:ee:ee:ee:ee', up: true, isPaired: true, hasProxyArp: true, hasLinkLocal: true },
    pod: {
      ...{ mac: '0a:00:00:00:00:01', mtu: mtu || 1440, up: true },
      addresses: addresses.map((address) => ({ address, length: address.family === 4 ? 32 : 128 })),
      routes: addresses.flatMap(({ family }) => [
        ...(family === 4 ? [{ prefix: parsePrefix(gateway[4]) }] : []),
        { prefix: parsePrefix(family === 4 ? '0.0.0.0/0' : '::/0'), gateway: parsePrefix(gateway[family]).address },
      ]),
    },
    reached: addresses,
  };
}

/** A pod's attachment to `k8s-pod-network`, its namespace `/var/run/netns/CONTAINER`. */
export const podAttachment = (
  {
    containerId,
    pod,
    namespace = 'default',
  }: { readonly containerId: string; readonly pod: string; readonly namespace?: string },
  other: Partial<Attachment> = {},
): Attachment => ({
  ...{ network: 'k8s-pod-network', containerId, interfaceName: 'eth0', netns: `/var/run/netns/${containerId}` },
  ...{ mtu: 0, allowIpForwarding: false },
  workload: { orchestrator: 'k8s', namespace, pod },
  wish: { kind: 'assigned', families: [4], pools: {} },
  ...other,
});

export const hostInterfaceOf = ({ workload }: Attachment): string => hostInterfaceName(workload);
