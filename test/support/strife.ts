/** Somebody else works on the same kernel: whatever is there at the start, whatever is done between any two of our calls. */
import fc from 'fast-check';
import type { Kernel, KernelEvent, KernelLink } from '../../felix/kernel.ts';
import { KernelError } from '../../felix/kernel.ts';
import { SCOPE } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../src/model/ip.ts';
import { kernelRoute, newHost } from './dataplane-rig.ts';
import type { FakeKernel } from './fake-kernel.ts';

const VETH = { kind: 'veth', mtu: 1450, up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee' } as const;
export const PODS = ['cali1', 'cali2'];
export const SYSCTLS = ['net/ipv4/ip_forward', 'net/ipv4/conf/cali1/proxy_arp', 'net/ipv4/conf/cali2/forwarding'];

export async function hostWithPods(): Promise<FakeKernel> {
  const kernel = await newHost();
  for (const name of PODS) kernel.givenLink({ name, ...VETH });
  return kernel;
}

/** Something that somebody does. */
export interface Deed {
  readonly name: string;
  readonly run: (kernel: FakeKernel) => unknown;
}

const linkNamed = async (kernel: FakeKernel, name: string): Promise<KernelLink | undefined> =>
  (await kernel.listLinks()).find((link) => link.name === name);

const onLink = (name: string, run: (kernel: FakeKernel, link: KernelLink) => Promise<void>) => ({
  run: async (kernel: FakeKernel) => {
    const link = await linkNamed(kernel, name);
    if (link !== undefined) await run(kernel, link);
  },
});

const hop = (ifindex: number, gateway?: string) => ({
  hops: [{ ifindex, onlink: gateway !== undefined, ...(gateway && { gateway: parseIpAddress(gateway) }) }],
});

const PREFIXES = ['192.168.2.0/26', '192.168.3.0/26', '192.168.1.0/26', '192.168.1.5/32', '192.168.9.0/26'];

const routeDeeds: readonly Deed[] = PREFIXES.flatMap((prefix): readonly Deed[] => [
  {
    name: `${prefix} deleted`,
    run: async (kernel) => {
      const route = [...(await kernel.listRoutes())].find((one) => formatPrefix(one.prefix) === prefix);
      if (route !== undefined) kernel.loseRoute(route, 812);
    },
  },
  {
    name: `${prefix} by bird`,
    run: (k) => k.givenRoute(kernelRoute(prefix, { protocol: 12, ...hop(2, '172.30.1.9') })),
  },
  { name: `${prefix} as ours`, run: (k) => k.givenRoute(kernelRoute(prefix, hop(2, '172.30.1.9'))) },
  { name: `${prefix} as our blackhole`, run: (k) => k.givenRoute(kernelRoute(prefix, { type: 'blackhole' })) },
]);

const tunnelDeeds: readonly Deed[] = ['vxlan.calico', 'tunl0'].flatMap((name): readonly Deed[] => [
  { name: `${name} deleted`, run: (kernel) => kernel.deleteLink(name) },
  { name: `${name} renamed`, run: (kernel) => kernel.renameLink(name, `was-${name}`.slice(0, 15)) },
  { name: `${name} down`, ...onLink(name, (kernel, { index }) => kernel.setLink(index, { up: false })) },
  { name: `${name} up`, ...onLink(name, (kernel, { index }) => kernel.setLink(index, { up: true })) },
  { name: `${name} mtu`, ...onLink(name, (kernel, { index }) => kernel.setLink(index, { mtu: 1300 })) },
  {
    name: `${name} bare`,
    ...onLink(name, async (kernel, { index }) => {
      for (const one of await kernel.listAddresses()) if (one.ifindex === index) await kernel.removeAddress(one);
    }),
  },
  {
    name: `${name} with another address`,
    ...onLink(name, (kernel, { index: ifindex }) =>
      kernel.addAddress({ ifindex, address: parseInterfaceAddress('192.168.99.9/32'), scope: SCOPE.universe }),
    ),
  },
]);

const neighbourDeeds: readonly Deed[] = [
  {
    name: 'neighbours flushed',
    ...onLink('vxlan.calico', async (kernel, { index }) => {
      for (const one of await kernel.listNeighbours(index)) await kernel.removeNeighbour(one);
    }),
  },
  {
    name: 'neighbours falsified',
    ...onLink('vxlan.calico', async (kernel, { index }) => {
      for (const one of await kernel.listNeighbours(index)) {
        if (one.kind === 'fdb') await kernel.replaceNeighbour({ ...one, remote: parseIpAddress('172.30.9.9') });
        else await kernel.replaceNeighbour({ ...one, mac: '66:66:66:66:66:66' });
      }
    }),
  },
];

const otherDeeds: readonly Deed[] = [
  ...SYSCTLS.map((path): Deed => ({
    name: `${path} off`,
    run: (k) => k.writeSysctl(path, '0').catch(() => undefined),
  })),
  {
    name: 'a pod made anew',
    run: async (kernel) => {
      await kernel.deleteLink('cali1');
      kernel.givenLink({ name: 'cali1', ...VETH });
    },
  },
  {
    name: 'a pod down and up',
    ...onLink('cali1', async (kernel, { index }) => {
      await kernel.setLink(index, { up: false });
      await kernel.setLink(index, { up: true });
    }),
  },
  {
    name: 'the parent down and up, and its own routes set again',
    run: async (kernel) => {
      const others = [...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 2 || protocol === 16);
      await kernel.setLink(2, { up: false });
      await kernel.setLink(2, { up: true });
      for (const route of others) kernel.givenRoute(route);
    },
  },
  {
    name: 'the parent’s address taken and given back',
    run: async (kernel) => {
      const own = (await kernel.listAddresses()).filter(({ ifindex }) => ifindex === 2);
      for (const address of own) await kernel.removeAddress(address);
      for (const address of own) await kernel.addAddress(address);
    },
  },
  { name: 'somebody’s route', run: (k) => k.givenRoute(kernelRoute('203.0.113.0/24', { protocol: 4, ...hop(2) })) },
];

export const DEEDS: readonly Deed[] = [...routeDeeds, ...tunnelDeeds, ...neighbourDeeds, ...otherDeeds];

export const deeds = fc.constantFrom(...DEEDS);

/** Tunnels that somebody, or an earlier version of us, has made: with anything wrong that can be. */
const startDeeds: readonly Deed[] = [
  ...[4096, 99].flatMap((vni) =>
    [4789, 8472].map((port): Deed => ({
      name: `vxlan.calico with VNI ${vni} and port ${port}`,
      run: (kernel) => {
        const vxlan = { vni, port, learning: false, parentIndex: 2, local: parseIpAddress('172.30.1.11') };
        const link = { kind: 'vxlan', mtu: 1400, up: true, running: true, mac: '66:00:00:00:00:01', vxlan } as const;
        kernel.givenLink({ name: 'vxlan.calico', ...link });
      },
    })),
  ),
  {
    name: 'a dummy called vxlan.calico',
    run: (kernel) => void kernel.givenLink({ ...VETH, name: 'vxlan.calico', kind: 'dummy' }),
  },
  {
    name: 'tunl0',
    run: (kernel) =>
      void kernel.givenLink({ name: 'tunl0', kind: 'ipip', mtu: 1480, up: false, running: false, mac: '' }),
  },
];

/** What may be in the kernel when we come: any state that a tunnel and some deeds lead to. */
export const startStates = fc
  .tuple(fc.option(fc.constantFrom(...startDeeds)), fc.array(deeds, { maxLength: 8 }))
  .map(([tunnel, more]) => (tunnel === null ? more : [tunnel, ...more]));

export interface Plot {
  /** Before which of our calls each is done. */
  readonly acts: readonly { readonly before: number; readonly deed: Deed; readonly isUnheard: boolean }[];
  /** Events reach us only when we call again or wait, as from the real kernel. */
  readonly isDelayed: boolean;
  /** Our own route writes are told, or left out by a filter. */
  readonly isEchoHeard: boolean;
  /** Calls of ours that the kernel refuses. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly operation: (typeof REFUSABLE)[number];
  readonly code: string;
  readonly times: number;
}

const REFUSABLE = [
  ...(['listRoutes', 'listLinks', 'listAddresses', 'listNeighbours', 'writeRoutes', 'createLink', 'setLink'] as const),
  ...(['deleteLink', 'addAddress', 'removeAddress', 'replaceNeighbour', 'removeNeighbour'] as const),
  ...(['readSysctl', 'writeSysctl', 'readSysctls', 'writeSysctls', 'flushConntrack', 'processOfPort'] as const),
] as const;

const failures: fc.Arbitrary<readonly Failure[]> = fc.array(
  fc.record({
    operation: fc.constantFrom(...REFUSABLE),
    code: fc.constantFrom('ENOBUFS', 'EINVAL', 'EBUSY', 'EIO'),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 5 },
);

export const QUIET: Plot = { acts: [], isDelayed: false, isEchoHeard: true, failures: [] };

/** `isUnheard`: its events are lost; of some of them we are told that events were lost. */
export const plots: fc.Arbitrary<Plot> = fc.record({
  acts: fc.array(fc.record({ before: fc.nat(120), deed: deeds, isUnheard: fc.boolean() }), { maxLength: 12 }),
  isDelayed: fc.boolean(),
  isEchoHeard: fc.boolean(),
  failures,
});

/** The kernel as our dataplane has it, while somebody else acts his plot on it. */
export class StrifeKernel {
  readonly #kernel: FakeKernel;
  readonly #isDelayed: boolean;
  readonly #isEchoHeard: boolean;
  readonly #failing: Failure[] = [];
  #acts: Plot['acts'];
  #calls = 0;
  #isUnheard = false;
  #late: (() => void)[] = [];
  readonly port: Kernel;

  constructor(kernel: FakeKernel, { acts, isDelayed, isEchoHeard }: Plot) {
    this.#kernel = kernel;
    this.#acts = acts;
    this.#isDelayed = isDelayed;
    this.#isEchoHeard = isEchoHeard;
    this.port = new Proxy<Kernel>(kernel, { get: (_, name) => this.#methodNamed(name as keyof Kernel) });
  }

  refuse(failures: readonly Failure[]): void {
    for (const failure of failures) {
      // The kernel judges each route by itself.
      if (failure.operation === 'writeRoutes') this.#kernel.failNext('writeRoutes', failure);
      else this.#failing.push(...Array<Failure>(failure.times).fill(failure));
    }
  }

  /** All that has not been done yet. */
  async finish(): Promise<void> {
    this.#calls = Infinity;
    await this.#act();
  }

  #methodNamed(name: keyof Kernel): unknown {
    if (name === 'watch') {
      return (listener: (event: KernelEvent) => void, signal: AbortSignal) =>
        this.#kernel.watch((event) => this.#tell(event, listener), signal);
    }
    if (name === 'close') return () => this.#kernel.close();
    const method = this.#kernel[name].bind(this.#kernel) as (...values: readonly unknown[]) => Promise<unknown>;
    return async (...values: readonly unknown[]) => {
      this.#calls++;
      await this.#act();
      const refused = this.#failing.findIndex(({ operation }) => operation === name);
      if (refused >= 0) throw new KernelError(`${name}: refused`, this.#failing.splice(refused, 1)[0]!.code);
      this.#isUnheard = name === 'writeRoutes' && !this.#isEchoHeard;
      return method(...values).finally(() => (this.#isUnheard = false));
    };
  }

  #tell(event: KernelEvent, listener: (event: KernelEvent) => void): void {
    if (this.#isUnheard) return;
    if (!this.#isDelayed) {
      listener(event);
      return;
    }
    this.#late.push(() => listener(event));
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    for (const tell of this.#late.splice(0)) tell();
  }

  async #act(): Promise<void> {
    const due = this.#acts.filter(({ before }) => before <= this.#calls);
    this.#acts = this.#acts.filter(({ before }) => before > this.#calls);
    for (const { deed, isUnheard, before } of due) {
      this.#isUnheard = isUnheard;
      await deed.run(this.#kernel);
      this.#isUnheard = false;
      if (isUnheard && before % 2 === 0) this.#kernel.emit({ kind: 'overrun' });
    }
  }
}
