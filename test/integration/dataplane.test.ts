/** The dataplane on the real kernel; what dataplane-lab.ts lays out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { learned } from '../support/dataplane-inputs.ts';
import { a, b, c, DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';

/** Long before the full comparison of each 90 s; npm run bench tells the time. */
const SOON_MS = 15_000;

const lab = new DataplaneLab('ctf', { pools: [poolOf({ vxlan: 'CrossSubnet' })] });

describe.runIf(isRoot || process.env['CI'] !== undefined)('three hosts with VXLAN', () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  afterEach(() => lab.updateAll());

  test('the kernel has the routes as Calico would have them', () => {
    expect(lab.routesOf('a')).toEqual([
      'blackhole 192.168.1.0/26 proto 80',
      '192.168.1.5 dev calia proto 80 scope link',
      '192.168.2.0/26 via 192.168.2.1 dev vxlan.calico proto 80 onlink',
      '192.168.3.0/26 via 172.30.1.13 dev eth0 proto 80 onlink',
    ]);
  });

  test('an IPv6 block of ours is a blackhole too', () => {
    expect(lab.ip('a', '-6', 'route')).toMatch(/^blackhole fd10:1::40\/122 dev lo proto 80 metric 1024/m);
  });

  test('vxlan.calico has VNI 4096, port 4789, no learning, MTU 1450 and its one address', () => {
    const [link] = JSON.parse(lab.ip('a', '-j', '-d', 'link', 'show', 'vxlan.calico')) as [Record<string, never>];
    expect(link).toMatchObject({
      mtu: 1450,
      linkinfo: { info_data: { id: 4096, port: 4789, learning: false, local: a.address, link: 'eth0' } },
    });
    expect(lab.ip('a', '-4', '-br', 'address', 'show', 'vxlan.calico')).toContain(`${a.vxlan}/32`);
    expect(lab.ip('a', 'neigh', 'show', 'dev', 'vxlan.calico')).toContain(`${b.vxlan} lladdr 66:`);
  });

  test('a pod reaches a pod beyond the router through VXLAN, and one in its own subnet directly', () => {
    const before = lab.sentInto('vxlan.calico', a);
    expect(lab.ping(a, c.pod)).toContain(' 0% packet loss');
    expect(lab.sentInto('vxlan.calico', a)).toBe(before);
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
    expect(lab.sentInto('vxlan.calico', a)).toBe(before + 3);
    expect(lab.ping(b, c.pod)).toContain(' 0% packet loss');
  });

  test('pods have the MTU that VXLAN leaves', () => {
    expect(lab.space('pod-a').run('ip', 'link', 'show', 'eth0')).toContain('mtu 1450');
  });

  test('vxlan.calico follows the MTU of eth0 down and up again, and pings go on', async () => {
    const mtuIs = (mtu: number) => (): boolean => lab.ip('a', 'link', 'show', 'vxlan.calico').includes(`mtu ${mtu} `);
    const { received, lost } = await lab.pingDuring({ from: a, to: b.pod }, async () => {
      for (const [mtu, left] of [
        [9000, 8950],
        [1400, 1350],
        [9000, 8950],
        [1500, 1450],
      ] as const) {
        lab.ip('r', 'link', 'set', 'to-a', 'mtu', String(mtu));
        lab.ip('a', 'link', 'set', 'eth0', 'mtu', String(mtu));
        await eventually(mtuIs(left), SOON_MS);
      }
    });
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(10);
  });

  test('a killed process and its successor over the same inputs touch nothing, and take over what is there', async () => {
    const heard = await lab.monitored('a', async () => {
      const { adopted, routes } = await lab.restart(a);
      expect(adopted).toBe(5);
      expect(routes.map(({ state }) => state)).toEqual(routes.map(() => 'programmed'));
    });
    expect(heard).toBe('');
  });

  test('while bird is not in sync, a route that nobody wants yet is kept', async () => {
    await lab.update(a, { learned: [], learnedComplete: false });
    expect(lab.routesOf('a').length).toBe(4);
    await lab.update(a, { learned: [] });
    expect(lab.routesOf('a').length).toBe(2);
  });

  test('a route that somebody deletes is back', async () => {
    lab.ip('a', 'route', 'del', b.block);
    await eventually(() => lab.routesOf('a').some((route) => route.startsWith(b.block)), SOON_MS);
  });

  test('a tunnel that somebody deletes is back with its routes, neighbours and pings', async () => {
    lab.ip('a', 'link', 'del', 'vxlan.calico');
    await eventually(() => lab.routesOf('a').some((route) => route.includes('dev vxlan.calico')), SOON_MS);
    await eventually(() => lab.ip('a', 'neigh', 'show', 'dev', 'vxlan.calico').includes(b.vxlan), SOON_MS);
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
  });

  test.each([b, c])('changes of mode under traffic to $name lose no packet', async (to) => {
    // Without encapsulation the fabric must know the blocks, as a ToR would by BGP.
    for (const { block, address } of [a, b, c]) lab.ip('r', 'route', 'replace', block, 'via', address);
    const { received, lost } = await lab.pingDuring({ from: a, to: to.pod }, async () => {
      for (const vxlan of ['Always', 'CrossSubnet', 'Never', 'Always', 'CrossSubnet'] as const) {
        await lab.updateAll({ pools: [poolOf({ vxlan })] });
        await sleep(200);
      }
    });
    for (const { block } of [a, b, c]) lab.ip('r', 'route', 'del', block);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(50);
  });

  test('without encapsulation a block beyond the router goes through the gateway, and vxlan.calico goes after a while', async () => {
    await lab.update(a, { pools: [poolOf({})] });
    expect(lab.routesOf('a')).toContain('192.168.2.0/26 via 172.30.1.1 dev eth0 proto 80');
    await eventually(() => !lab.ip('a', '-br', 'link').includes('vxlan.calico'), 15_000);
  });

  test('vxlan.calico stays as long as a node that has not heard of the change sends through it', async () => {
    for (const { block, address } of [a, b, c]) lab.ip('r', 'route', 'replace', block, 'via', address);
    const isThere = (): boolean => lab.ip('b', '-br', 'link').includes('vxlan.calico');
    const { received, lost } = await lab.pingDuring({ from: a, to: b.pod }, async () => {
      await lab.update(b, { pools: [poolOf({})] });
      await sleep(11_000);
      expect(isThere()).toBe(true);
    });
    for (const { block } of [a, b, c]) lab.ip('r', 'route', 'del', block);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(100);
    await eventually(() => !isThere(), 25_000);
  });

  test('several next hops are one multipath route', async () => {
    const both = [learned('10.9.0.0/16', '172.30.1.1', '172.30.1.13')];
    await lab.update(a, { learned: both });
    const [route] = JSON.parse(lab.ip('a', '-j', 'route', 'show', '10.9.0.0/16')) as [
      { nexthops: { gateway: string }[] },
    ];
    expect(route.nexthops.map(({ gateway }) => gateway).sort()).toEqual(['172.30.1.1', '172.30.1.13']);
  });

  test('IPIP on a kernel without ipip: the reason, and all other routes; with it, routes through tunl0', async () => {
    const { routes } = await lab.update(a, { pools: [poolOf({ ipip: 'CrossSubnet' })] });
    const far = routes.find(({ route }) => route.class === 'ipip');
    if (lab.ip('a', '-br', 'link').includes('tunl0')) {
      expect(far?.state).toBe('programmed');
    } else {
      expect(far).toMatchObject({ state: 'unresolved', error: 'the kernel has no ipip module: modprobe ipip' });
    }
    expect(lab.routesOf('a')).toContain('192.168.3.0/26 via 172.30.1.13 dev eth0 proto 80 onlink');
  });
});
