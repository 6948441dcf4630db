import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkloadInterface } from '../../felix/index.ts';
import { MAIN_TABLE, SCOPE } from '../../felix/routes/kernel-route.ts';
import type { Kernel } from '../../felix/kernel.ts';
import { createLinuxKernel } from '../../felix/linux-kernel.ts';
import { addWorkloadInterface, removeWorkloadInterface } from '../../felix/workload-interface.ts';
import { hostPrefix, parseIpAddress } from '../../src/model/ip.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const HOST_INTERFACE = 'cali0123456789a';

describe.runIf(isRoot || process.env['CI'] !== undefined)('a pod interface (needs root)', () => {
  let node: TestNetns;
  let pod: TestNetns;
  let other: TestNetns;
  let host: Kernel;

  /** The tests write them themselves, see `routeToPod`. */
  const routeOver = (): Promise<void> => Promise.resolve();
  const openNamespace = (netns: string): Kernel => createLinuxKernel({ netns });
  const workload = (fields: Partial<WorkloadInterface> = {}): WorkloadInterface => ({
    netns: pod.path,
    containerInterface: 'eth0',
    hostInterface: HOST_INTERFACE,
    addresses: [parseIpAddress('10.65.0.2')],
    mtu: 0,
    ...fields,
  });
  const add = (fields: Partial<WorkloadInterface> = {}): Promise<{ readonly mac: string }> =>
    addWorkloadInterface(workload(fields), { host, openNamespace, routeOver });

  beforeEach(() => {
    [node, pod, other] = [makeNetns('ctk-node'), makeNetns('ctk-pod'), makeNetns('ctk-pod2')];
    host = createLinuxKernel({ netns: node.path });
  });

  afterEach(async () => {
    await host.close();
    for (const netns of [node, pod, other]) netns.remove();
  });

  /** What felix does for an endpoint. */
  async function routeToPod(...addresses: readonly string[]): Promise<void> {
    const ifindex = (await host.listLinks()).find(({ name }) => name === HOST_INTERFACE)!.index;
    const results = await host.writeRoutes(
      addresses.map((text) => ({
        op: 'replace',
        route: {
          prefix: hostPrefix(parseIpAddress(text)),
          table: MAIN_TABLE,
          protocol: 80,
          type: 'unicast',
          scope: SCOPE.link,
          metric: 0,
          hops: [{ ifindex, onlink: false }],
        },
      })),
    );
    expect(results.filter((error) => error !== undefined)).toEqual([]);
  }

  /** Everything that a second call could have changed. */
  const picture = (): string =>
    [
      node.run('ip', '-d', 'link', 'show', HOST_INTERFACE),
      node.run('ip', 'address', 'show', HOST_INTERFACE),
      pod.run('ip', '-d', 'link'),
      pod.run('ip', 'address'),
      pod.run('ip', 'route'),
      pod.run('ip', '-6', 'route'),
    ]
      .join('\n')
      // Lifetimes of learned entries and flags that come with the carrier.
      .replaceAll(/ tentative| state \w+|,?LOWER_UP/g, '');

  test('looks as Calico makes it, on both sides', async () => {
    const { mac } = await add({ mtu: 1380 });
    const hostSide = node.run('ip', '-d', 'link', 'show', HOST_INTERFACE);
    expect(hostSide).toContain('link/ether ee:ee:ee:ee:ee:ee');
    expect(hostSide).toContain('mtu 1380');
    expect(hostSide).toContain('veth');
    expect(hostSide).toMatch(/<[^>]*\bUP\b/);
    expect(node.run('ip', '-4', 'address', 'show', HOST_INTERFACE)).toBe('');
    const podSide = pod.run('ip', '-d', 'link', 'show', 'eth0');
    expect(podSide).toContain(`link/ether ${mac}`);
    expect(podSide).toContain('mtu 1380');
    expect(pod.run('ip', 'address', 'show', 'eth0')).toContain('inet 10.65.0.2/32 scope global eth0');
    const routes = pod
      .run('ip', 'route')
      .split('\n')
      .map((line) => line.trim());
    expect(routes).toContain('default via 169.254.1.1 dev eth0 proto 80');
    expect(routes).toContain('169.254.1.1 dev eth0 proto 80 scope link');
    expect(pod.run('ip', 'link', 'show', 'lo')).toContain('LOOPBACK,UP');
    const sysctl = (path: string): string => node.run('cat', `/proc/sys/net/${path}`).trim();
    expect(sysctl(`ipv4/conf/${HOST_INTERFACE}/proxy_arp`)).toBe('1');
    expect(sysctl(`ipv4/conf/${HOST_INTERFACE}/forwarding`)).toBe('1');
    expect(sysctl(`ipv4/conf/${HOST_INTERFACE}/route_localnet`)).toBe('1');
    expect(sysctl(`ipv4/neigh/${HOST_INTERFACE}/proxy_delay`)).toBe('0');
    expect(sysctl(`ipv6/conf/${HOST_INTERFACE}/accept_ra`)).toBe('0');
    expect(sysctl(`ipv4/conf/${HOST_INTERFACE}/rp_filter`)).toBe(sysctl('ipv4/conf/default/rp_filter'));
    expect(pod.run('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('0');
    // The visits to the pod's namespace are over.
    expect(node.run('ip', 'link')).not.toContain('eth0');
  });

  test('carries pings to the host and to another pod, by proxy ARP alone', async () => {
    await add();
    await routeToPod('10.65.0.2');
    // The kernel answers ARP for 169.254.1.1 only where it would route it elsewhere: the host's default route.
    node.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'switch');
    node.run('ip', 'link', 'set', 'switch', 'up');
    node.run('ip', 'link', 'set', 'uplink', 'up');
    node.run('ip', 'address', 'add', '172.30.1.11/24', 'dev', 'uplink');
    node.run('ip', 'route', 'add', 'default', 'via', '172.30.1.1');
    expect(pod.run('ping', '-c', '1', '-W', '2', '172.30.1.11')).toContain(' 0% packet loss');
    expect(pod.run('ip', 'neighbour')).toContain('169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee');
    await addWorkloadInterface(
      workload({ netns: other.path, hostInterface: 'cali0123456789b', addresses: [parseIpAddress('10.65.0.3')] }),
      { host, openNamespace, routeOver },
    );
    node.run('ip', 'route', 'add', '10.65.0.3/32', 'dev', 'cali0123456789b', 'scope', 'link');
    expect(pod.run('ping', '-c', '1', '-W', '2', '10.65.0.3')).toContain(' 0% packet loss');
  });

  test('gives a pod IPv6 as well, by way of the host side’s link-local address', async () => {
    await add({ addresses: [parseIpAddress('10.65.0.2'), parseIpAddress('fd00:65::2')] });
    await routeToPod('10.65.0.2', 'fd00:65::2');
    node.run('ip', 'link', 'set', 'lo', 'up');
    node.run('ip', 'address', 'add', 'fd00:30::11/128', 'dev', 'lo');
    expect(pod.run('ip', '-6', 'route')).toContain('default via fe80::ecee:eeff:feee:eeee dev eth0');
    expect(pod.run('ip', 'address', 'show', 'eth0')).toContain('inet6 fd00:65::2/128 scope global');
    for (const [path, value] of [
      ['proxy_ndp', '1'],
      ['forwarding', '1'],
      ['accept_dad', '0'],
    ]) {
      expect(node.run('cat', `/proc/sys/net/ipv6/conf/${HOST_INTERFACE}/${path!}`).trim()).toBe(value);
    }
    expect(pod.run('ping', '-6', '-c', '1', '-W', '2', 'fd00:30::11')).toContain(' 0% packet loss');
  });

  test('added twice is as added once', async () => {
    const addresses = [parseIpAddress('10.65.0.2'), parseIpAddress('fd00:65::2')];
    const first = await add({ addresses });
    await routeToPod('10.65.0.2');
    // The carrier comes a moment after the link is up; where both sides have one index, Linux takes up to a second.
    while (picture().includes('NO-CARRIER') || !pod.run('ip', 'address', 'show', 'eth0').includes('fe80::'))
      await sleep(20);
    const before = picture();
    expect(await add({ addresses })).toEqual(first);
    expect(picture()).toBe(before);
    expect(node.run('ip', 'route')).toContain(`10.65.0.2 dev ${HOST_INTERFACE}`);
  });

  test('a pod that changed its address has the new one only', async () => {
    await add();
    await add({ addresses: [parseIpAddress('10.65.0.9')] });
    const shown = pod.run('ip', 'address', 'show', 'eth0');
    expect(shown).toContain('10.65.0.9/32');
    expect(shown).not.toContain('10.65.0.2');
  });

  test('replaces what an earlier pod left under its name', async () => {
    await add();
    await add({ netns: other.path });
    expect(pod.run('ip', 'link')).not.toContain('eth0');
    expect(other.run('ip', 'address', 'show', 'eth0')).toContain('10.65.0.2/32');
  });

  test('removed twice is gone, on both sides', async () => {
    await add();
    await removeWorkloadInterface(HOST_INTERFACE, host);
    await removeWorkloadInterface(HOST_INTERFACE, host);
    expect(node.run('ip', 'link')).not.toContain(HOST_INTERFACE);
    expect(pod.run('ip', 'link')).not.toContain('eth0');
  });

  test('a namespace that is not there, and an eth0 that is somebody else’s, are named, and nothing is left behind', async () => {
    await expect(add({ netns: '/var/run/netns/ctk-nowhere' })).rejects.toThrow(
      /^interface cali0123456789a of the pod in \/var\/run\/netns\/ctk-nowhere: .*ENOENT/,
    );
    pod.run('ip', 'link', 'add', 'eth0', 'type', 'bridge');
    await expect(add()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(node.run('ip', 'link')).not.toContain(HOST_INTERFACE);
    expect(pod.run('ip', '-d', 'link', 'show', 'eth0')).toContain('bridge');
  });
});
