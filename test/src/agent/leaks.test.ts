/** An agent gives back what pods of its node left behind, a grace after it first looked so, and nothing else. */
import { afterEach, expect, test } from 'vitest';
import { hostInterfaceName } from '../../../src/cni/names.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/model/ip.ts';
import { endpointsPrefix } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';
import { checkInvariants, pool } from '../../support/ipam.ts';
import { resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent, TestAgentSetup } from '../../support/test-agent.ts';

const NODE = 'node-a1';
const CIDR = '10.48.0.0/16';
/** Two scans make a grace; the first sees, the third is the first that is a grace later. */
const GRACE_MS = 900_000;

let lab: TestAgent;
let ipam: Ipam;

async function start(setup: TestAgentSetup = {}): Promise<void> {
  lab = await makeTestAgent(setup);
  ipam = createIpam(lab.store, { clock: lab.clock, random: () => 0 });
  await lab.put(resource('IPPool', 'main', { cidr: CIDR }));
}
async function run(ms: number): Promise<void> {
  await lab.clock.advance(ms);
  await settle();
}
async function give(handleId: string, attributes: Readonly<Record<string, string>>): Promise<string> {
  const { addresses } = await ipam.autoAssign({ node: NODE, count: 1, handleId, attributes, pools: [pool(CIDR, 26)] });
  return formatIpAddress(addresses[0]!);
}
const givePod = (pod: string, container: string): Promise<string> =>
  give(`k8s-pod-network.${container}`, { namespace: 'default', pod });
/** At an address by name: again, or borrowed. */
async function giveAt(address: string, container: string, node = NODE): Promise<void> {
  const attributes = { namespace: 'default', pod: container };
  await ipam.assignAddress({
    ...{ node, handleId: `k8s-pod-network.${container}`, attributes, pools: [pool(CIDR, 26)] },
    address: parseIpAddress(address),
  });
}
const nextTo = (address: string, by: number): string => {
  const octets = address.split('.').map(Number);
  return [...octets.slice(0, 3), octets[3]! ^ by].join('.');
};
const endpoint = (pod: string, containerID: string, ip: string): AnyResource =>
  resource('WorkloadEndpoint', `${endpointsPrefix({ orchestrator: 'k8s', node: NODE, pod })}eth0`, {
    ...{ orchestrator: 'k8s', node: NODE, pod, endpoint: 'eth0', containerID, ipNetworks: [`${ip}/32`] },
    interfaceName: hostInterfaceName({ orchestrator: 'k8s', namespace: 'default', pod }),
  });
const isHeld = async (handleId: string): Promise<boolean> => (await ipam.assignmentsOf(handleId)).length > 0;
const released = (): readonly object[] =>
  lab.lines.filter(({ message }) => message === 'leaked addresses are given back').map(({ fields }) => fields);

afterEach(() => lab.agent.close({ kind: 'restart' }));

test('what a pod left behind goes a grace after it was seen, is told before, and only that goes', async () => {
  await start();
  const gone = await givePod('gone', 'c1');
  const alive = await givePod('alive', 'c2');
  await lab.put(endpoint('alive', 'c2', alive));
  // The container is alive, with another address.
  await givePod('moved', 'c3');
  await lab.put(endpoint('moved', 'c3', '10.48.200.1'));
  await giveAt(nextTo(gone, 32), 'c4', 'node-b1');
  await give('macvlan.c5', { namespace: 'default', pod: 'second-network' });
  await give('wireguard-tunnel-addr-node-a1', { type: 'wireguardTunnelAddress' });
  await give('by-hand', {});
  lab.agent.start();
  await run(GRACE_MS / 2);
  expect(lab.agent.status().leaks).toEqual({ suspected: 1, released: 0, graceSeconds: 900 });
  await run(GRACE_MS - 1);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  await run(1);
  expect(await isHeld('k8s-pod-network.c1')).toBe(false);
  expect(released()).toEqual([
    {
      addresses: [gone],
      handle: 'k8s-pod-network.c1',
      pod: 'default/gone',
      reason: 'no endpoint has had them for 900 s',
    },
  ]);
  expect(lab.agent.status().leaks).toEqual({ suspected: 0, released: 1, graceSeconds: 900 });
  await run(3 * GRACE_MS);
  expect(released()).toHaveLength(1);
  expect(await checkInvariants(lab.store)).toBe(6);
});

test('a pod whose endpoint comes late keeps its address, and so does one that was assigned anew', async () => {
  await start();
  const late = await givePod('late', 'c1');
  const again = await givePod('again', 'c2');
  lab.agent.start();
  await run(GRACE_MS);
  await lab.put(endpoint('late', 'c1', late));
  await ipam.releaseByHandle('k8s-pod-network.c2');
  await giveAt(again, 'c2');
  await run(GRACE_MS);
  expect(released()).toEqual([]);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  expect(await isHeld('k8s-pod-network.c2')).toBe(true);
});

test('a container whose interface is still there keeps its address; a younger sandbox of its name has it for itself', async () => {
  const link = hostInterfaceName({ orchestrator: 'k8s', namespace: 'default', pod: 'web' });
  await start({ ports: { hasInterface: (name) => name === link } });
  await givePod('web', 'c1');
  lab.agent.start();
  await run(3 * GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  const young = await givePod('web', 'c2');
  await lab.put(endpoint('web', 'c2', young));
  await run(GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(false);
  expect(await isHeld('k8s-pod-network.c2')).toBe(true);
});

test('the endpoint that comes between the scan and the release is seen', async () => {
  const data = new MemoryStore();
  let meanwhile: (() => Promise<void>) | undefined;
  const store = interleavedStore(data, async (label) => {
    if (!label.startsWith('list') || !label.includes('workloadendpoints')) return;
    const work = meanwhile;
    meanwhile = undefined;
    await work?.();
  });
  await start({ store });
  const ip = await givePod('web', 'c1');
  lab.agent.start();
  await run(GRACE_MS);
  meanwhile = () => lab.put(endpoint('web', 'c1', ip));
  await run(2 * GRACE_MS);
  expect(meanwhile).toBeUndefined();
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
});

test('nothing is judged by a view that lacks what cannot be read, and the grace begins anew after it', async () => {
  await start();
  await givePod('gone', 'c1');
  const broken = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/broken';
  lab.agent.start();
  await run(GRACE_MS);
  await lab.store.create(broken, { kind: 'WorkloadEndpoint', spec: 'nonsense' });
  await run(3 * GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  await lab.store.delete(broken);
  await run(GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  await run(GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(false);
});

test('0 turns it off', async () => {
  await start({ env: { CALICO_IPAM_LEAK_GRACE_PERIOD: '0s' } });
  await givePod('gone', 'c1');
  lab.agent.start();
  await run(10 * GRACE_MS);
  expect(await isHeld('k8s-pod-network.c1')).toBe(true);
  expect(lab.agent.status()).not.toHaveProperty('leaks');
});
