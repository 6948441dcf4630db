import { beforeEach, describe, expect, test } from 'vitest';
import { createDataplane, recordingKernel } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import type { Kernel } from '../../felix/kernel.ts';
import { MAIN_TABLE, SCOPE } from '../../felix/routes/kernel-route.ts';
import { carryOut, readUninstallPlan, stepText } from '../../felix/uninstall.ts';
import { formatPrefix, parseInterfaceAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, learned, pool } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { MemoryOfHost } from '../support/host-memory.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const WATCHED = ['net/ipv4/ip_forward', 'net/ipv4/conf/eth0/forwarding', 'net/ipv4/conf/all/accept_redirects'];

const wish = (...[some]: Parameters<typeof inputs>): DataplaneInputs =>
  inputs({
    localBlocks: [parsePrefix('192.168.1.0/26')],
    learned: [learned('192.168.3.0/26', '172.30.2.11')],
    ...some,
  });

let kernel: FakeKernel;
let memory: MemoryOfHost;

beforeEach(async () => {
  kernel = new FakeKernel();
  memory = new MemoryOfHost();
  const eth0 = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
  await kernel.addAddress({ ifindex: eth0, address: parseInterfaceAddress('172.30.1.11/24'), scope: SCOPE.universe });
  kernel.givenRoute({
    ...{ prefix: parsePrefix('10.9.0.0/16'), table: MAIN_TABLE, protocol: 4, type: 'unicast', scope: SCOPE.link },
    ...{ metric: 0, hops: [{ ifindex: eth0, onlink: false }] },
  });
});

/** Everything of the host that a test can see, in words. */
async function snapshot(of: Kernel = kernel): Promise<unknown> {
  const links = await of.listLinks();
  return {
    links: links.map((link) => ({ ...link, index: link.kind === undefined ? link.index : 0 })),
    addresses: (await of.listAddresses()).map(({ ifindex, address }) => [ifindex, formatPrefix(address)]),
    routes: [...(await of.listRoutes())].map(({ prefix, protocol }) => [formatPrefix(prefix), protocol]),
    sysctls: await Promise.all(WATCHED.map(async (path) => [path, await of.readSysctl(path)])),
  };
}

/** An agent's life: it programs what is wished and ends. */
async function live(...wishes: readonly DataplaneInputs[]): Promise<void> {
  const clock = new FakeClock();
  const dataplane = createDataplane(settings, {
    ...{ kernel: recordingKernel(kernel, memory), clock, random: () => 0, log: silentLogger },
  });
  await dataplane.start();
  for (const one of wishes) {
    dataplane.update(one);
    await clock.advance(1000);
    await dataplane.settled();
  }
  await dataplane.close();
}

async function uninstall(): Promise<readonly string[]> {
  const { steps, links } = await readUninstallPlan(kernel, memory.record);
  const said: string[] = [];
  await carryOut(steps, kernel, (step, error) => {
    said.push(`${stepText(step, links)}${error === undefined ? '' : `: ${error.message}`}`);
  });
  return said;
}

describe.each([
  ['vxlan', pool('192.168.0.0/16', { vxlan: 'CrossSubnet' })],
  ['no encapsulation', pool('192.168.0.0/16')],
])('with %s', (_, one) => {
  test('afterwards the host is as it was, and a second time there is nothing to do', async () => {
    const before = await snapshot();
    await live(wish({ pools: [one] }));
    expect(await snapshot()).not.toEqual(before);
    expect((await uninstall()).length).toBeGreaterThan(0);
    expect(await snapshot()).toEqual(before);
    expect(await uninstall()).toEqual([]);
  });
});

test('a tunl0 that the module made goes back to down, without an address', async () => {
  const before = await snapshot();
  await live(wish());
  const said = await uninstall();
  expect(said).toEqual([
    'delete route blackhole 192.168.1.0/26 metric 0 proto 80',
    'delete route 192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink metric 0 proto 80',
    'remove address 192.168.1.1/32 dev tunl0',
    expect.stringContaining('set link tunl0') as string,
    'delete link tunl0',
    'set sysctl net/ipv4/ip_forward = 0 (now 1)',
    'set sysctl net/ipv4/conf/all/accept_redirects = 0 (now 0)',
  ]);
  expect(await snapshot()).toEqual(before);
});

