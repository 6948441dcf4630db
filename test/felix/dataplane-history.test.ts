/** The end depends on the last inputs alone: not on what came before, on restarts between, nor on what failed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { createDataplane } from '../../felix/index.ts';
import { formatRoute, SCOPE } from '../../felix/routes/kernel-route.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, learned, pool } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

const mode = fc.constantFrom('Always', 'CrossSubnet', 'Never');
const pools = fc.oneof(
  mode.map((ipip) => [pool('192.168.0.0/16', { ipip })]),
  mode.map((vxlan) => [pool('192.168.0.0/16', { vxlan })]),
);
const states = fc.record({
  pools,
  localBlocks: fc.subarray(['192.168.1.0/26', '192.168.1.64/26', 'fd10::40/122'].map((text) => parsePrefix(text))),
  learned: fc.subarray([
    learned('192.168.2.0/26', '172.30.1.12'),
    learned('192.168.3.0/26', '172.30.2.11', '172.30.2.12'),
    learned('192.168.4.0/26', '172.30.2.12'),
  ]),
});

async function newHost(): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  const ifindex = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
  await kernel.addAddress({ ifindex, address: parseInterfaceAddress('172.30.1.11/24'), scope: SCOPE.universe });
  const connected = { table: 254, protocol: 2, type: 'unicast', scope: SCOPE.link, metric: 0 } as const;
  kernel.givenRoute({ ...connected, prefix: parsePrefix('172.30.1.0/24'), hops: [{ ifindex, onlink: false }] });
  const gateway = { ifindex, onlink: false, gateway: parseIpAddress('172.30.1.1') };
  const dhcp = { ...connected, protocol: 16, scope: SCOPE.universe };
  kernel.givenRoute({ ...dhcp, prefix: parsePrefix('0.0.0.0/0'), hops: [gateway] });
  return kernel;
}

/** One process's life over some inputs; long enough for every retry. */
async function live(kernel: FakeKernel, history: readonly DataplaneInputs[]): Promise<void> {
  const clock = new FakeClock();
  const dataplane = createDataplane(settings, { kernel, clock, random: () => 0, log: silentLogger });
  await dataplane.start();
  for (const wanted of history) {
    dataplane.update(wanted);
    await clock.advance(5);
  }
  await clock.advance(40_000);
  await dataplane.close();
}

/** Routes and tunnels by name: a link that was made again has another index. tunl0 without a use may be there or not. */
async function show(kernel: FakeKernel): Promise<readonly string[]> {
  const links = await kernel.listLinks();
  const addresses = await kernel.listAddresses();
  const named = (text: string): string =>
    text.replace(/dev (\d+)/g, (_, index) => `dev ${links.find((link) => link.index === Number(index))?.name ?? '?'}`);
  const tunnels = links
    .filter(({ kind }) => kind !== undefined)
    .map((link) => ({ ...link, inUse: addresses.some(({ ifindex }) => ifindex === link.index) }))
    .filter(({ inUse }) => inUse)
    .map(({ name, mtu, up }) => `${name} ${mtu} ${up}`);
  const vxlan = links.find(({ name }) => name === 'vxlan.calico');
  const neighbours = vxlan === undefined ? [] : await kernel.listNeighbours(vxlan.index);
  const routes = [...(await kernel.listRoutes())].map((route) => named(formatRoute(route)));
  return [...routes, ...tunnels, ...neighbours.map(({ kind, mac }) => `${kind} ${mac}`)].sort();
}

test('whatever came before, and wherever the process was started again, the end is that of the last inputs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(states, { maxLength: 3 }), states, fc.boolean(), async (before, last, isRestarted) => {
      const history = before.map((state) => inputs(state));
      const kernel = await newHost();
      if (isRestarted) for (const state of history) await live(kernel, [state]);
      await live(kernel, isRestarted ? [inputs(last)] : [...history, inputs(last)]);
      const fresh = await newHost();
      await live(fresh, [inputs(last)]);
      expect(await show(kernel)).toEqual(await show(fresh));
    }),
    { numRuns: 50 },
  );
});

const refusable = fc.constantFrom('createLink', 'setLink', 'addAddress', 'replaceNeighbour', 'listRoutes', 'listLinks');
const refusals = fc.record({
  failing: fc.array(fc.tuple(refusable, fc.integer({ min: 1, max: 3 })), { maxLength: 4 }),
  routesRefused: fc.nat(3),
});

test('whichever calls the kernel refuses for a while, the end is the same', async () => {
  await fc.assert(
    fc.asyncProperty(states, states, refusals, async (before, last, { failing, routesRefused }) => {
      const kernel = await newHost();
      await live(kernel, [inputs(before)]);
      const clock = new FakeClock();
      const dataplane = createDataplane(settings, { kernel, clock, random: () => 0, log: silentLogger });
      await dataplane.start();
      for (const [operation, times] of failing) kernel.failNext(operation, { code: 'ENOBUFS', times });
      if (routesRefused > 0)
        kernel.failNext('writeRoutes', { matching: '192.168', code: 'EINVAL', times: routesRefused });
      dataplane.update(inputs(last));
      await clock.advance(80_000);
      expect(dataplane.routes().filter(({ state }) => state !== 'programmed')).toEqual([]);
      await dataplane.close();
      const fresh = await newHost();
      await live(fresh, [inputs(last)]);
      expect(await show(kernel)).toEqual(await show(fresh));
    }),
    { numRuns: 50 },
  );
});
