/** From any state of the kernel, whichever calls fail, whatever others do between them: the end is what is wanted. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDataplane } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import type { KernelRoute } from '../../felix/routes/kernel-route.ts';
import { formatRoute } from '../../felix/routes/kernel-route.ts';
import { routeId } from '../../felix/routes/route-id.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { pool } from '../support/dataplane-inputs.ts';
import { full, settings } from '../support/dataplane-rig.ts';
import { FakeClock } from '../support/fake-clock.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import type { Deed } from '../support/strife.ts';
import { hostWithPods, plots, QUIET, startStates, StrifeKernel, SYSCTLS } from '../support/strife.ts';

const mode = fc.constantFrom('Always', 'CrossSubnet', 'Never');
const states: fc.Arbitrary<DataplaneInputs> = fc
  .oneof(
    mode.map((vxlan) => [pool('192.168.0.0/16', { vxlan })]),
    mode.map((ipip) => [pool('192.168.0.0/16', { ipip })]),
  )
  .map((pools) => ({
    ...{ ...full, pools },
    endpoints: [
      { name: 'd/one', interfaceName: 'cali1', addresses: [parseIpAddress('192.168.1.5')] },
      { name: 'd/two', interfaceName: 'cali2', addresses: [parseIpAddress('192.168.1.6')] },
    ],
  }));

/** All that is ours, by link name: a link that was made anew has another index. A tunnel without a use may be there or not. */
async function ours(kernel: FakeKernel): Promise<readonly string[]> {
  const links = await kernel.listLinks();
  const nameOf = (index: number): string => links.find((link) => link.index === index)?.name ?? '?';
  const named = (text: string): string => text.replace(/dev (\d+)/g, (_, index) => `dev ${nameOf(Number(index))}`);
  const routes = [...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80);
  const addresses = (await kernel.listAddresses()).filter(({ ifindex }) =>
    ['tunl0', 'vxlan.calico'].includes(nameOf(ifindex)),
  );
  const tunnels = links.filter(({ index }) => addresses.some(({ ifindex }) => ifindex === index));
  const vxlan = links.find(({ name }) => name === 'vxlan.calico');
  const neighbours = vxlan === undefined ? [] : await kernel.listNeighbours(vxlan.index);
  return [
    ...routes.map((route) => named(formatRoute(route))),
    ...addresses.map(({ ifindex, address }) => `${formatPrefix(address)} on ${nameOf(ifindex)}`),
    ...tunnels.map(({ name, kind, mtu, mac, up, vxlan }) => json({ name, kind, mtu, mac, up, ...vxlan })),
    ...neighbours.map((one) => json({ ...one, ifindex: nameOf(one.ifindex) })),
    ...(await Promise.all(SYSCTLS.map(async (path) => `${path}=${await kernel.readSysctl(path)}`))),
  ].sort();
}

/** In one order of fields, whoever made it. */
const json = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

const others = async (kernel: FakeKernel): Promise<readonly KernelRoute[]> =>
  [...(await kernel.listRoutes())].filter(({ protocol }) => protocol !== 80);

/** Until all is quiet: every retry, fight and resync has had its time. */
async function live(kernel: FakeKernel, wanted: DataplaneInputs, plot = QUIET) {
  const clock = new FakeClock();
  const strife = new StrifeKernel(kernel, plot);
  const dataplane = createDataplane(settings, {
    ...{ kernel: strife.port, clock, random: () => 0, log: silentLogger },
  });
  await dataplane.start();
  strife.refuse(plot.failures);
  dataplane.update(wanted);
  for (let i = 0; i < 20; i++) await clock.advance(50);
  await strife.finish();
  const foreign = await others(kernel);
  await clock.advance(200_000);
  kernel.journal.length = 0;
  const statuses = dataplane.routes();
  await clock.advance(200_000);
  const afterwards = [...kernel.journal];
  await dataplane.close();
  return { foreign, afterwards, statuses };
}

async function prepared(start: readonly Deed[]): Promise<FakeKernel> {
  const kernel = await hostWithPods();
  for (const { run } of start) await run(kernel);
  return kernel;
}

test('the end is what is wanted, all others have what they had, and nothing right is written again', async () => {
  await fc.assert(
    fc.asyncProperty(states, startStates, plots, async (wanted, start, plot) => {
      const kernel = await prepared(start);
      const { foreign, afterwards, statuses } = await live(kernel, wanted, plot);
      const fresh = await hostWithPods();
      await live(fresh, wanted);
      expect(await ours(kernel)).toEqual(await ours(fresh));
      expect(statuses.filter(({ state }) => state !== 'programmed')).toEqual([]);
      const taken = new Set([...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80).map(routeId));
      expect(await others(kernel)).toEqual(foreign.filter((route) => !taken.has(routeId(route))));
      expect(afterwards).toEqual([]);
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('while bird is not in sync nothing of ours is deleted, whatever is there and whoever else is at work', async () => {
  await fc.assert(
    fc.asyncProperty(states, startStates, plots, async (state, start, plot) => {
      const kernel = await prepared(start);
      const deleted: string[] = [];
      const push = kernel.journal.push.bind(kernel.journal);
      kernel.journal.push = (...lines) => {
        deleted.push(...lines.filter((line) => /^remove route|^delete link/.test(line)));
        return push(...lines);
      };
      const quiet = { ...plot, acts: plot.acts.filter(({ deed }) => !/deleted|anew/.test(deed.name)) };
      await live(kernel, { ...state, learnedComplete: false }, quiet);
      expect(deleted.filter((line) => !line.includes('192.0.2.1/32'))).toEqual([]);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('a removal that was refused, and may not be made any more, waits without passes that follow each other', async () => {
  const kernel = await hostWithPods();
  const clock = new FakeClock();
  const dataplane = createDataplane(settings, { kernel, clock, random: () => 0, log: silentLogger });
  await dataplane.start();
  dataplane.update(full);
  await clock.advance(1000);
  kernel.failNext('writeRoutes', { matching: 'remove', code: 'EBUSY' });
  dataplane.update({ ...full, learned: [] });
  await clock.advance(1);
  dataplane.update({ ...full, learned: [], learnedComplete: false });
  // The clock refuses to go on where timers follow each other without end.
  await clock.advance(1000);
  dataplane.update({ ...full, learned: [] });
  await clock.advance(1);
  expect(
    [...(await kernel.listRoutes())].filter(({ protocol, type }) => protocol === 80 && type === 'unicast'),
  ).toEqual([]);
});
