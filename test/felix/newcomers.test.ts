import { beforeEach, describe, expect, test } from 'vitest';
import { NodeDataplane } from '../../felix/dataplane.ts';
import type { LocalEndpoint } from '../../felix/index.ts';
import { SCOPE } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs } from '../support/dataplane-inputs.ts';
import { kernelRoute, settings } from '../support/dataplane-rig.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const netns = '/var/run/netns/pod1';
const otherNetns = '/var/run/netns/pod2';
const pod = {
  netns,
  containerInterface: 'eth0',
  hostInterface: 'cali1',
  addresses: [parseIpAddress('10.65.0.2')],
  mtu: 0,
};
const other = {
  ...{ ...pod, netns: otherNetns, hostInterface: 'cali2', addresses: [parseIpAddress('10.65.0.3')] },
};
const endpoint: LocalEndpoint = { name: 'default/web', interfaceName: 'cali1', addresses: pod.addresses };
const otherEndpoint: LocalEndpoint = { name: 'default/db', interfaceName: 'cali2', addresses: other.addresses };
const without = inputs();
const withPod = inputs({ endpoints: [endpoint] });

let kernel: FakeKernel;
let clock: FakeClock;
let dataplane: NodeDataplane;

/** `10.65.0.2/32` with the name of its link. */
async function routes(): Promise<readonly string[]> {
  const names = new Map((await kernel.listLinks()).map(({ index, name }) => [index, name]));
  return [...(await kernel.listRoutes())]
    .filter(({ protocol }) => protocol === 80)
    .map(({ prefix, hops }) => `${formatPrefix(prefix)} ${hops.map(({ ifindex }) => names.get(ifindex)).join()}`);
}

async function pass(wanted = without): Promise<void> {
  dataplane.update(wanted);
  await clock.advance(1000);
}

beforeEach(async () => {
  const spaces = new Map([netns, otherNetns].map((path) => [path, new FakeKernel()]));
  kernel = new FakeKernel(spaces);
  clock = new FakeClock();
  const openNamespace = (path: string): FakeKernel => spaces.get(path)!;
  const ports = { kernel, clock, random: () => 0, log: silentLogger, openNamespace };
  dataplane = new NodeDataplane(settings, ports);
  await dataplane.start();
  await pass();
});

describe('the route of a pod of which no inputs tell yet', () => {
  test('is in the kernel when its interface is, without a pass', async () => {
    await dataplane.addWorkloadInterface(pod);
    expect(await routes()).toEqual(['10.65.0.2/32 cali1']);
  });

  test('stays, whatever passes over older inputs come', async () => {
    await dataplane.addWorkloadInterface(pod);
    await pass();
    await pass(inputs({ endpoints: [{ ...endpoint, addresses: [parseIpAddress('10.65.0.9')] }] }));
    await clock.advance(200_000);
    expect(await routes()).toContain('10.65.0.2/32 cali1');
  });

  test('stays where a pass over older inputs is at work while it is written', async () => {
    dataplane.update(inputs({ endpoints: [] }));
    await Promise.all([clock.advance(1000), dataplane.addWorkloadInterface(pod), clock.advance(1000)]);
    await clock.advance(1000);
    expect(await routes()).toEqual(['10.65.0.2/32 cali1']);
  });

  test('is not written again when the inputs tell of it, and goes when they do no more', async () => {
    await dataplane.addWorkloadInterface(pod);
    kernel.journal.length = 0;
    await pass(withPod);
    expect(kernel.journal.filter((words) => words.includes('route '))).toEqual([]);
    expect(dataplane.routes().map(({ state }) => state)).toEqual(['programmed']);
    await pass();
    expect(await routes()).toEqual([]);
  });

  test('is no newcomer’s any more once its interface is removed', async () => {
    await dataplane.addWorkloadInterface(pod);
    await dataplane.removeWorkloadInterface('cali1');
    kernel.givenRoute(kernelRoute('10.65.0.2/32', { hops: [{ ifindex: 1, onlink: false }] }));
    await pass();
    expect(await routes()).toEqual([]);
  });

  test('takes the place of what the kernel has for the address', async () => {
    const older = kernel.givenLink({ name: 'cali0', kind: 'veth', mtu: 1500, up: true, running: true, mac: '' });
    const moved = { name: 'default/old', interfaceName: 'cali0', addresses: pod.addresses };
    await pass(inputs({ endpoints: [moved] }));
    expect(await routes()).toEqual(['10.65.0.2/32 cali0']);
    expect(older).toBeGreaterThan(0);
    await dataplane.addWorkloadInterface(pod);
    await pass(inputs({ endpoints: [moved, endpoint] }));
    expect(await routes()).toEqual(['10.65.0.2/32 cali1']);
  });

  test.each([
    ['10.65.0.2', '10.65.0.3', 32],
    ['fd10::2', 'fd10::3', 128],
  ])(
    'is not led to the pod that had the address before, where that one’s name has an interface again: %s',
    async (...[first, second, length]) => {
      const [mine, others] = [[parseIpAddress(first)], [parseIpAddress(second)]];
      await dataplane.addWorkloadInterface({ ...pod, addresses: mine });
      await dataplane.addWorkloadInterface({ ...other, addresses: others });
      await pass(
        inputs({
          endpoints: [
            { ...endpoint, addresses: mine },
            { ...otherEndpoint, addresses: others },
          ],
        }),
      );
      for (const name of ['cali1', 'cali2']) await dataplane.removeWorkloadInterface(name);
      await dataplane.addWorkloadInterface({ ...pod, addresses: others });
      await dataplane.addWorkloadInterface({ ...other, addresses: mine });
      await clock.advance(1000);
      expect(await routes()).toEqual([`${second}/${length} cali1`, `${first}/${length} cali2`]);
    },
  );

  test('is the plan’s from the first pass on whose inputs tell of it', async () => {
    await dataplane.addWorkloadInterface(pod);
    const cali1 = (await kernel.getLink('cali1'))!;
    kernel.loseRoute(
      kernelRoute('10.65.0.2/32', { scope: SCOPE.link, hops: [{ ifindex: cali1.index, onlink: false }] }),
    );
    expect(await routes()).toEqual([]);
    dataplane.update(withPod);
    const settled = dataplane.settled();
    await clock.advance(1);
    await settled;
    expect(await routes()).toEqual(['10.65.0.2/32 cali1']);
  });

  test('that the kernel refuses fails the call, and nothing is left', async () => {
    kernel.failNext('writeRoutes', { matching: '10.65.0.2', code: 'EPERM' });
    await expect(dataplane.addWorkloadInterface(pod)).rejects.toThrow('interface cali1 of the pod in');
    expect(await kernel.getLink('cali1')).toBeUndefined();
    await pass();
    expect(dataplane.routes()).toEqual([]);
  });
});
