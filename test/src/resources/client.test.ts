import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Json, Store } from '../../../src/datastore/store.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../../../src/datastore/store.ts';
import type { AnyResource, ResourceClient } from '../../../src/resources/index.ts';
import {
  createResourceClient,
  endpointsPrefix,
  resourceKey,
  ResourceReader,
  resourcesFromEntries,
  workloadEndpointName,
} from '../../../src/resources/index.ts';
import { entryOf, manifest, resource } from '../../support/resources.ts';

const WALL_TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const pool = (name: string, cidr: string, spec: object = {}) => resource('IPPool', name, { cidr, ...spec });
const node = (name: string, ipv4Address: string) => resource('Node', name, { bgp: { ipv4Address } });
const peer = (name: string, asNumber: number) => resource('BGPPeer', name, { peerIP: '10.9.9.9', asNumber });

let store: Store;
let client: ResourceClient;

beforeEach(() => {
  store = new MemoryStore();
  let uids = 0;
  client = createResourceClient(store, { wallTime: () => WALL_TIME, uid: () => `uid-${++uids}` });
});

/** Lets somebody else write `meddle` times between a client's read and its write. */
function contended(inner: Store, meddle: number): Store {
  let left = meddle;
  return {
    get: async (key) => {
      const entry = await inner.get(key);
      if (entry !== undefined && left-- > 0) await inner.update(key, entry.value, entry.revision);
      return entry;
    },
    list: (prefix) => inner.list(prefix),
    create: (key, value) => inner.create(key, value),
    update: (key, value, revision) => inner.update(key, value, revision),
    delete: (key, revision) => inner.delete(key, revision),
    writeAll: (writes) => inner.writeAll(writes),
    watch: (prefix, revision, signal) => inner.watch(prefix, revision, signal),
    close: () => inner.close(),
  };
}

describe('create', () => {
  test('stamps the resource, stores it without its revision and returns it with it', async () => {
    const created = await client.create(pool('p', '192.168.0.0/16'));
    const stored = await store.get('/calico/resources/v3/projectcalico.org/ippools/p');
    expect(created.metadata).toEqual({
      name: 'p',
      uid: 'uid-1',
      creationTimestamp: '2026-01-02T03:04:05Z',
      resourceVersion: String(stored?.revision),
    });
    expect(stored?.value).toMatchObject({ kind: 'IPPool', metadata: { uid: 'uid-1' }, spec: { blockSize: 26 } });
    expect(stored?.value).not.toHaveProperty('metadata.resourceVersion');
    expect(await client.get('IPPool', 'p')).toEqual(created);
  });

  test('refuses what exists, and a revision', async () => {
    await client.create(peer('p', 1));
    await expect(client.create(peer('p', 2))).rejects.toThrow(
      new AlreadyExistsError('resource already exists: BGPPeer(p) with error: <nil>'),
    );
    await expect(client.create({ ...peer('q', 1), metadata: { name: 'q', resourceVersion: '3' } })).rejects.toThrow(
      "error with field metadata.resourceVersion = '3': must be empty for a resource that is created",
    );
  });

  test('checks what it writes, even where the types were circumvented', async () => {
    const bad = manifest('IPPool', 'p', { cidr: 'nonsense' }) as AnyResource;
    await expect(client.create(bad)).rejects.toThrow("error with field spec.cidr = 'nonsense'");
    expect((await store.list('/')).entries).toEqual([]);
  });
});

