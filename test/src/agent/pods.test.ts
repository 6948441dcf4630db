import { expect, test } from 'vitest';
import type { Dataplane, HostInterface } from '../../../felix/index.ts';
import { NewEndpoints } from '../../../src/agent/new-endpoints.ts';
import { createPods, podPorts } from '../../../src/agent/pods.ts';
import type { Pods } from '../../../src/agent/pods.ts';
import { localBlocks } from '../../../src/agent/cluster-view.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { ConflictError } from '../../../src/datastore/store.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { addPod } from '../../../src/cni/add.ts';
import type { AddressWish } from '../../../src/cni/attachment.ts';
import { removePod } from '../../../src/cni/del.ts';
import { handleId } from '../../../src/cni/names.ts';
import type { PodPorts } from '../../../src/cni/ports.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/model/ip.ts';
import { createResourceClient, resourcesFromEntries } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { podAttachment } from '../../support/fake-host.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

/** Keeps a note of the lists, and counts the writes that came too late. */
function noted(store: Store): { readonly store: Store; readonly lists: string[]; readonly conflicts: () => number } {
  const lists: string[] = [];
  let conflicts = 0;
  const update: Store['update'] = (key, value, revision) =>
    store.update(key, value, revision).catch((error: unknown) => {
      if (error instanceof ConflictError) conflicts++;
      throw error;
    });
  const slow: Store['get'] = async (key) => {
    const entry = await store.get(key);
    await new Promise((resolve) => void setImmediate(resolve));
    return entry;
  };
  const wrapped: Store = {
    get: slow,
    list: (prefix) => {
      lists.push(prefix);
      return store.list(prefix);
    },
    create: (key, value) => store.create(key, value),
    update,
    delete: (key, revision) => store.delete(key, revision),
    writeAll: (writes) => store.writeAll(writes),
    watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
    close: () => store.close(),
  };
  return { store: wrapped, lists, conflicts: () => conflicts };
}

/** A dataplane that programs at once, and the node's pods over it. */
async function makePods(pools: Readonly<Record<string, object>> = { p1: { cidr: '192.168.0.0/16' } }) {
  const memory = new MemoryStore();
  const { store, lists, conflicts } = noted(memory);
  const resources = createResourceClient(store);
  const create = (kind: string, name: string, spec: object): Promise<AnyResource> =>
    resources.create({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec } as unknown as AnyResource);
  await create('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } });
  for (const [name, spec] of Object.entries(pools)) await create('IPPool', name, spec);
  const { entries } = await memory.list('/');
  const knowledge = {
    node: 'a',
    resources: resourcesFromEntries(entries).resources,
    blocks: localBlocks(entries, 'a'),
  };
  const dataplane = {
    addWorkloadInterface: () => Promise.resolve({ mac: '0a:00:00:00:00:01', mtu: 1500 }),
    removeWorkloadInterface: () => Promise.resolve(),
    interfaces: () => Promise.resolve(['cali0', 'cali1'].map((name) => ({ name, kind: 'veth' }) as HostInterface)),
  } as Partial<Dataplane> as Dataplane;
  const ipam = createIpam(store, { clock: systemClock, random: () => 0 });
  const portsOn = (node: string): PodPorts =>
    podPorts({
      ...{ node, clock: systemClock, ipam, dataplane, resources, knowledge: () => ({ ...knowledge, node }) },
      newEndpoints: new NewEndpoints(),
    });
  return { on: (node: string): Pods => createPods(portsOn(node)), portsOn, ipam, resources, lists, conflicts };
}

const request = (name: string, namespace = 'default') => ({
  containerId: `${namespace}-${name}`,
  netns: '/proc/self/ns/net',
  interfaceName: 'eth0',
  podNamespace: namespace,
  podName: name,
});

test('pods that come at once do not fight over their block', async () => {
  const { on, conflicts } = await makePods();
  const pods = on('a');
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => pods.add(request(`pod-${i}`))));
  expect(new Set(results.flatMap(({ addresses }) => addresses)).size).toBe(20);
  await Promise.all(Array.from({ length: 20 }, (_, i) => pods.remove(`default-pod-${i}`)));
  expect(conflicts()).toBe(0);
});

test('a pod comes and goes without a look at the endpoints of others, and takes none of theirs away', async () => {
  const { on, resources, lists } = await makePods();
  const others = [request('web'), request('web-0-1'), request('web-0', 'other')];
  for (const other of others) await on('a').add(other);
  await on('b').add({ ...request('web-0'), containerId: 'of-b' });
  const names = async (): Promise<readonly string[]> =>
    (await resources.list('WorkloadEndpoint')).map(({ metadata }) => `${metadata.namespace!}/${metadata.name}`);
  const before = await names();
  lists.length = 0;
  await on('a').add(request('web-0'));
  await on('a').add({ ...request('web-0'), containerId: 'second' });
  await on('a').remove('default-web-0');
  expect(lists.filter((prefix) => prefix.includes('/workloadendpoints/'))).toEqual(
    Array.from({ length: 3 }, () => '/calico/resources/v3/projectcalico.org/workloadendpoints/default/a-k8s-web--0-'),
  );
  // The second sandbox has the pod's name, and keeps it.
  expect((await names()).filter((name) => !before.includes(name))).toEqual(['default/a-k8s-web--0-eth0']);
  await on('a').remove('second');
  expect(await names()).toEqual(before);
});

