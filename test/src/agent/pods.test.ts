import { expect, test } from 'vitest';
import type { Dataplane } from '../../../felix/index.ts';
import { createPods } from '../../../src/agent/pods.ts';
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

/** Counts the writes that came too late. */
function counted(store: Store): { readonly store: Store; readonly conflicts: () => number } {
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
    list: (prefix) => store.list(prefix),
    create: (key, value) => store.create(key, value),
    update,
    delete: (key, revision) => store.delete(key, revision),
    watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
    close: () => store.close(),
  };
  return { store: wrapped, conflicts: () => conflicts };
}

test('pods that come at once do not fight over their block: addresses are assigned one after another', async () => {
  const memory = new MemoryStore();
  const { store, conflicts } = counted(memory);
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
  const pods = createPods({ node: 'a', clock: systemClock, ipam, dataplane, resources, knowledge: () => knowledge });
  const add = (name: string): Promise<{ readonly addresses: readonly string[] }> =>
    pods.add({
      containerId: name,
      netns: '/proc/self/ns/net',
      interfaceName: 'eth0',
      podNamespace: 'default',
      podName: name,
    });
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => add(`pod-${i}`)));
  expect(new Set(results.flatMap(({ addresses }) => addresses)).size).toBe(20);
  expect(conflicts()).toBe(0);
});