describe('collisions are refused with both names', () => {
  beforeEach(async () => {
    await client.create(node('node-a1', '172.30.1.11/24'));
    await client.create(pool('p1', '192.168.0.0/16'));
  });

  test.each<[AnyResource, string]>([
    [pool('p2', '192.168.4.0/24'), "spec.cidr = '192.168.4.0/24': IPPool(p2) overlaps IPPool(p1) 192.168.0.0/16"],
    [pool('p2', '192.0.0.0/8'), "spec.cidr = '192.0.0.0/8': IPPool(p2) overlaps IPPool(p1) 192.168.0.0/16"],
    [
      pool('p2', '172.30.0.0/16'),
      "spec.cidr = '172.30.0.0/16': IPPool(p2) overlaps the subnet 172.30.1.0/24 of Node(node-a1)",
    ],
    [
      node('node-b1', '172.30.1.11/16'),
      "spec.bgp.ipv4Address = '172.30.1.11/16': 172.30.1.11 is already the address of Node(node-a1)",
    ],
    [
      node('node-b1', '192.168.7.1/24'),
      "spec.bgp.ipv4Address = '192.168.7.1/24': the subnet of Node(node-b1) overlaps IPPool(p1) 192.168.0.0/16",
    ],
  ])('%#', async (wanted, message) => {
    const before = await store.list('/');
    await expect(client.apply(wanted)).rejects.toThrow(`error with field ${message}`);
    expect(await store.list('/')).toEqual(before);
  });

  test('an update that moves a node into a pool is one, too', async () => {
    await expect(client.update(node('node-a1', '192.168.7.1/24'))).rejects.toThrow('overlaps IPPool(p1)');
  });

  test('neighbours in one subnet and pools side by side are none', async () => {
    await client.create(node('node-a2', '172.30.1.12/24'));
    await client.create(pool('p2', '192.169.0.0/16'));
    await client.create(pool('p6', 'fd00::/64'));
  });

  test('a resource that collided before may still be changed elsewhere', async () => {
    const old = node('node-c1', '192.168.7.1/24');
    await store.create(resourceKey('Node', 'node-c1'), entryOf(old).value);
    const tunnel = { bgp: { ipv4Address: '192.168.7.1/24', ipv4IPIPTunnelAddr: '192.168.0.1' } };
    const updated = await client.update(resource('Node', 'node-c1', tunnel));
    expect(updated.spec.bgp?.ipv4IPIPTunnelAddr).toBe('192.168.0.1');
  });
});

describe('update', () => {
  test('keeps uid and creation time, and replaces the rest', async () => {
    const { metadata } = await client.create(peer('p', 1));
    const updated = await client.update(peer('p', 2));
    expect(updated.metadata).toMatchObject({ uid: metadata.uid, creationTimestamp: metadata.creationTimestamp });
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
    expect(updated.spec.asNumber).toBe(2);
  });

  test('refuses what does not exist', async () => {
    await expect(client.update(peer('blah', 1))).rejects.toThrow(
      new NotFoundError('resource does not exist: BGPPeer(blah) with error: <nil>'),
    );
  });

  test('refuses a revision that is not the latest, and names the latest', async () => {
    const first = await client.create(peer('p', 1));
    const second = await client.update({ ...first, spec: { ...first.spec, asNumber: 2 } });
    await expect(client.update(first)).rejects.toThrow(
      new ConflictError(
        `update conflict: BGPPeer(p): the resource version ${first.metadata.resourceVersion!} is out of date, the latest is ${second.metadata.resourceVersion!}`,
      ),
    );
    expect((await client.get('BGPPeer', 'p')).spec.asNumber).toBe(2);
  });

  test('without a revision tries again up to five times, and with one never', async () => {
    const first = await client.create(peer('p', 1));
    const patient = createResourceClient(contended(store, 5));
    expect((await patient.update(peer('p', 2))).spec.asNumber).toBe(2);
    const unlucky = createResourceClient(contended(store, 6));
    await expect(unlucky.update(peer('p', 3))).rejects.toThrow('update conflict: BGPPeer(p): it keeps changing');
    const latest = await client.get('BGPPeer', 'p');
    const once = createResourceClient(contended(store, 1));
    await expect(once.update({ ...latest, spec: first.spec })).rejects.toThrow('update conflict: BGPPeer(p)');
    expect((await client.get('BGPPeer', 'p')).spec.asNumber).toBe(2);
  });

  test('refuses to change what is immutable', async () => {
    await client.create(pool('p', '192.168.0.0/16'));
    await expect(client.update(pool('p', '10.0.0.0/16', { blockSize: 24 }))).rejects.toThrow(
      [
        'error with the following fields:',
        "-  spec.cidr = '10.0.0.0/16': cannot be changed after creation, it is '192.168.0.0/16'",
        "-  spec.blockSize = '24': cannot be changed after creation, it is '26'",
      ].join('\n'),
    );
    expect((await client.update(pool('p', '192.168.0.0/16', { disabled: true }))).spec.disabled).toBe(true);
  });
});

describe('apply', () => {
  test('creates, then updates', async () => {
    expect((await client.apply(peer('p', 1))).metadata.uid).toBe('uid-1');
    expect((await client.apply(peer('p', 2))).metadata.uid).toBe('uid-1');
    expect((await client.get('BGPPeer', 'p')).spec.asNumber).toBe(2);
  });

  test('minds the revision it is given', async () => {
    const first = await client.apply(peer('p', 1));
    await client.apply(peer('p', 2));
    await expect(client.apply(first)).rejects.toThrow('update conflict: BGPPeer(p)');
  });
});