const BOTH = { v4: { cidr: '192.168.0.0/24' }, v6: { cidr: 'fd00::/112' } };
const netns = '/proc/self/ns/net';
const asking = (wish: AddressWish) => podAttachment({ containerId: 'c1', pod: 'web-0' }, { netns, wish });
const assigned = (families: readonly (4 | 6)[], pools: object = {}): AddressWish => ({
  kind: 'assigned',
  families,
  pools,
});

test('with pools of both families a pod has an address of each, and gives both back', async () => {
  const { on, resources, ipam } = await makePods(BOTH);
  const { addresses } = await on('a').add(request('web-0'));
  expect(addresses).toEqual([
    expect.stringMatching(/^192\.168\.0\.\d+\/32$/) as string,
    expect.stringMatching(/^fd00::[0-9a-f]+\/128$/) as string,
  ]);
  const [endpoint] = await resources.list('WorkloadEndpoint');
  expect(endpoint?.spec.ipNetworks).toEqual(addresses);
  expect((await on('a').add(request('web-0'))).addresses).toEqual(addresses);
  await on('a').remove('default-web-0');
  expect([...(await ipam.heldOn('a'))]).toEqual([]);
});

test('where one family has nothing left, the other one is given back', async () => {
  const { portsOn, ipam } = await makePods({ ...BOTH, v6: { cidr: 'fd00::/122', disabled: true } });
  await expect(addPod(asking(assigned([4, 6])), portsOn('a'))).rejects.toThrow(
    'no ippool gives IPv6 addresses to pods of a in namespace default: v4: no IPv6 pool; v6: disabled',
  );
  const full = {
    kind: 'given',
    by: 'x',
    addresses: ['192.168.0.9', 'fd99::1'].map((text) => parseIpAddress(text)),
  } as const;
  await expect(addPod(asking(full), portsOn('a'))).rejects.toThrow("address = 'fd99::1': lies in none of the IP pools");
  expect([...(await ipam.heldOn('a'))]).toEqual([]);
});

test('addresses that are asked for by name are those that the pod gets, or it is refused with who has them', async () => {
  const { portsOn } = await makePods(BOTH);
  const wish = {
    kind: 'given',
    by: 'x',
    addresses: ['192.168.0.9', 'fd00::9'].map((text) => parseIpAddress(text)),
  } as const;
  const { addresses } = await addPod(asking(wish), portsOn('a'));
  expect(addresses.map(formatIpAddress)).toEqual(['192.168.0.9', 'fd00::9']);
  const second = podAttachment({ containerId: 'c2', pod: 'web-1' }, { netns, wish });
  await expect(addPod(second, portsOn('a'))).rejects.toThrow(
    /^address 192\.168\.0\.9 is taken: handle 'k8s-pod-network\.c1' has held it since .*, for pod default\/web-0 on a$/,
  );
});

test('pools are those that are asked for, by name or CIDR; a name that is none is told with who asked', async () => {
  const { portsOn } = await makePods({ ...BOTH, other: { cidr: '10.9.0.0/24' } });
  const from = (pools: string[]) => asking(assigned([4], { 4: { pools, by: 'ipam.ipv4_pools' } }));
  const { addresses } = await addPod(from(['10.9.0.0/24']), portsOn('a'));
  expect(addresses.map(formatIpAddress).join()).toMatch(/^10\.9\.0\./);
  const of = podAttachment({ containerId: 'c2', pod: 'web-1' }, { netns, wish: from(['nobody']).wish });
  await expect(addPod(of, portsOn('a'))).rejects.toThrow(
    "ipam.ipv4_pools = 'nobody': there is no IP pool of that name or CIDR",
  );
});

test('a container without a pod has an endpoint by its own name, as in Calico, and goes like a pod', async () => {
  const { portsOn, resources, ipam } = await makePods();
  const containerId = '0123456789abcdef';
  const attachment = podAttachment(
    { containerId, pod: '' },
    { netns, network: 'net.1', workload: { orchestrator: 'cni', containerId } },
  );
  const { hostInterface } = await addPod(attachment, portsOn('a'));
  const [endpoint] = await resources.list('WorkloadEndpoint');
  expect(endpoint).toMatchObject({
    metadata: {
      name: 'a-cni-0123456789abcdef-eth0',
      namespace: 'default',
      annotations: { 'calico-ts/cni-network': 'net.1' },
    },
    spec: { orchestrator: 'cni', containerID: containerId, endpoint: 'eth0', interfaceName: 'cali0123456789a' },
  });
  expect(hostInterface).toBe('cali0123456789a');
  expect(await portsOn('a').heldHere()).toMatchObject([{ handleId: handleId(attachment), network: 'net.1' }]);
  expect(await portsOn('b').heldHere()).toEqual([]);
  await removePod(attachment, portsOn('a'));
  expect([await resources.list('WorkloadEndpoint'), [...(await ipam.heldOn('a'))]]).toEqual([[], []]);
});

test('a host interface of another orchestrator is not among those that may be strays', async () => {
  const { portsOn, resources } = await makePods();
  const spec = {
    orchestrator: 'libnetwork',
    node: 'a',
    workload: 'libnetwork',
    endpoint: 'e1',
    interfaceName: 'cali1',
  };
  const metadata = { name: 'a-libnetwork-libnetwork-e1', namespace: 'libnetwork' };
  await resources.create({
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata,
    spec,
  } as unknown as AnyResource);
  expect(await portsOn('a').veths()).toEqual(['cali0']);
});
