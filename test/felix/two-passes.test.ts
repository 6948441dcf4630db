/** Whatever the kernel has, and whichever one call it refuses: after two passes it is as it should be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDataplane } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { formatRoute, MAIN_TABLE, SCOPE } from '../../felix/routes/kernel-route.ts';
import type { KernelRoute, RouteType } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, learned, pool } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { KERNEL_CALLS } from '../support/kernel-calls.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
/** A pass is over long before that, and a refused change waits 250 ms. */
const STEP_MS = 50;
const LIMIT_MS = 5000;

const PREFIXES = [
  '192.168.1.0/26',
  '192.168.2.0/26',
  '192.168.3.0/26',
  '192.168.9.0/26',
  '10.9.0.0/24',
  'fd10::40/122',
];

interface GivenRoute {
  readonly cidr: string;
  readonly protocol: number;
  readonly type: RouteType;
  readonly metric: number;
  readonly gateway: string;
  readonly over: 'eth0' | 'tunl0' | 'vxlan.calico';
}

const givenRoutes: fc.Arbitrary<readonly GivenRoute[]> = fc.array(
  fc.record({
    cidr: fc.constantFrom(...PREFIXES),
    protocol: fc.constantFrom(80, 80, 80, 12, 4),
    type: fc.constantFrom<RouteType>('unicast', 'blackhole', 'unreachable'),
    metric: fc.constantFrom(0, 0, 32),
    gateway: fc.constantFrom('172.30.1.12', '172.30.1.13', '172.30.2.11'),
    over: fc.constantFrom<GivenRoute['over']>('eth0', 'tunl0', 'vxlan.calico'),
  }),
  { maxLength: 8 },
);

interface GivenTunnel {
  readonly kind: 'ipip' | 'vxlan';
  readonly mtu: number;
  readonly up: boolean;
  readonly vni: number;
  readonly addresses: readonly string[];
}

const givenTunnels: fc.Arbitrary<readonly GivenTunnel[]> = fc.uniqueArray(
  fc.record({
    kind: fc.constantFrom<GivenTunnel['kind']>('ipip', 'vxlan'),
    mtu: fc.constantFrom(1480, 1450, 1300),
    up: fc.boolean(),
    vni: fc.constantFrom(4096, 7),
    addresses: fc.subarray(['192.168.1.1/32', '192.168.1.2/32', '192.168.77.1/32']),
  }),
  { selector: ({ kind }) => kind, maxLength: 2 },
);

const givenState = fc.record({ tunnels: givenTunnels, routes: givenRoutes });

const mode = fc.constantFrom('Always', 'CrossSubnet', 'Never');
const wishes: fc.Arbitrary<DataplaneInputs> = fc
  .record({
    pools: fc.oneof(
      mode.map((ipip) => [pool('192.168.0.0/16', { ipip })]),
      mode.map((vxlan) => [pool('192.168.0.0/16', { vxlan })]),
    ),
    localBlocks: fc.subarray(['192.168.1.0/26', 'fd10::40/122'].map((text) => parsePrefix(text))),
    learned: fc.subarray([
      learned('192.168.2.0/26', '172.30.1.12'),
      learned('192.168.3.0/26', '172.30.2.11', '172.30.2.12'),
    ]),
  })
  .map((state) => inputs(state));

const refusal = fc.record({ operation: fc.constantFrom(...KERNEL_CALLS), code: fc.constantFrom('ENOBUFS', 'EIO') });

async function hostWith(tunnels: readonly GivenTunnel[], routes: readonly GivenRoute[]): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  const eth0 = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
  await kernel.addAddress({ ifindex: eth0, address: parseInterfaceAddress('172.30.1.11/24'), scope: SCOPE.universe });
  const connected = { table: MAIN_TABLE, protocol: 2, type: 'unicast', scope: SCOPE.link, metric: 0 } as const;
  kernel.givenRoute({ ...connected, prefix: parsePrefix('172.30.1.0/24'), hops: [{ ifindex: eth0, onlink: false }] });
  const gateway = { ifindex: eth0, onlink: false, gateway: parseIpAddress('172.30.1.1') };
  const dhcp = { ...connected, protocol: 16, scope: SCOPE.universe };
  kernel.givenRoute({ ...dhcp, prefix: parsePrefix('0.0.0.0/0'), hops: [gateway] });
  const indexes = new Map([['eth0', eth0]]);
  for (const tunnel of tunnels) indexes.set(...(await giveTunnel(kernel, tunnel, eth0)));
  for (const route of routes) {
    const ifindex = indexes.get(route.over);
    if (ifindex !== undefined) kernel.givenRoute(kernelRoute(route, ifindex));
  }
  return kernel;
}