test('a tunl0 that was there before keeps what it had', async () => {
  await kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  const [tunl0] = (await kernel.listLinks()).filter(({ name }) => name === 'tunl0');
  await kernel.setLink(tunl0!.index, { mtu: 1400, up: true });
  const address = parseInterfaceAddress('10.1.2.3/32');
  await kernel.addAddress({ ifindex: tunl0!.index, address, scope: SCOPE.universe });
  const before = await snapshot();
  await live(wish());
  await uninstall();
  expect(await snapshot()).toEqual(before);
  const { left } = await readUninstallPlan(kernel, memory.record);
  expect(left).toEqual([]);
});

test('forwarding that was on before stays on', async () => {
  await kernel.writeSysctl('net/ipv4/ip_forward', '1');
  await live(wish());
  const said = await uninstall();
  expect(said.filter((text) => text.includes('sysctl'))).toEqual([]);
  expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('1');
});

test('the first value counts, however often the agent starts and whatever others write meanwhile', async () => {
  await live(wish());
  await kernel.writeSysctl('net/ipv4/ip_forward', '0');
  await live(wish());
  const { saves } = memory;
  await live(wish());
  expect(memory.saves).toBe(saves);
  await uninstall();
  expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('0');
});

test('what somebody else set after us is theirs, and told', async () => {
  await live(wish());
  await kernel.writeSysctl('net/ipv4/ip_forward', '2');
  const { left } = await readUninstallPlan(kernel, memory.record);
  expect(left).toEqual(['net/ipv4/ip_forward stays 2: somebody else set it after calico-ts made 1 of 0']);
  await uninstall();
  expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('2');
});

test('without a record the routes and tunnels go, and sysctls stay', async () => {
  await live(wish());
  memory = new MemoryOfHost();
  const said = await uninstall();
  expect(said).toContain('delete link tunl0');
  expect(said.filter((text) => text.includes('sysctl'))).toEqual([]);
});

test('a step that is refused stops no other', async () => {
  await live(wish());
  kernel.failNext('removeAddress', { code: 'EBUSY' });
  const said = await uninstall();
  expect(said.filter((text) => text.includes('EBUSY'))).toHaveLength(1);
  expect([...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80)).toEqual([]);
  expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('0');
});

test('interfaces of pods go, others named like them stay and are told', async () => {
  const pods = ['cali111', 'cali222'];
  for (const name of pods) {
    await kernel.createLink({ kind: 'veth', name, peer: { name: `pod${name}` } });
    const [link] = (await kernel.listLinks()).filter((each) => each.name === name);
    await kernel.setLink(link!.index, { up: true });
  }
  const endpoint = {
    name: 'default/pod',
    interfaceName: 'cali111',
    addresses: [parsePrefix('192.168.1.5/32').address],
  };
  await live(wish({ endpoints: [endpoint] }));
  const plan = await readUninstallPlan(kernel, memory.record);
  expect(plan.pods).toEqual(['cali111']);
  expect(plan.left).toEqual(["cali222 stays: no route of ours leads to it, so it may be another's"]);
  await uninstall();
  expect((await kernel.listLinks()).map(({ name }) => name)).toEqual(['lo', 'eth0', 'podcali222', 'cali222']);
});

test('what cannot be written down is not changed', async () => {
  memory.save = () => {
    throw new Error('no space left on device');
  };
  await live(wish());
  expect(await kernel.readSysctl('net/ipv4/ip_forward')).toBe('0');
  expect((await kernel.listLinks()).map(({ name }) => name)).toEqual(['lo', 'eth0']);
});

test('an interface whose forwarding was on while the host did not forward has it on again', async () => {
  await kernel.writeSysctl('net/ipv4/conf/eth0/forwarding', '1');
  await live(wish());
  expect((await uninstall()).filter((text) => text.includes('eth0'))).toEqual([
    'set sysctl net/ipv4/conf/eth0/forwarding = 1 (now 1)',
  ]);
});
