import { beforeEach, expect, test } from 'vitest';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import { createPods } from '../../../src/agent/pods.ts';
import type { Pods } from '../../../src/agent/pods.ts';
import { hostInterfaceName } from '../../../src/cni/names.ts';
import type { PodRequest } from '../../../src/api/contract.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Dataplane } from '../../../felix/index.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { formatPrefix, hostPrefix } from '../../../src/model/ip.ts';
import { createResourceClient } from '../../../src/resources/index.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { resource, view } from '../../support/resources.ts';

const POD: PodRequest = {
  containerId: 'c1',
  netns: '/proc/self/ns/net',
  interfaceName: 'eth0',
  podNamespace: 'default',
  podName: 'web-0',
};
const NAME = hostInterfaceName(POD);

let store: MemoryStore;
let links: Set<string>;
/** Whether the kernel gets the routes of what is in the datastore. */
let routes: boolean;
let pods: Pods;

/** A dataplane that makes no more of an interface than its name. */
const dataplane = {
  routes: () => (routes ? programmed : []),
  onChange: () => () => undefined,
  addWorkloadInterface: ({ hostInterface, addresses }) => {
    links.add(hostInterface);
    programmed = addresses.map((address) => ({ route: { prefix: hostPrefix(address) }, state: 'programmed' }) as never);
    return Promise.resolve({ mac: '0a:00:00:00:00:01' });
  },
  removeWorkloadInterface: (name) => Promise.resolve(void links.delete(name)),
} as Pick<Dataplane, 'routes' | 'onChange' | 'addWorkloadInterface' | 'removeWorkloadInterface'> as Dataplane;
let programmed: ReturnType<Dataplane['routes']> = [];

const left = async (): Promise<readonly string[]> => {
  const { entries } = await store.list('/calico/');
  const kept = entries.map(({ key }) => key).filter((key) => /workloadendpoints|\/handle\//.test(key));
  return [...links, ...kept.map((key) => key.replace(/^.*\//, ''))];
};

beforeEach(() => {
  store = new MemoryStore();
  const clock = hurriedClock(() => 0);
  links = new Set();
  routes = true;
  const pool = resource('IPPool', 'pods', { cidr: '10.9.0.0/24' });
  const knowledge: Knowledge = { node: 'node-a1', resources: view(pool, resource('Node', 'node-a1')), blocks: [] };
  const ipam = createIpam(store, { clock, random: () => 0.5 });
  const resources = createResourceClient(store);
  pods = createPods({ node: 'node-a1', clock, ipam, dataplane, resources, knowledge: () => knowledge });
});

test('a pod has an address, an interface and an endpoint; after its DEL nothing', async () => {
  const { addresses } = await pods.add(POD);
  expect(addresses[0]).toMatch(/^10\.9\.0\.\d+\/32$/);
  expect(await left()).toEqual([NAME, 'k8s-pod-network.c1', 'node--a1-k8s-web--0-eth0']);
  expect(formatPrefix(programmed[0]!.route.prefix)).toBe(addresses[0]);
  await pods.remove('c1');
  expect(await left()).toEqual([]);
});

test.each([
  ['/run/netns/nobody-made-this', 'is not there'],
  ['/dev/null', 'is not a network namespace'],
  ['/etc/hostname/x', 'cannot be read: ENOTDIR'],
])('no pod where %s is no network namespace, and the pod of that name runs on', async (netns, reason) => {
  await pods.add(POD);
  const before = await left();
  await expect(pods.add({ ...POD, containerId: 'c2', netns })).rejects.toThrow(`netns = '${netns}': ${reason}`);
  expect(await left()).toEqual(before);
});

test('a pod whose route does not come leaves nothing; one that ran before keeps everything', async () => {
  routes = false;
  await expect(pods.add(POD)).rejects.toThrow(/^the route of 10\.9\.0\.\d+\/32 is not in the kernel/);
  expect(await left()).toEqual([]);
  routes = true;
  await pods.add(POD);
  const running = await left();
  routes = false;
  await expect(pods.add(POD)).rejects.toThrow('is not in the kernel');
  expect(await left()).toEqual(running);
});

test('an ADD that was killed before its endpoint was written is known by its address', async () => {
  await pods.add(POD);
  await store.delete('/calico/resources/v3/projectcalico.org/workloadendpoints/default/node--a1-k8s-web--0-eth0');
  await pods.remove('c1');
  expect(await left()).toEqual([]);
});

test('a take-over whose endpoint cannot be written leaves the older one, for its own DEL', async () => {
  await pods.add(POD);
  const update = store.update.bind(store);
  store.update = (key, ...rest) =>
    key.includes('workloadendpoints') ? Promise.reject(new UnavailableError('away')) : update(key, ...rest);
  await expect(pods.add({ ...POD, containerId: 'c2' })).rejects.toThrow('away');
  expect(await left()).toEqual(['k8s-pod-network.c1', 'node--a1-k8s-web--0-eth0']);
  await pods.remove('c1');
  expect(await left()).toEqual([]);
});

test("the DEL of an older sandbox gives its address back and leaves the new sandbox's things", async () => {
  await pods.add(POD);
  await pods.add({ ...POD, containerId: 'c2' });
  expect(await left()).toEqual([NAME, 'k8s-pod-network.c1', 'k8s-pod-network.c2', 'node--a1-k8s-web--0-eth0']);
  await pods.remove('c1');
  expect(await left()).toEqual([NAME, 'k8s-pod-network.c2', 'node--a1-k8s-web--0-eth0']);
});
