import { describe, expect, test } from 'vitest';
import { addPod } from '../../../src/cni/add.ts';
import { removePod } from '../../../src/cni/del.ts';
import { handleId, hostInterfaceName } from '../../../src/cni/names.ts';
import type { Endpoint, PodPorts } from '../../../src/cni/ports.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';

const REQUEST = {
  containerId: 'c1',
  netns: '/var/run/netns/x',
  interfaceName: 'eth0',
  podNamespace: 'default',
  podName: 'web-0',
};

/** An agent in memory whose step named `failing` throws. */
function fakePorts(failing?: keyof PodPorts): {
  ports: PodPorts;
  state: { handles: Set<string>; links: Set<string>; endpoints: Map<string, Endpoint> };
} {
  const state = { handles: new Set<string>(), links: new Set<string>(), endpoints: new Map<string, Endpoint>() };
  const step =
    <A extends readonly unknown[], R>(name: keyof PodPorts, work: (...args: A) => R) =>
    (...args: A): Promise<R> =>
      name === failing ? Promise.reject(new Error(`${name} failed`)) : Promise.resolve(work(...args));
  const ports: PodPorts = {
    node: 'node-a1',
    now: () => 1000,
    assign: step('assign', (handle: string) => {
      state.handles.add(handle);
      return { addresses: [parseIpAddress('192.168.0.1')], blockClaimedAt: 900 };
    }),
    release: step('release', (handle: string) => void state.handles.delete(handle)),
    addInterface: step('addInterface', ({ hostInterface }: { hostInterface: string }) => {
      state.links.add(hostInterface);
      return { mac: '0a:00:00:00:00:01' };
    }),
    removeInterface: step('removeInterface', (name: string) => void state.links.delete(name)),
    putEndpoint: step('putEndpoint', (endpoint: Endpoint) => void state.endpoints.set(endpoint.containerId, endpoint)),
    findEndpoint: step('findEndpoint', (id: string) => state.endpoints.get(id)),
    removeEndpoint: step('removeEndpoint', (endpoint: Endpoint) => void state.endpoints.delete(endpoint.containerId)),
    routed: step('routed', () => undefined),
  };
  return { ports, state };
}

describe('names as Calico makes them', () => {
  test('the host side is cali and eleven hex digits of SHA-1', () => {
    // printf default.web-0 | sha1sum
    expect(hostInterfaceName(REQUEST)).toBe('cali0d7763386da');
    expect(hostInterfaceName(REQUEST)).toHaveLength(15);
  });

  test('a handle is the network and the container', () => {
    expect(handleId('c1')).toBe('k8s-pod-network.c1');
  });
});

describe('ADD', () => {
  test('answers with the address as /32, the MAC and when its block was claimed', async () => {
    const { ports } = fakePorts();
    expect(await addPod(REQUEST, ports)).toEqual({
      hostInterface: hostInterfaceName(REQUEST),
      mac: '0a:00:00:00:00:01',
      addresses: ['192.168.0.1/32'],
      timings: { blockClaimedAt: 900, routeProgrammedAt: 1000 },
    });
  });

  test('twice ends as once', async () => {
    const { ports, state } = fakePorts();
    await addPod(REQUEST, ports);
    await addPod(REQUEST, ports);
    expect([state.handles.size, state.links.size, state.endpoints.size]).toEqual([1, 1, 1]);
  });

  test.each(['assign', 'addInterface', 'putEndpoint', 'routed'] as const)(
    'leaves nothing when %s fails',
    async (step) => {
      const { ports, state } = fakePorts(step);
      await expect(addPod(REQUEST, ports)).rejects.toThrow(`${step} failed`);
      expect([state.handles.size, state.links.size, state.endpoints.size]).toEqual([0, 0, 0]);
    },
  );
});

describe('DEL', () => {
  test('takes back all that ADD made, and is content when there is nothing', async () => {
    const { ports, state } = fakePorts();
    await addPod(REQUEST, ports);
    await removePod('c1', ports);
    await removePod('c1', ports);
    expect([state.handles.size, state.links.size, state.endpoints.size]).toEqual([0, 0, 0]);
  });

  test("leaves the pod's new sandbox alone", async () => {
    const { ports, state } = fakePorts();
    await addPod({ ...REQUEST, containerId: 'new' }, ports);
    await removePod('old', ports);
    expect(state.endpoints.has('new')).toBe(true);
    expect(state.links.size).toBe(1);
  });
});
