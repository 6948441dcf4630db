import { beforeEach, describe, expect, test } from 'vitest';
import { addPod } from '../../../src/cni/add.ts';
import { removePod } from '../../../src/cni/del.ts';
import { handleId, hostInterfaceName } from '../../../src/cni/names.ts';
import type { Removed } from '../../../src/cni/del.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { FakeHost, podAttachment } from '../../support/fake-host.ts';

const REQUEST = podAttachment({ containerId: 'c1', pod: 'web-0' });
/** The same pod's next sandbox. */
const SECOND = podAttachment({ containerId: 'c2', pod: 'web-0' });
const NAME = hostInterfaceName(REQUEST.workload);
const HANDLE = handleId(REQUEST);
const DEL = (containerId: string): Removed => ({ network: 'k8s-pod-network', containerId, interfaceName: 'eth0' });

/** Until everybody has come as far as they can. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost(['c1', 'c2', 'c3', 'c4'].map((name) => `/var/run/netns/${name}`));
});

describe('names as Calico makes them', () => {
  test('the host side is cali and eleven hex digits of SHA-1', () => {
    // printf default.web-0 | sha1sum
    expect(NAME).toBe('cali0d7763386da');
    expect(NAME).toHaveLength(15);
  });

  test('a handle is the network and the container', () => {
    expect(HANDLE).toBe('k8s-pod-network.c1');
  });
});

describe('ADD', () => {
  test('answers with the address, the MAC, the MTU and when its block was claimed', async () => {
    const attached = await addPod(REQUEST, host.ports());
    expect({ ...attached, addresses: attached.addresses.map(formatIpAddress) }).toEqual({
      hostInterface: NAME,
      ...{ mac: '0a:00:00:00:00:01', mtu: 1440 },
      addresses: ['192.168.0.1'],
      timings: { blockClaimedAt: 900, routeProgrammedAt: 1000 },
    });
  });

  test('twice ends as once', async () => {
    await addPod(REQUEST, host.ports());
    const once = host.state();
    await addPod(REQUEST, host.ports());
    expect(host.state()).toEqual(once);
  });

  test.each(['assign', 'addInterface', 'putEndpoint'] as const)(
    'leaves nothing when %s fails, whether the step was done or not',
    async (step) => {
      for (const when of ['before', 'after'] as const) {
        await expect(addPod(REQUEST, host.ports({ [step]: when }))).rejects.toThrow(`${step} failed`);
        expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
      }
    },
  );

  test.each(['held', 'endpointsOf', 'assign', 'addInterface', 'putEndpoint'] as const)(
    'again for a pod that runs takes nothing from it when %s fails',
    async (step) => {
      await addPod(REQUEST, host.ports());
      const running = host.state();
      for (const when of ['before', 'after'] as const) {
        await expect(addPod(REQUEST, host.ports({ [step]: when }))).rejects.toThrow(`${step} failed`);
        expect(host.state()).toEqual(running);
      }
    },
  );

  test('of a sandbox whose network namespace is not there touches nothing, not even a pod of that name', async () => {
    await addPod(REQUEST, host.ports());
    const running = host.state();
    const refused = addPod({ ...SECOND, netns: '/var/run/netns/gone' }, host.ports());
    await expect(refused).rejects.toThrow("netns = '/var/run/netns/gone': is not there");
    expect(host.state()).toEqual(running);
    expect(host.calls.slice(-1)).toEqual(['requireNamespace']);
  });

  test.each(['assign', 'addInterface'] as const)(
    'of a new sandbox that cannot be made (%s) leaves the old one as it is',
    async (step) => {
      await addPod(REQUEST, host.ports());
      const running = host.state();
      await expect(addPod(SECOND, host.ports({ [step]: 'before' }))).rejects.toThrow(`${step} failed`);
      expect(host.state()).toEqual(running);
    },
  );

  test('of a new sandbox takes the name over; what is left of the old one goes with its own DEL', async () => {
    await addPod(REQUEST, host.ports());
    await addPod(SECOND, host.ports());
    expect(host.state()).toEqual({
      links: [`${NAME} in /var/run/netns/c2`],
      handles: [HANDLE, handleId(SECOND)],
      endpoints: ['default/web-0 is c2'],
    });
    await removePod(DEL('c1'), host.ports());
    expect(host.state()).toEqual({
      links: [`${NAME} in /var/run/netns/c2`],
      handles: [handleId(SECOND)],
      endpoints: ['default/web-0 is c2'],
    });
  });
});

describe('ADD of what is no ordinary pod', () => {
  test('a second interface for a pod is refused, and the DEL that follows leaves the first one', async () => {
    await addPod(REQUEST, host.ports());
    const running = host.state();
    const second = { ...REQUEST, interfaceName: 'net1' };
    await expect(addPod(second, host.ports())).rejects.toThrow(
      "CNI_IFNAME = 'net1': pod default/web-0 has its interface eth0, and one is all it gets",
    );
    await removePod(second, host.ports());
    expect(host.state()).toEqual(running);
  });

  test('half of what was asked for is given back', async () => {
    const wish = { kind: 'assigned', families: [4, 6], pools: { 6: { pools: ['full'], by: 'x' } } } as const;
    await expect(addPod({ ...REQUEST, wish }, host.ports())).rejects.toThrow('no free IPv6 address');
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });

  test('host interfaces of containers without a pod: the ID’s own digits, or its hash where it has none', () => {
    const name = (containerId: string): string => hostInterfaceName({ orchestrator: 'cni', containerId });
    expect(name('0123456789abcdef')).toBe('cali0123456789a');
    // printf cnitool-77383ca0a0715733ca6f | sha1sum
    expect(name('cnitool-77383ca0a0715733ca6f')).toMatch(/^cali[0-9a-f]{11}$/);
    expect(name('cnitool-77383ca0a0715733ca6f')).not.toBe(name('cnitool-77383ca0a0715733ca70'));
  });

  test('whose time is over takes back what it made, wherever it is', async () => {
    for (let steps = 0; steps < 4; steps++) {
      let left = steps;
      const limit = (): void => {
        if (left-- === 0) throw new Error('too late');
      };
      await expect(addPod(REQUEST, host.ports(), limit)).rejects.toThrow('too late');
      expect(host.state(), `after ${steps} looks`).toEqual({ links: [], handles: [], endpoints: [] });
    }
  });
});

describe('DEL', () => {
  test('that comes while the ADD of the same container is still at work waits for it, and leaves nothing', async () => {
    const letGo = host.pauseBefore('assign');
    const adding = addPod(REQUEST, host.ports());
    await turn();
    const removing = removePod(DEL('c1'), host.ports());
    await turn();
    letGo();
    await Promise.all([adding, removing]);
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });

  test('under a new name of the network gives back what was assigned under the old one', async () => {
    await addPod(REQUEST, host.ports());
    await removePod({ ...DEL('c1'), network: 'renamed' }, host.ports());
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });

  test('takes back all that ADD made, and is content when there is nothing', async () => {
    await addPod(REQUEST, host.ports());
    await removePod(DEL('c1'), host.ports());
    await removePod(DEL('c1'), host.ports());
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });

  test('of a sandbox whose ADD is still at work on the name waits for it', async () => {
    await addPod(REQUEST, host.ports());
    const letGo = host.pauseBefore('putEndpoint');
    const adding = addPod(SECOND, host.ports());
    await turn();
    const removing = removePod(DEL('c1'), host.ports());
    await turn();
    letGo();
    await Promise.all([adding, removing]);
    expect(host.state()).toEqual({
      links: [`${NAME} in /var/run/netns/c2`],
      handles: [handleId(SECOND)],
      endpoints: ['default/web-0 is c2'],
    });
  });

  test('and ADD look at the endpoints of the pod alone; at all of the node only where the addresses are gone', async () => {
    await addPod(REQUEST, host.ports());
    await removePod(DEL('c1'), host.ports({ removeEndpoint: 'before' })).catch(() => undefined);
    expect(host.calls).not.toContain('endpoints');
    await removePod(DEL('c1'), host.ports());
    expect(host.calls).toContain('endpoints');
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });

  test('of one pod leaves another of the same name in another namespace, and one whose name goes on', async () => {
    const others = [
      podAttachment({ containerId: 'c3', pod: 'web-0', namespace: 'other' }),
      podAttachment({ containerId: 'c4', pod: 'web-0-1' }),
    ];
    for (const other of others) await addPod(other, host.ports());
    const before = host.state();
    await addPod(REQUEST, host.ports());
    await removePod(DEL('c1'), host.ports());
    expect(host.state()).toEqual(before);
  });

  test.each(['removeInterface', 'release', 'removeEndpoint'] as const)(
    'whose %s fails is a failure, and the next one finds what is left',
    async (step) => {
      await addPod(REQUEST, host.ports());
      await expect(removePod(DEL('c1'), host.ports({ [step]: 'before' }))).rejects.toThrow(`${step} failed`);
      await removePod(DEL('c1'), host.ports());
      expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
    },
  );
});

describe('an agent that dies', () => {
  const ADD_STEPS = 8;
  const nothing = { links: [], handles: [], endpoints: [] };

  test('after any step of an ADD leaves only what a DEL removes', async () => {
    for (let steps = 0; steps <= ADD_STEPS; steps++) {
      await addPod(REQUEST, host.dyingAfter(steps)).catch(() => undefined);
      host.reborn();
      await removePod(DEL('c1'), host.ports());
      expect(host.state(), `after ${steps} steps`).toEqual(nothing);
    }
  });

  test('after any step of an ADD can do the ADD again', async () => {
    for (let steps = 0; steps <= ADD_STEPS; steps++) {
      await addPod(REQUEST, host.dyingAfter(steps)).catch(() => undefined);
      host.reborn();
      await addPod(REQUEST, host.ports());
      expect(host.state().links, `after ${steps} steps`).toEqual([`${NAME} in /var/run/netns/c1`]);
      await removePod(DEL('c1'), host.ports());
      expect(host.state()).toEqual(nothing);
    }
  });

  test('after any step of a DEL leaves only what the next one removes', async () => {
    for (let steps = 0; steps <= ADD_STEPS; steps++) {
      await addPod(REQUEST, host.ports());
      await removePod(DEL('c1'), host.dyingAfter(steps)).catch(() => undefined);
      host.reborn();
      await removePod(DEL('c1'), host.ports());
      expect(host.state(), `after ${steps} steps`).toEqual(nothing);
    }
  });

  test('after any step of taking a name over leaves only what the DELs of both remove, in either order', async () => {
    for (let steps = 0; steps <= ADD_STEPS; steps++) {
      for (const order of [
        ['c1', 'c2'],
        ['c2', 'c1'],
      ]) {
        await addPod(REQUEST, host.ports());
        await addPod(SECOND, host.dyingAfter(steps)).catch(() => undefined);
        host.reborn();
        for (const containerId of order) await removePod(DEL(containerId), host.ports());
        expect(host.state(), `after ${steps} steps, ${order.join(' ')}`).toEqual(nothing);
      }
    }
  });

  test('in the midst of undoing an ADD leaves only what a DEL removes', async () => {
    for (let steps = 0; steps <= ADD_STEPS + 4; steps++) {
      await addPod(REQUEST, host.dyingAfter(steps, { putEndpoint: 'after' })).catch(() => undefined);
      host.reborn();
      await removePod(DEL('c1'), host.ports());
      expect(host.state(), `after ${steps} steps`).toEqual(nothing);
    }
  });
});
