import { describe, expect, test } from 'vitest';
import type { HostInterface } from '../../../felix/index.ts';
import { registerNode } from '../../../src/agent/registration.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { createResourceClient } from '../../../src/resources/index.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { hostOf } from '../../support/host-interfaces.ts';
import { resource } from '../../support/resources.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

const eth0 = (addresses: string): HostInterface => hostOf(`2 eth0 ${addresses}`)[0]!;

interface Start {
  readonly store?: Store;
  readonly node?: string;
  readonly address?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function start({
  store = new MemoryStore(),
  node = 'node-a1',
  address = '172.30.1.11/24',
  env = {},
}: Start): Promise<Store> {
  const resources = createResourceClient(store);
  const interfaces = (): Promise<HostInterface[]> => Promise.resolve([eth0(address)]);
  await registerNode(node, loadSettings({ DATASTORE_TYPE: 'file', ...env }), {
    resources,
    interfaces,
    log: silentLogger,
  });
  return store;
}

const nodeSpec = async (store: Store, name = 'node-a1'): Promise<unknown> =>
  (await createResourceClient(store).get('Node', name)).spec;
const pools = async (store: Store): Promise<string[]> =>
  (await createResourceClient(store).list('IPPool')).map(
    ({ spec }) => `${spec.cidr} ${spec.ipipMode} ${spec.vxlanMode}`,
  );

describe('the address', () => {
  test('is by kubernetes-internal-ip what spec.addresses of the Node says is its InternalIP', async () => {
    const store = new MemoryStore();
    const addresses = [
      { address: '172.30.1.99', type: 'ExternalIP' },
      { address: '172.30.1.11', type: 'InternalIP' },
    ];
    await createResourceClient(store).create(resource('Node', 'node-a1', { addresses }));
    const env = { IP: 'autodetect', IP_AUTODETECTION_METHOD: 'kubernetes-internal-ip' };
    const address = '172.30.1.99/24,172.30.1.11/24';
    expect(await nodeSpec(await start({ store, env, address }))).toEqual({
      addresses,
      bgp: { ipv4Address: '172.30.1.11/24' },
    });
    await expect(start({ env })).rejects.toThrow(
      'spec.addresses of the Node resource has no IPv4 address of type InternalIP',
    );
  });

  test('is detected with the mask of its interface', async () => {
    expect(await nodeSpec(await start({ env: { IP: 'autodetect' } }))).toEqual({
      bgp: { ipv4Address: '172.30.1.11/24' },
    });
  });

  test('given without a mask takes that of its interface, so that CrossSubnet can see its neighbours', async () => {
    expect(await nodeSpec(await start({ env: { IP: '172.30.1.11' } }))).toEqual({
      bgp: { ipv4Address: '172.30.1.11/24' },
    });
  });

  test('that is stored stays where IP is not set, and is detected anew with IP=autodetect', async () => {
    const store = await start({});
    await start({ store, address: '172.30.1.99/24' });
    expect(await nodeSpec(store)).toEqual({ bgp: { ipv4Address: '172.30.1.11/24' } });
    await start({ store, address: '172.30.1.99/24', env: { IP: 'autodetect' } });
    expect(await nodeSpec(store)).toEqual({ bgp: { ipv4Address: '172.30.1.99/24' } });
  });

  test('of another node is refused, and nothing is written', async () => {
    const store = await start({});
    const before = await store.list('/');
    await expect(start({ store, node: 'node-a2' })).rejects.toThrow(
      '172.30.1.11 is already the address of Node(node-a1)',
    );
    expect(await store.list('/')).toEqual(before);
  });

  test('given without a mask that is on no interface is refused: /32 would tunnel everything', async () => {
    await expect(start({ env: { IP: '192.0.2.77' } })).rejects.toThrow(
      "IP = '192.0.2.77': is on no interface of this host; say its subnet's length too, as in 192.0.2.77/24",
    );
    expect(await nodeSpec(await start({ env: { IP: '192.0.2.77/24' } }))).toEqual({
      bgp: { ipv4Address: '192.0.2.77/24' },
    });
  });

  test('that nobody can find is told with what was passed over, and nothing is written', async () => {
    const store = new MemoryStore();
    await expect(start({ store, env: { IP_AUTODETECTION_METHOD: 'interface=bond.*' } })).rejects.toThrow(
      "IP_AUTODETECTION_METHOD = 'interface=bond.*': no IPv4 address by interface=bond.*: eth0 172.30.1.11/24 is not asked for",
    );
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('stays with IP=autodetect while it is up, and is no longer written anew for another that came', async () => {
    const store = await start({});
    const before = await store.list('/');
    await start({ store, address: '10.9.0.1/24,172.30.1.11/24', env: { IP: 'autodetect' } });
    expect(await store.list('/')).toEqual(before);
  });

  test('of IPv6 is there where it is asked for, and stays where it is not', async () => {
    const address = '172.30.1.11/24,2001:db8::11/64,fe80::1/64';
    const store = await start({ address });
    expect(await nodeSpec(store)).toEqual({ bgp: { ipv4Address: '172.30.1.11/24' } });
    await start({ store, address, env: { IP6: 'autodetect' } });
    const both = { bgp: { ipv4Address: '172.30.1.11/24', ipv6Address: '2001:db8::11/64' } };
    expect(await nodeSpec(store)).toEqual(both);
    await start({ store });
    await start({ store, env: { IP: 'none', IP6: 'none' } });
    expect(await nodeSpec(store)).toEqual(both);
  });

  test('of IPv6 that is asked for and not there ends the start, and nothing is written', async () => {
    const store = new MemoryStore();
    await expect(start({ store, env: { IP6: 'autodetect' } })).rejects.toThrow(
      "IP6_AUTODETECTION_METHOD = 'first-found': no IPv6 address by first-found: eth0 has no IPv6 address",
    );
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('may be of IPv6 alone; no IPv4 pool is made for such a node', async () => {
    const store = await start({ env: { IP: 'none', IP6: 'autodetect' }, address: 'fd00::1/64' });
    expect(await nodeSpec(store)).toEqual({ bgp: { ipv6Address: 'fd00::1/64' } });
    expect(await pools(store)).toEqual([]);
  });

  test('none of either family, and none stored, ends the start, and nothing is written', async () => {
    const store = new MemoryStore();
    await expect(start({ store, env: { IP: 'none' }, address: 'fd00::1/64' })).rejects.toThrow(
      "IP = 'none': and the datastore has no address of this node, either: set IP, or IP6 for a node of IPv6 alone",
    );
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('that others would do for as well is told with the ranking, and how each came to be', async () => {
    const { log, lines } = memoryLogger();
    const chosen = await registerNode('node-a1', loadSettings({ DATASTORE_TYPE: 'file', IP6: 'autodetect' }), {
      resources: createResourceClient(new MemoryStore()),
      interfaces: () => Promise.resolve(hostOf('2 eth0 10.0.0.5/24,fd00::5/64', '3 eth1 10.0.1.5/24')),
      log,
    });
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([
      [
        'warn',
        {
          candidates: [
            'eth1 10.0.1.5/24 comes first of what would do as well',
            'eth0 10.0.0.5/24 would do as well, but its interface has a lower index',
          ],
        },
      ],
      [
        'info',
        {
          ...{ node: 'node-a1', address: '10.0.1.5/24' },
          ...{ ipv4: '10.0.1.5/24 of eth1, by first-found', ipv6: 'fd00::5/64 of eth0, by first-found' },
        },
      ],
    ]);
    expect(lines[0]!.message).toContain('choose one with IP_AUTODETECTION_METHOD or IP');
    expect(chosen.map(({ reason }) => reason)).toEqual([
      '10.0.1.5/24 of eth1, by first-found',
      'fd00::5/64 of eth0, by first-found',
    ]);
  });
});

describe('a node that is there', () => {
  test('keeps its labels and tunnel addresses, and is not rewritten for nothing', async () => {
    const store = await start({});
    const resources = createResourceClient(store);
    const node = await resources.get('Node', 'node-a1');
    const bgp = { ...node.spec.bgp, ipv4IPIPTunnelAddr: '192.168.0.1' };
    await resources.update({ ...node, metadata: { ...node.metadata, labels: { rack: 'a' } }, spec: { bgp } });
    const before = await resources.get('Node', 'node-a1');
    await start({ store, env: { IP: 'autodetect' } });
    expect(await resources.get('Node', 'node-a1')).toEqual(before);
    await start({ store, env: { AS: '64999' } });
    expect((await resources.get('Node', 'node-a1')).spec).toEqual({ bgp: { ...bgp, asNumber: 64999 } });
  });
});

describe('the default pool', () => {
  test('is made once, as the variables say; later ones change nothing', async () => {
    const store = await start({ env: { CALICO_IPV4POOL_CIDR: '10.48.0.0/16', CALICO_IPV4POOL_IPIP: 'CrossSubnet' } });
    await start({ store, node: 'node-a2', address: '172.30.1.12/24', env: { CALICO_IPV4POOL_CIDR: '10.49.0.0/16' } });
    expect(await pools(store)).toEqual(['10.48.0.0/16 CrossSubnet Never']);
  });

  test('avoids the host: 172.16.0.0/16 where the host lives in 192.168.0.0/16', async () => {
    expect(await pools(await start({ address: '192.168.122.5/24' }))).toEqual(['172.16.0.0/16 Never Never']);
  });

  test.each([{ NO_DEFAULT_POOLS: 'true' }, { CALICO_IPV4POOL_CIDR: 'none' }])('is not made with %j', async (env) => {
    expect(await pools(await start({ env }))).toEqual([]);
  });

  test("that overlaps the nodes' subnet is refused, and nothing is written", async () => {
    const store = new MemoryStore();
    await expect(start({ store, env: { CALICO_IPV4POOL_CIDR: '172.30.0.0/16' } })).rejects.toThrow(
      "CALICO_IPV4POOL_CIDR = '172.30.0.0/16': overlaps the subnet of this node's own address 172.30.1.11/24",
    );
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('that breaks a rule of IPPool is refused before the node is written', async () => {
    const store = new MemoryStore();
    const settings = { ...loadSettings({ DATASTORE_TYPE: 'file' }) };
    const defaultPool = { ...settings.defaultPool!, nodeSelector: 'rack === a' };
    const ports = {
      resources: createResourceClient(store),
      interfaces: () => Promise.resolve([eth0('10.0.0.1/24')]),
      log: silentLogger,
    };
    await expect(registerNode('n', { ...settings, defaultPool }, ports)).rejects.toThrow('spec.nodeSelector');
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('is content to come second', async () => {
    const store = new MemoryStore();
    const nodes = ['node-a1', 'node-a2', 'node-a3'];
    await Promise.all(nodes.map((node, i) => start({ store, node, address: `172.30.1.${11 + i}/24` })));
    expect(await pools(store)).toEqual(['192.168.0.0/16 Never Never']);
  });
});

describe('the cluster', () => {
  const guid = async (store: Store): Promise<string | undefined> =>
    (await createResourceClient(store).get('ClusterInformation', 'default')).spec.clusterGUID;

  test('has a GUID since its first node, by which its data is known again; Calico’s own is kept', async () => {
    const store = await start({});
    const first = await guid(store);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    await start({ store, node: 'node-a2', address: '172.30.1.12/24' });
    expect(await guid(store)).toBe(first);
    expect(await guid(await start({}))).not.toBe(first);
    const calico = new MemoryStore();
    await createResourceClient(calico).create(resource('ClusterInformation', 'default', { clusterGUID: 'ours' }));
    expect(await guid(await start({ store: calico }))).toBe('ours');
  });
});
