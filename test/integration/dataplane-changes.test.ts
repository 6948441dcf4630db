/** What changes in a cluster while pods talk, on the real kernel; what dataplane-lab.ts lays out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EncapMode } from '../../felix/inputs.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { learned, node } from '../support/dataplane-inputs.ts';
import { a, b, c, DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';

const lab = new DataplaneLab('ctq', { pools: [poolOf({ vxlan: 'CrossSubnet' })] });

/** The same numbers for the same seed: Lehmer's generator. */
const numbers = (seed: number) => {
  let state = seed;
  return (below: number): number => (state = (state * 48271) % 2147483647) % below;
};

describe.runIf(isRoot || process.env['CI'] !== undefined)('three hosts whose cluster changes', () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  afterEach(() => lab.updateAll());

  test.each([b, c])('twenty changes of mode, heard by each host when it likes, lose no packet to $name', async (to) => {
    const below = numbers(42);
    for (const { block, address } of [a, b, c]) lab.ip('r', 'route', 'replace', block, 'via', address);
    const modes: readonly EncapMode[] = ['Always', 'CrossSubnet', 'Never'];
    const { received, lost } = await lab.pingDuring({ from: a, to: to.pod }, async () => {
      for (let i = 0, mode = 0; i < 20; i++) {
        mode = (mode + 1 + below(2)) % 3;
        const hosts = [a, b, c].toSorted(() => below(3) - 1);
        for (const host of hosts) {
          await lab.update(host, { pools: [poolOf({ vxlan: modes[mode]! })] });
          await sleep(below(100));
        }
      }
    });
    await lab.updateAll();
    for (const { block } of [a, b, c]) lab.ip('r', 'route', 'del', block);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(100);
  });

  test('a block that is released while its pod lives loses the pod no packet, and the rest of it no longer', async () => {
    const { received, lost } = await lab.pingDuring({ from: b, to: a.pod }, async () => {
      await lab.update(a, { localBlocks: [] });
      await sleep(300);
      expect(lab.routesOf('a')).not.toContain(`blackhole ${a.block} proto 80`);
      await lab.update(a, { localBlocks: [], learned: [learned(a.block, c.address), learned(b.block, b.address)] });
      expect(lab.routesOf('a')).toContain(`${a.block} via ${c.address} dev eth0 proto 80 onlink`);
      await sleep(300);
      await lab.update(a);
    });
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(20);
  });

  test('of two pods with one address the younger has it, the older is told why not and has it when the other goes', async () => {
    lab.ip('a', 'link', 'add', 'calitwin', 'type', 'veth', 'peer', 'name', 'twin');
    lab.ip('a', 'link', 'set', 'calitwin', 'up');
    lab.ip('a', 'link', 'set', 'twin', 'up');
    const endpoints = ['calia', 'calitwin'].map((interfaceName) => ({
      ...{ name: `test/${interfaceName}`, interfaceName },
      addresses: [parseIpAddress(a.pod)],
    }));
    const { routes } = await lab.update(a, { endpoints });
    expect(lab.routesOf('a')).toContain(`${a.pod} dev calitwin proto 80 scope link`);
    expect(routes.filter(({ state }) => state === 'unresolved').map(({ error }) => error)).toEqual([
      'loses to local-workload: pod test/calitwin is on this node, behind calitwin',
    ]);
    lab.ip('a', 'link', 'del', 'calitwin');
    await eventually(() => lab.routesOf('a').includes(`${a.pod} dev calia proto 80 scope link`));
    expect(lab.ping(b, a.pod)).toContain(' 0% packet loss');
  });

  test('an address borrowed from another host’s block is reached by everybody, the owner too', async () => {
    const borrowed = '192.168.1.60';
    const pod = lab.space('pod-b');
    pod.run('ip', 'address', 'add', `${borrowed}/32`, 'dev', 'eth0');
    const addresses = [b.pod, borrowed].map((text) => parseIpAddress(text));
    await lab.update(b, { endpoints: [{ name: 'test/b', interfaceName: 'calib', addresses }] });
    for (const host of [a, c]) {
      const others = [a, b, c].filter((other) => other !== host).map(({ block, address }) => learned(block, address));
      await lab.update(host, { learned: [...others, learned(`${borrowed}/32`, b.address)] });
      expect(lab.routesOf(host.name)).toContain(`${borrowed} via ${b.vxlan} dev vxlan.calico proto 80 onlink`);
      expect(lab.ping(host, borrowed)).toContain(' 0% packet loss');
    }
    expect(lab.routesOf('a')).toContain(`blackhole ${a.block} proto 80`);
    pod.run('ip', 'address', 'del', `${borrowed}/32`, 'dev', 'eth0');
  });

  test('a host that gets another address: its tunnel and every way to it are made anew', async () => {
    const address = '172.30.2.12';
    const moved = node('b', `${address}/24`, { vxlan: b.vxlan });
    const [nodeA, nodeC] = [a, c].map((host) => node(host.name, `${host.address}/24`, { vxlan: host.vxlan }));
    const readdress = (from: string, to: string): void => {
      lab.ip('b', 'address', 'del', `${from}/24`, 'dev', 'eth0');
      lab.ip('b', 'address', 'add', `${to}/24`, 'dev', 'eth0');
      lab.ip('b', 'route', 'replace', 'default', 'via', b.gateway);
    };
    readdress(b.address, address);
    await lab.update(b, { local: moved, nodes: [nodeA!, nodeC!] });
    await lab.update(a, { nodes: [moved, nodeC!], learned: [learned(b.block, address), learned(c.block, c.address)] });
    expect(lab.ip('b', '-d', 'link', 'show', 'vxlan.calico')).toContain(`local ${address}`);
    await eventually(() =>
      lab.space('a').run('bridge', 'fdb', 'show', 'dev', 'vxlan.calico').includes(`dst ${address}`),
    );
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
    readdress(address, b.address);
    await lab.updateAll();
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
  });
});
