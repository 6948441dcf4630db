import { expect, test } from 'vitest';
import type { Dataplane } from '../../../felix/index.ts';
import { createPods } from '../../../src/agent/pods.ts';
import type { Pods } from '../../../src/agent/pods.ts';
import { localBlocks } from '../../../src/agent/cluster-view.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { ConflictError } from '../../../src/datastore/store.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { hostPrefix } from '../../../src/model/ip.ts';
import type { IpAddress } from '../../../src/model/ip.ts';
import { createResourceClient, resourcesFromEntries } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
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
async function makePods() {
  const memory = new MemoryStore();
  const { store, lists, conflicts } = noted(memory);
  const resources = createResourceClient(store);
  const create = (kind: string, name: string, spec: object): Promise<AnyResource> =>
    resources.create({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec } as unknown as AnyResource);
  await create('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } });
  await create('IPPool', 'p1', { cidr: '192.168.0.0/16' });
  const { entries } = await memory.list('/');
  const knowledge = {
    node: 'a',
    resources: resourcesFromEntries(entries).resources,
    blocks: localBlocks(entries, 'a'),
  };
  const routed: IpAddress[] = [];
  const dataplane = {
    addWorkloadInterface: ({ addresses }) => {
      routed.push(...addresses);
      return Promise.resolve({ mac: '0a:00:00:00:00:01' });
    },
    removeWorkloadInterface: () => Promise.resolve(),
    onChange: () => () => undefined,
    routes: () =>
      routed.map((address) => ({
        state: 'programmed' as const,
        route: {
          prefix: hostPrefix(address),
          class: 'local-workload' as const,
          target: { kind: 'blackhole' as const },
          reason: '',
        },
      })),
  } as Partial<Dataplane> as Dataplane;
  const ipam = createIpam(store, { clock: systemClock, random: () => 0 });
  const on = (node: string): Pods =>
    createPods({
      ...{ node, clock: systemClock, ipam, dataplane, resources, hasInterface: () => false },
      knowledge: () => ({ ...knowledge, node }),
    });
  return { on, resources, lists, conflicts };
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
