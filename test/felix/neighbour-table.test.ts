import { expect, test } from 'vitest';
import type { DesiredTunnelPeer } from '../../felix/calc/tunnels.ts';
import { hostLinks } from '../../felix/host-snapshot.ts';
import { NeighbourTable } from '../../felix/neighbour-table.ts';
import { formatIpAddress, parseIpAddress } from '../../src/model/ip.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const peer = (gateway: string, mac: string, remote: string): DesiredTunnelPeer => ({
  interfaceName: gateway.includes(':') ? 'vxlan-v6.calico' : 'vxlan.calico',
  gateway: parseIpAddress(gateway),
  mac,
  remote: parseIpAddress(remote),
});
const near = peer('192.168.2.2', '66:00:00:00:00:02', '172.30.1.12');
const far = peer('192.168.3.2', '66:00:00:00:00:03', '172.30.2.11');

function setUp() {
  const kernel = new FakeKernel();
  const ifindex = kernel.givenLink({
    name: 'vxlan.calico',
    kind: 'vxlan',
    mtu: 1450,
    up: true,
    running: true,
    mac: '',
  });
  const show = async () =>
    (await kernel.listNeighbours(ifindex))
      .map((one) => `${one.mac} ${formatIpAddress(one.kind === 'fdb' ? one.remote : one.address)}`)
      .sort();
  return { kernel, ifindex, show };
}

async function converge(kernel: FakeKernel, peers: readonly DesiredTunnelPeer[], mayDelete = true): Promise<void> {
  const table = new NeighbourTable(kernel);
  const links = hostLinks({ links: await kernel.listLinks() });
  await table.resync(links);
  table.setDesired(peers, links);
  await table.reconcile(0, mayDelete);
}

test('each peer is one permanent neighbour and one forwarding entry', async () => {
  const { kernel, show } = setUp();
  await converge(kernel, [near, far]);
  expect(await show()).toEqual([
    '66:00:00:00:00:02 172.30.1.12',
    '66:00:00:00:00:02 192.168.2.2',
    '66:00:00:00:00:03 172.30.2.11',
    '66:00:00:00:00:03 192.168.3.2',
  ]);
});

test('each family has its own link, and a peer over a link that is not there waits', async () => {
  const { kernel, show } = setUp();
  const six = peer('fe80::6400:ff:fe00:2', '66:00:00:00:00:02', 'fd00:30::12');
  await converge(kernel, [near, six]);
  expect(await show()).toEqual(['66:00:00:00:00:02 172.30.1.12', '66:00:00:00:00:02 192.168.2.2']);
  const ifindex = kernel.givenLink({
    name: 'vxlan-v6.calico',
    kind: 'vxlan',
    mtu: 1430,
    up: true,
    running: true,
    mac: '',
  });
  await converge(kernel, [near, six]);
  const entries = (await kernel.listNeighbours(ifindex)).map((one) => [one.kind, one.mac]);
  expect(entries).toEqual([
    ['neighbour', '66:00:00:00:00:02'],
    ['fdb', '66:00:00:00:00:02'],
  ]);
  await converge(kernel, [near]);
  expect(await kernel.listNeighbours(ifindex)).toEqual([]);
  expect((await show()).length).toBe(2);
});

test('entries that are right are not written again, also by a process with an empty memory', async () => {
  const { kernel } = setUp();
  await converge(kernel, [near, far]);
  const before = kernel.journal.length;
  await converge(kernel, [far, near]);
  expect(kernel.journal.length).toBe(before);
});

test('a peer that left goes, but not before all is in sync', async () => {
  const { kernel, show } = setUp();
  await converge(kernel, [near, far]);
  await converge(kernel, [near], false);
  expect((await show()).length).toBe(4);
  await converge(kernel, [near]);
  expect(await show()).toEqual(['66:00:00:00:00:02 172.30.1.12', '66:00:00:00:00:02 192.168.2.2']);
});

test('a node that moved to another host address is replaced in place', async () => {
  const { kernel } = setUp();
  await converge(kernel, [near]);
  kernel.journal.length = 0;
  await converge(kernel, [{ ...near, remote: parseIpAddress('172.30.1.99') }]);
  expect(kernel.journal).toEqual(['replace fdb fdb 2 66:00:00:00:00:02']);
});

test('what the kernel learned or made by itself is left alone', async () => {
  const { kernel, ifindex, show } = setUp();
  await kernel.replaceNeighbour({
    ...{ kind: 'fdb', ifindex, mac: '33:33:00:00:00:01', permanent: true },
    remote: parseIpAddress('0.0.0.0'),
  });
  await kernel.replaceNeighbour({
    ...{ kind: 'neighbour', ifindex, mac: '02:00:00:00:00:09', permanent: false },
    address: parseIpAddress('192.168.9.9'),
  });
  await converge(kernel, []);
  expect((await show()).length).toBe(2);
});

test('the same peers over a link that was made anew are written there', async () => {
  const written: number[] = [];
  const table = new NeighbourTable({
    listNeighbours: () => Promise.resolve([]),
    replaceNeighbour: ({ ifindex }) => Promise.resolve(void written.push(ifindex)),
    removeNeighbour: () => Promise.resolve(),
  });
  const peers = [near];
  for (const index of [7, 7, 8]) {
    const links = new Map([['vxlan.calico', { name: 'vxlan.calico', index, up: true, mtu: 1450 }]]);
    table.setDesired(peers, links);
    await table.reconcile(0, true);
  }
  expect(written).toEqual([7, 7, 8, 8]);
});
