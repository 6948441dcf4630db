import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { agentEnvironment, HOLD_SECONDS } from '../../../src/demo/environment.ts';
import { buildTopology, creationBatch, hostBatch, NODES, SWITCHES } from '../../../src/demo/topology.ts';
import { loadSettings } from '../../../src/config/settings.ts';

const full = buildTopology({ etcd: true });

describe('the topology', () => {
  test('plugs every cable into hosts that exist, and every host into a cable', () => {
    const hosts = new Set(full.hosts.map(({ name }) => name));
    const plugged = full.cables.flat().map(({ host }) => host);
    expect(new Set(plugged)).toEqual(hosts);
  });

  test('gives no address and no interface twice', () => {
    const plugs = full.cables.flat();
    const addresses = [
      ...plugs.flatMap(({ address }) => address ?? []),
      ...full.hosts.flatMap((h) => h.bridge?.address ?? []),
    ];
    expect(new Set(addresses).size).toBe(addresses.length);
    const interfaces = plugs.map(({ host, interfaceName }) => `${host} ${interfaceName}`);
    expect(new Set(interfaces).size).toBe(interfaces.length);
    for (const { interfaceName } of plugs) expect(interfaceName.length).toBeLessThanOrEqual(15);
  });

  test('has etcd’s host only where it is asked for', () => {
    const without = buildTopology({ etcd: false });
    expect(
      full.hosts.filter(({ name }) => !without.hosts.some((host) => host.name === name)).map(({ name }) => name),
    ).toEqual(['etcd']);
  });

  test('carries the prefix in every name that the machine sees', () => {
    const named = creationBatch(full, 'pre-').flatMap((line) =>
      [...line.matchAll(/(?:netns add|netns) (\S+)/g)].map(([, name]) => name!),
    );
    expect(named.length).toBe(full.hosts.length + 2 * full.cables.length);
    for (const name of named) expect(name).toMatch(/^pre-/);
  });

  test('sets a default route last, when the way to it is up', () => {
    const node = full.hosts.find(({ name }) => name === 'node-b1')!;
    expect(hostBatch(full, node)).toEqual([
      'link set lo up',
      'address add 172.30.2.11/24 dev eth0',
      'link set eth0 up',
      'route add default via 172.30.2.1',
    ]);
  });
});

describe('the samples in config', () => {
  const bird = readFileSync('config/tor/bird.conf', 'utf8');
  const frr = readFileSync('config/tor/frr.conf', 'utf8');
  const peers = readFileSync('config/examples/demo/bgp-peers.yaml', 'utf8');
  const [torA, torB] = SWITCHES;

  test('are those of this topology: addresses, AS numbers and the hold time', () => {
    expect(bird).toContain(`router id ${torA.address};`);
    expect(bird).toContain(`local as ${torA.asn};`);
    expect(bird).toContain(`neighbor ${torB.uplinkAddress} as ${torB.asn};`);
    expect(bird).toContain(`hold time ${HOLD_SECONDS};`);
    expect(frr).toContain(`bgp router-id ${torB.address}`);
    expect(frr).toContain(`router bgp ${torB.asn}`);
    expect(frr).toContain(`neighbor ${torA.uplinkAddress} remote-as ${torA.asn}`);
    expect(frr).toContain(`timers bgp ${HOLD_SECONDS / 3} ${HOLD_SECONDS}`);
    for (const { address, asn } of SWITCHES) expect(peers).toContain(`peerIP: ${address}\n  asNumber: ${asn}\n`);
  });
});

describe('an agent’s environment', () => {
  const layout = { prefix: 'p-', directory: '/run/p' };

  test.each(['ipip', 'vxlan'] as const)('with %s is one that the agent accepts, with one encapsulation', (encap) => {
    const environment = agentEnvironment(layout, NODES[0]!, { datastore: 'file', encap });
    expect(() => loadSettings(environment)).not.toThrow();
    const modes = [environment['CALICO_IPV4POOL_IPIP'], environment['CALICO_IPV4POOL_VXLAN']];
    expect(modes).toEqual(encap === 'ipip' ? ['CrossSubnet', 'Never'] : ['Never', 'CrossSubnet']);
  });

  test('keeps two nodes’ files apart, and names no file outside the cluster’s directory', () => {
    const [one, two] = NODES.map((node) => agentEnvironment(layout, node, { datastore: 'file', encap: 'ipip' }));
    expect(one!['CALICO_RUN_DIR']).not.toBe(two!['CALICO_RUN_DIR']);
    const paths = Object.entries(one!).filter(([name, value]) => name.startsWith('CALICO') && value.startsWith('/'));
    expect(paths.length).toBe(3);
    for (const [, path] of paths) expect(path).toMatch(/^\/run\/p\//);
  });
});
