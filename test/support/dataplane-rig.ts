/** A dataplane over the kernel in memory, on node-a1's host, and a clock that the test turns. */
import type { Dataplane, DataplaneSettings } from '../../felix/index.ts';
import { createDataplane } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { MAIN_TABLE, SCOPE } from '../../felix/routes/kernel-route.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { inputs, learned } from './dataplane-inputs.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeKernel } from './fake-kernel.ts';

export const settings: DataplaneSettings = {
  ...{ resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 },
};

export const near = learned('192.168.2.0/26', '172.30.1.12');
export const far = learned('192.168.3.0/26', '172.30.2.11');
export const block = parsePrefix('192.168.1.0/26');
/** One block of our own, one route within our subnet and one beyond it. */
export const full = inputs({ localBlocks: [block], learned: [near, far] });

export const kernelRoute = (prefix: string, some: Partial<KernelRoute> = {}): KernelRoute => ({
  ...{
    prefix: parsePrefix(prefix),
    table: MAIN_TABLE,
    protocol: 80,
    type: 'unicast',
    scope: SCOPE.universe,
    metric: 0,
  },
  ...{ hops: [], ...some },
});

/** node-a1's host with eth0 (index 2), its subnet and a default route, both set by somebody else. */
export async function newHost(): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  const eth0 = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
  await kernel.addAddress({ ifindex: eth0, address: parseInterfaceAddress('172.30.1.11/24'), scope: SCOPE.universe });
  const direct = { ifindex: eth0, onlink: false };
  kernel.givenRoute(kernelRoute('172.30.1.0/24', { protocol: 2, scope: SCOPE.link, hops: [direct] }));
  const gateway = parseIpAddress('172.30.1.1');
  kernel.givenRoute(kernelRoute('0.0.0.0/0', { protocol: 16, hops: [{ ...direct, gateway }] }));
  kernel.journal.length = 0;
  return kernel;
}

export interface Rig {
  readonly kernel: FakeKernel;
  readonly clock: FakeClock;
  readonly dataplane: Dataplane;
}

export interface RigOptions {
  readonly settings?: Partial<DataplaneSettings>;
  readonly log?: Logger;
}

export async function start(kernel: FakeKernel, options: RigOptions = {}): Promise<Rig> {
  const clock = new FakeClock();
  const ports = { kernel, clock, random: () => 0, log: options.log ?? silentLogger };
  const dataplane = createDataplane({ ...settings, ...options.settings }, ports);
  await dataplane.start();
  kernel.journal.length = 0;
  return { kernel, clock, dataplane };
}

export async function update({ clock, dataplane }: Rig, wanted: DataplaneInputs): Promise<void> {
  dataplane.update(wanted);
  const settled = dataplane.settled();
  await clock.advance(1);
  await settled;
}

export async function startWith(kernel: FakeKernel, wanted: DataplaneInputs, options: RigOptions = {}): Promise<Rig> {
  const rig = await start(kernel, options);
  await update(rig, wanted);
  // Echoes of links that were being made ask for one more look, which finds nothing to do.
  await rig.clock.advance(1000);
  return rig;
}