async function giveTunnel(kernel: FakeKernel, tunnel: GivenTunnel, eth0: number): Promise<[string, number]> {
  const name = tunnel.kind === 'ipip' ? 'tunl0' : 'vxlan.calico';
  const vxlan = { vni: tunnel.vni, port: 4789, learning: false, parentIndex: eth0 };
  const { kind, mtu } = tunnel;
  await kernel.createLink(kind === 'ipip' ? { kind, name, mtu } : { kind, name, mtu, vxlan });
  const { index } = (await kernel.listLinks()).find((link) => link.name === name)!;
  await kernel.setLink(index, { up: tunnel.up });
  for (const text of tunnel.addresses) {
    await kernel.addAddress({ ifindex: index, address: parseInterfaceAddress(text), scope: SCOPE.universe });
  }
  return [name, index];
}

function kernelRoute({ cidr, protocol, type, metric, gateway }: GivenRoute, ifindex: number): KernelRoute {
  const prefix = parsePrefix(cidr);
  const via = prefix.address.family === 4 && { gateway: parseIpAddress(gateway) };
  const hops = type === 'unicast' ? [{ ...via, ifindex, onlink: true }] : [];
  return { prefix, table: MAIN_TABLE, protocol, type, scope: SCOPE.universe, metric, hops };
}

/** What is ours, by name. A tunnel that nobody wants stays ten seconds longer, so it is not in question here. */
async function ours(kernel: FakeKernel, wanted: readonly string[]): Promise<readonly string[]> {
  const links = (await kernel.listLinks()).filter(({ name }) => wanted.includes(name));
  const nameOf = (index: string): string => links.find((link) => link.index === Number(index))?.name ?? 'eth0';
  const named = (text: string): string => text.replace(/dev (\d+)/g, (_, index: string) => `dev ${nameOf(index)}`);
  const routes = [...(await kernel.listRoutes())]
    .filter(({ protocol }) => protocol === 80)
    .map(formatRoute)
    .map(named);
  const words: string[] = [];
  for (const { index, name, mtu, up, vxlan } of links) {
    const addresses = (await kernel.listAddresses())
      .filter(({ ifindex }) => ifindex === index)
      .map(({ address }) => formatPrefix(address))
      .sort();
    const entries = (await kernel.listNeighbours(index)).map((one) => JSON.stringify(one)).sort();
    words.push(JSON.stringify({ name, mtu, up, vni: vxlan?.vni, addresses, entries }));
  }
  return [...routes, ...words].map((text) => text.replace(/\\"ifindex\\":\d+,/g, '')).sort();
}

/** Drives the dataplane until so many passes have changed something or failed, or nothing more comes. */
class Passes {
  readonly kernel: FakeKernel;
  readonly #clock = new FakeClock();
  readonly #dataplane;
  #told = 0;

  constructor(kernel: FakeKernel) {
    this.kernel = kernel;
    this.#dataplane = createDataplane(settings, {
      ...{ kernel, clock: this.#clock, random: () => 0, log: silentLogger },
    });
    this.#dataplane.onChange(() => this.#told++);
  }

  async start(wanted: DataplaneInputs): Promise<void> {
    await this.#dataplane.start();
    this.#dataplane.update(wanted);
  }

  async until(passes: number): Promise<void> {
    for (let ms = 0; ms < LIMIT_MS && this.#told < passes; ms += STEP_MS) await this.#clock.advance(STEP_MS);
  }

  close(): Promise<void> {
    return this.#dataplane.close();
  }
}

async function endOf(wanted: DataplaneInputs): Promise<FakeKernel> {
  const passes = new Passes(await hostWith([], []));
  await passes.start(wanted);
  await passes.until(2);
  await passes.close();
  return passes.kernel;
}

test('from any kernel state, and whichever call fails, two passes end at the desired state', async () => {
  await fc.assert(
    fc.asyncProperty(wishes, givenState, refusal, async (wanted, { tunnels, routes }, { operation, code }) => {
      const fresh = await endOf(wanted);
      const wantedLinks = (await fresh.listLinks()).map(({ name }) => name);
      const passes = new Passes(await hostWith(tunnels, routes));
      await passes.start(wanted);
      passes.kernel.failNext(operation, { code });
      await passes.until(2);
      await passes.close();
      passes.kernel.heal();

      expect(await ours(passes.kernel, wantedLinks)).toEqual(await ours(fresh, wantedLinks));
    }),
    { numRuns: 300 },
  );
});
