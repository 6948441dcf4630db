import { beforeEach, describe, expect, test } from 'vitest';
import { addPod } from '../../../src/cni/add.ts';
import { collectGarbage } from '../../../src/cni/gc.ts';
import type { Collection } from '../../../src/cni/gc.ts';
import { removePod } from '../../../src/cni/del.ts';
import { FakeHost, hostInterfaceOf, podAttachment } from '../../support/fake-host.ts';

const NOTHING = { links: [], handles: [], endpoints: [] };
const A = podAttachment({ containerId: 'c1', pod: 'a' });
const B = podAttachment({ containerId: 'c2', pod: 'b' });
const MORE = podAttachment({ containerId: 'c3', pod: 'c' }, { network: 'k8s-pod-network.more' });
const STRAY = 'cali0123456789a';

let host: FakeHost;

const gc = (...containers: readonly string[]): Collection => ({
  network: 'k8s-pod-network',
  valid: containers.map((containerID) => ({ containerID, ifname: 'eth0' })),
  isNew: () => false,
});

beforeEach(() => {
  host = new FakeHost(['c1', 'c2', 'c3'].map((name) => `/var/run/netns/${name}`));
});

test('what is not valid goes, what is valid stays', async () => {
  await addPod(A, host.ports());
  const valid = host.state();
  await addPod(B, host.ports());
  await collectGarbage(gc('c1'), host.ports());
  expect(host.state()).toEqual(valid);
  await collectGarbage(gc(), host.ports());
  expect(host.state()).toEqual(NOTHING);
});

test('an attachment is a container and its interface', async () => {
  await addPod(A, host.ports());
  const valid = [{ containerID: 'c1', ifname: 'net1' }];
  await collectGarbage({ ...gc(), valid }, host.ports());
  expect(host.state()).toEqual(NOTHING);
});

test('another network’s attachments stay, also where its name goes on from ours', async () => {
  await addPod(MORE, host.ports());
  const before = host.state();
  await collectGarbage(gc(), host.ports());
  expect(host.state()).toEqual(before);
  await collectGarbage({ ...gc(), network: 'k8s-pod-network.more' }, host.ports());
  expect(host.state()).toEqual(NOTHING);
});

describe('an endpoint that does not say its network', () => {
  const { containerId, workload } = A;
  const silent = {
    containerId,
    workload,
    containerInterface: 'eth0',
    hostInterface: hostInterfaceOf(A),
    mac: '',
    addresses: [],
  };

  test('goes with the network that its container holds addresses of', async () => {
    const other = { ...A, network: 'cbr0' };
    await addPod(other, host.ports());
    host.givenEndpoint(silent);
    const before = host.state();
    await collectGarbage(gc(), host.ports());
    expect(host.state()).toEqual(before);
    await collectGarbage({ ...gc(), network: 'cbr0' }, host.ports());
    expect(host.state()).toEqual(NOTHING);
  });

  test('where it holds none, it is of Calico’s own', async () => {
    host.givenEndpoint(silent);
    await collectGarbage({ ...gc(), network: 'cbr0' }, host.ports());
    expect(host.state().endpoints).toHaveLength(1);
    await collectGarbage(gc(), host.ports());
    expect(host.state()).toEqual(NOTHING);
  });
});

describe('a host interface that nobody knows', () => {
  test('goes, but none of another name, and none while a valid attachment is unknown', async () => {
    await addPod(A, host.ports());
    const before = host.state();
    host.givenLink(STRAY);
    host.givenLink('veth0');
    await collectGarbage(gc('c1', 'unknown'), host.ports());
    expect(host.state().links).toHaveLength(3);
    await collectGarbage(gc('c1'), host.ports());
    expect(host.state().links).toEqual([...before.links, 'veth0 in /var/run/netns/lost']);
  });

  test('stays where an ADD has just made it', async () => {
    const letGo = host.pauseBefore('veths');
    const collecting = collectGarbage({ ...gc(), isNew: (containerId) => containerId === 'c1' }, host.ports());
    await new Promise((resolve) => setImmediate(resolve));
    await addPod(A, host.ports());
    letGo();
    await collecting;
    expect(host.state().links).toEqual([`${hostInterfaceOf(A)} in /var/run/netns/c1`]);
  });
});

test('one that cannot be removed is told, with how many others, and the rest goes', async () => {
  await addPod(A, host.ports());
  await addPod(B, host.ports());
  const stubborn = { ...host.ports(), release: (id: string) => Promise.reject(new Error(`${id} is broken`)) };
  await expect(collectGarbage(gc(), stubborn)).rejects.toMatchObject({
    code: 114,
    message: 'GC of k8s-pod-network left something over: container c1: k8s-pod-network.c1 is broken (and 1 more)',
    details: 'container c1: k8s-pod-network.c1 is broken\ncontainer c2: k8s-pod-network.c2 is broken',
  });
  expect(host.state().links).toEqual([]);
});

test('after an agent that dies in any step of an ADD, a DEL or a GC, the next GC leaves nothing', async () => {
  const works = [
    (ports: ReturnType<FakeHost['ports']>) => addPod(A, ports),
    (ports: ReturnType<FakeHost['ports']>) => removePod(A, ports),
    (ports: ReturnType<FakeHost['ports']>) => collectGarbage(gc('c2'), ports),
  ];
  for (const [i, work] of works.entries()) {
    for (let steps = 0; steps <= 12; steps++) {
      await addPod(B, host.ports());
      const valid = host.state();
      if (i > 0) await addPod(A, host.ports());
      await Promise.resolve(work(host.dyingAfter(steps))).catch(() => undefined);
      host.reborn();
      await collectGarbage(gc('c2'), host.ports());
      expect(host.state(), `work ${i}, ${steps} steps`).toEqual(valid);
    }
  }
});
