import { beforeEach, expect, test } from 'vitest';
import { addWorkloadInterface } from '../../felix/workload-interface.ts';
import { lookAtWorkloadInterface } from '../../felix/workload-sight.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const netns = '/var/run/netns/pod1';
const names = { netns, containerInterface: 'eth0', hostInterface: 'cali0123456789a' };
const addresses = ['10.65.0.2', 'fd00::2'].map((text) => parseIpAddress(text));
let pod: FakeKernel;
let host: FakeKernel;

const look = () => lookAtWorkloadInterface(names, addresses, { host, openNamespace: () => pod });

beforeEach(async () => {
  pod = new FakeKernel();
  host = new FakeKernel(new Map([[netns, pod]]));
  const routeOver = (): Promise<void> => Promise.resolve();
  await addWorkloadInterface({ ...names, addresses, mtu: 1380 }, { host, openNamespace: () => pod, routeOver });
});

test('sees both sides, the addresses, and the routes over the pod’s side', async () => {
  const { mac } = (await pod.getLink('eth0'))!;
  expect(await look()).toEqual({
    host: { mac: 'ee:ee:ee:ee:ee:ee', up: true, isPaired: true, hasProxyArp: true, hasLinkLocal: true },
    pod: {
      ...{ mac, mtu: 1380, up: true },
      addresses: addresses.map((address) => ({ address, length: address.family === 4 ? 32 : 128 })),
      routes: expect.arrayContaining([
        { prefix: parsePrefix('169.254.1.1/32') },
        { prefix: parsePrefix('0.0.0.0/0'), gateway: parseIpAddress('169.254.1.1') },
        { prefix: parsePrefix('::/0'), gateway: parseIpAddress('fe80::ecee:eeff:feee:eeee') },
      ]) as object,
    },
    reached: [],
  });
});

test('sees what the host would send to the pod', async () => {
  const { index } = (await host.getLink('cali0123456789a'))!;
  const route = { table: 254, protocol: 80, type: 'unicast', scope: 253, metric: 0 } as const;
  const hops = [{ ifindex: index, onlink: false }];
  await host.writeRoutes([{ op: 'replace', route: { ...route, prefix: parsePrefix('10.65.0.2/32'), hops } }]);
  expect((await look()).reached).toEqual([addresses[0]]);
});

test('sees what is missing and what is altered', async () => {
  const { index } = (await pod.getLink('eth0'))!;
  await pod.removeAddress({ ifindex: index, address: parseInterfaceAddress('10.65.0.2/32'), scope: 0 });
  await pod.setLink(index, { up: false });
  await host.writeSysctl('net/ipv4/conf/cali0123456789a/proxy_arp', '0');
  expect(await look()).toMatchObject({ host: { hasProxyArp: false }, pod: { up: false } });
  expect((await look()).pod?.addresses).toHaveLength(1);
  await host.deleteLink('cali0123456789a');
  expect(await look()).toEqual({ reached: [] });
});