describe('get, list and delete', () => {
  test('get refuses what does not exist in Calico’s words', async () => {
    await expect(client.get('IPPool', 'blah')).rejects.toThrow(
      'resource does not exist: IPPool(blah) with error: <nil>',
    );
    await expect(client.get('WorkloadEndpoint', 'x')).rejects.toThrow(
      'resource does not exist: WorkloadEndpoint(default/x) with error: <nil>',
    );
  });

  test('list gives one kind, by name, without what cannot be read', async () => {
    for (const name of ['b', 'a']) await client.create(peer(name, 1));
    await client.create(pool('p', '10.0.0.0/16'));
    await store.create(resourceKey('BGPPeer', 'broken'), { kind: 'BGPPeer' });
    expect((await client.list('BGPPeer')).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  test('namespaces part the kinds that have one', async () => {
    const spec = { orchestrator: 'cni', node: 'n', containerID: 'c', endpoint: 'eth0', interfaceName: 'cali0' };
    const endpoint = resource('WorkloadEndpoint', 'n-cni-c-eth0', spec);
    await client.create(endpoint);
    await client.create({ ...endpoint, metadata: { ...endpoint.metadata, namespace: 'other' } });
    expect(await client.list('WorkloadEndpoint')).toHaveLength(2);
    expect(await client.list('WorkloadEndpoint', 'other')).toHaveLength(1);
    await client.delete('WorkloadEndpoint', { name: 'n-cni-c-eth0', namespace: 'other' });
    expect(await client.list('WorkloadEndpoint', 'other')).toHaveLength(0);
    expect((await client.get('WorkloadEndpoint', 'n-cni-c-eth0')).metadata.namespace).toBe('default');
  });

  test('list gives only the names that begin with a text, where one is given', async () => {
    for (const podName of ['web', 'web-0', 'web-0-1', 'db']) {
      const spec = { orchestrator: 'k8s', node: 'n', pod: podName, endpoint: 'eth0', interfaceName: 'cali0' };
      await client.create(resource('WorkloadEndpoint', workloadEndpointName(spec), spec));
    }
    const found = await client.list(
      'WorkloadEndpoint',
      'default',
      endpointsPrefix({ orchestrator: 'k8s', node: 'n', pod: 'web-0' }),
    );
    expect(found.map(({ spec }) => spec.pod)).toEqual(['web-0-1', 'web-0']);
    expect(
      await client.list('WorkloadEndpoint', 'other', endpointsPrefix({ orchestrator: 'k8s', node: 'n', pod: 'web-0' })),
    ).toEqual([]);
  });

  test('delete minds the revision it is given, and what does not exist', async () => {
    const first = await client.create(peer('p', 1));
    await client.update(peer('p', 2));
    await expect(client.delete('BGPPeer', 'p', first.metadata.resourceVersion)).rejects.toThrow(ConflictError);
    await client.delete('BGPPeer', 'p');
    await expect(client.delete('BGPPeer', 'p')).rejects.toThrow(
      'resource does not exist: BGPPeer(p) with error: <nil>',
    );
  });
});

describe('a view of the datastore', () => {
  test('sorts entries into kinds, passes over what is no resource and reports what it cannot read', () => {
    const entries = [
      entryOf(node('node-a1', '10.0.0.1/24'), 3),
      { key: '/calico/ipam/v2/config', value: {}, revision: 4 },
      { key: '/calico/resources/v3/projectcalico.org/stagednetworkpolicies/default/p', value: {}, revision: 5 },
      { key: resourceKey('Node', 'broken'), value: manifest('Node', 'broken', { bgp: {} }) as Json, revision: 6 },
      { key: resourceKey('Node', 'wrong-place'), value: entryOf(peer('p', 1)).value, revision: 7 },
    ];
    const { resources, unreadable } = resourcesFromEntries(entries);
    expect([...resources.Node.keys()]).toEqual(['node-a1']);
    expect(resources.Node.get('node-a1')?.metadata.resourceVersion).toBe('3');
    expect(resources.BGPPeer.size).toBe(0);
    expect(unreadable).toEqual([
      { key: resourceKey('Node', 'broken'), reason: "error with field spec.bgp = '{}': Spec.BGP should not be empty" },
      { key: resourceKey('Node', 'wrong-place'), reason: 'holds a resource that belongs under another key' },
    ]);
  });
});

test('a reader reads an entry once, a changed one anew, and forgets what has gone', () => {
  const reader = new ResourceReader();
  const [first, second] = [entryOf(node('node-a1', '10.0.0.1/24'), 3), entryOf(node('node-a2', '10.0.0.2/24'), 4)];
  const before = reader.view([first, second]).resources.Node;
  const changed = entryOf(node('node-a2', '10.0.0.9/24'), 5);
  const after = reader.view([first, changed]).resources.Node;
  expect(after.get('node-a1')).toBe(before.get('node-a1'));
  expect(after.get('node-a2')?.spec.bgp?.ipv4Address).toBe('10.0.0.9/24');
  expect([...reader.view([changed]).resources.Node.keys()]).toEqual(['node-a2']);
});

describe('a BGPPeer names its filters', () => {
  const filtered = (...filters: readonly string[]) =>
    resource('BGPPeer', 'p', { peerIP: '10.9.9.9', asNumber: 65001, filters });

  test('and each must be there when it is created or its filters change', async () => {
    await expect(client.create(filtered('a', 'b'))).rejects.toThrow(
      `error with field spec.filters = '["a","b"]': BGPFilter(s) not found: a, b`,
    );
    await client.create(resource('BGPFilter', 'a'));
    await client.create(filtered('a'));
    await expect(client.update(filtered('a', 'b'))).rejects.toThrow('BGPFilter(s) not found: b');
  });

  test('a filter may be deleted while peers name it, and such a peer may still be changed elsewhere', async () => {
    await client.create(resource('BGPFilter', 'a'));
    await client.create(filtered('a'));
    await client.delete('BGPFilter', 'a');
    const moved = { ...filtered('a'), spec: { ...filtered('a').spec, peerIP: '10.9.9.8' } };
    expect((await client.update(moved)).spec.peerIP).toBe('10.9.9.8');
  });
});

describe('tiers and their policies', () => {
  const tier = (name: string, order: number) => resource('Tier', name, { order });
  const policy = (name: string, spec: object) => resource('NetworkPolicy', name, spec);

  test('a policy goes into a tier that is there, or is Calico’s own', async () => {
    await expect(client.create(policy('p', { tier: 'security' }))).rejects.toThrow(
      "error with field spec.tier = 'security': is not there: a tier is made before its policies",
    );
    await client.create(policy('q', {}));
    await client.create(policy('r', { tier: 'kube-admin' }));
    await client.create(tier('security', 10));
    await client.create(policy('p', { tier: 'security' }));
  });

  test('a policy whose tier is gone may still be changed', async () => {
    await client.create(tier('security', 10));
    const created = await client.create(policy('p', { tier: 'security' }));
    await store.delete(resourceKey('Tier', 'security'));
    await client.update({ ...created, spec: { ...created.spec, order: 1 } });
    await expect(client.update(policy('p', { tier: 'other' }))).rejects.toThrow("spec.tier = 'other': is not there");
  });

  test.each(['NetworkPolicy', 'GlobalNetworkPolicy'] as const)(
    'a tier with a %s in it is not deleted',
    async (kind) => {
      await client.create(tier('security', 10));
      await client.create(resource(kind, 'p', { tier: 'security' }));
      const id = kind === 'NetworkPolicy' ? 'NetworkPolicy(default/p)' : 'GlobalNetworkPolicy(p)';
      await expect(client.delete('Tier', 'security')).rejects.toThrow(
        `error with field metadata.name = 'security': is not an empty tier: ${id} is in it`,
      );
      await client.delete(kind, 'p');
      await client.delete('Tier', 'security');
    },
  );

  test('tiers are listed by their order, equals by name', async () => {
    for (const [name, order] of [
      ['b', 5],
      ['a', 5],
      ['z', 1],
    ] as const)
      await client.create(tier(name, order));
    expect((await client.list('Tier')).map(({ metadata }) => metadata.name)).toEqual(['z', 'a', 'b']);
  });
});

describe('what is Calico’s own', () => {
  test('is neither made nor changed nor deleted', async () => {
    const profile = resource('Profile', 'projectcalico-default-allow');
    const reason = 'is a profile of Calico itself, which can be neither written nor deleted';
    await expect(client.create(profile)).rejects.toThrow(reason);
    await expect(client.update(profile)).rejects.toThrow(reason);
    await expect(client.delete('Profile', 'projectcalico-default-allow')).rejects.toThrow(reason);
    const copy = resource('NetworkPolicy', 'knp.default.web');
    await expect(client.apply(copy)).rejects.toThrow('is managed through the Kubernetes API');
  });

  test('the built-in tiers may be written as they are, and not deleted', async () => {
    await client.create(resource('Tier', 'default'));
    await expect(client.delete('Tier', 'default')).rejects.toThrow(
      "error with field metadata.name = 'default': is a tier that cannot be deleted",
    );
  });
});
