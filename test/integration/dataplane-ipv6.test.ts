/** IPv6 pools, and IPv6 next hops of IPv4 routes, on the real kernel; what dataplane-lab.ts lays out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { peerLinkLocal, tunnelMac } from '../../felix/calc/tunnel-mac.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import { learned } from '../support/dataplane-inputs.ts';
import { a, b, c, DataplaneLab, pool6Of, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';

const lab = new DataplaneLab(
  'ct6',
  { pools: [poolOf({ vxlan: 'CrossSubnet' }), pool6Of('CrossSubnet')] },
  { hasIpv6Pods: true },
);
const viaB = formatIpAddress(peerLinkLocal(tunnelMac({ name: 'b' }, 6)));

describe.runIf(isRoot || process.env['CI'] !== undefined)('three hosts with VXLAN in both families', () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  afterEach(() => lab.updateAll());

  test('the kernel has the IPv6 routes', () => {
    expect(lab.routesOf('a', 6)).toEqual([
      `${a.pod6} dev calia proto 80 metric 1024 pref medium`,
      `blackhole ${a.block6} dev lo proto 80 metric 1024 pref medium`,
      `${b.block6} via ${viaB} dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium`,
      `${c.block6} via ${c.address6} dev eth0 proto 80 metric 1024 onlink pref medium`,
    ]);
  });

  test('vxlan-v6.calico has VNI 4096, port 4789, no learning, MTU 1430, its one address and its neighbours', () => {
    const [link] = JSON.parse(lab.ip('a', '-j', '-d', 'link', 'show', 'vxlan-v6.calico')) as [Record<string, never>];
    expect(link).toMatchObject({
      mtu: 1430,
      address: tunnelMac({ name: 'a' }, 6),
      linkinfo: { info_data: { id: 4096, port: 4789, learning: false, local6: a.address6, link: 'eth0' } },
    });
    const shown = lab.ip('a', '-6', '-br', 'address', 'show', 'vxlan-v6.calico');
    expect(shown).toContain(`${a.vxlan6}/128`);
    // What others send to is what the kernel here makes of the MAC.
    expect(shown).toContain(formatIpAddress(peerLinkLocal(tunnelMac({ name: 'a' }, 6))));
    expect(lab.ip('a', '-6', 'neigh', 'show', 'dev', 'vxlan-v6.calico')).toContain(
      `${viaB} lladdr ${tunnelMac({ name: 'b' }, 6)} `,
    );
    expect(lab.space('a').run('bridge', 'fdb', 'show', 'dev', 'vxlan-v6.calico')).toContain(
      `${tunnelMac({ name: 'b' }, 6)} dst ${b.address6} self permanent`,
    );
  });

  test('an IPv6 pod reaches a pod beyond the router through VXLAN, and one in its own subnet directly', () => {
    const before = lab.sentInto('vxlan-v6.calico', a);
    expect(lab.ping(a, c.pod6)).toContain(' 0% packet loss');
    expect(lab.sentInto('vxlan-v6.calico', a)).toBe(before);
    expect(lab.ping(a, b.pod6)).toContain(' 0% packet loss');
    expect(lab.sentInto('vxlan-v6.calico', a)).toBeGreaterThanOrEqual(before + 3);
  });

  test('a successor over the same inputs touches nothing', async () => {
    const heard = await lab.monitored('a', async () => {
      const { routes } = await lab.restart(a);
      expect(routes.map(({ state }) => state)).toEqual(routes.map(() => 'programmed'));
    });
    expect(heard).toBe('');
  });

  test.each([b, c])('changes of mode under IPv6 traffic to $name lose no packet', async (to) => {
    for (const { block6, address6 } of [a, b, c]) lab.ip('r', '-6', 'route', 'replace', block6, 'via', address6);
    const { received, lost } = await lab.pingDuring({ from: a, to: to.pod6 }, async () => {
      for (const vxlan of ['Always', 'CrossSubnet', 'Never', 'Always', 'Never', 'CrossSubnet'] as const) {
        await lab.updateAll({ pools: [poolOf({ vxlan: 'CrossSubnet' }), pool6Of(vxlan)] });
        await sleep(200);
      }
    });
    for (const { block6 } of [a, b, c]) lab.ip('r', '-6', 'route', 'del', block6);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(50);
  });

  test('without encapsulation vxlan-v6.calico goes after a while, and vxlan.calico stays', async () => {
    await lab.update(a, { pools: [poolOf({ vxlan: 'CrossSubnet' }), pool6Of('Never')] });
    expect(lab.routesOf('a', 6)).toContain(`${b.block6} via ${a.gateway6} dev eth0 proto 80 metric 1024 pref medium`);
    await eventually(() => !lab.ip('a', '-br', 'link').includes('vxlan-v6.calico'), 15_000);
    expect(lab.ip('a', '-br', 'link')).toContain('vxlan.calico');
  });

  test('an IPv4 route with IPv6 next hops (RFC 8950) carries packets, and a successor leaves it alone', async () => {
    lab.ip('c', 'address', 'add', '10.9.0.1/32', 'dev', 'lo');
    const link = lab.ip('c', '-6', '-br', 'address', 'show', 'eth0');
    const linkLocal = /(fe80::\S+)\/64/.exec(link)?.[1] ?? 'none';
    const unnumbered = { ...learned('10.9.0.0/24', linkLocal), interfaces: ['eth0'] };
    const several = learned('10.8.0.0/24', c.address6, a.gateway6);
    const routes = { learned: [unnumbered, several] };
    await lab.update(a, routes);
    expect(lab.routesOf('a')).toContain(`10.9.0.0/24 via inet6 ${linkLocal} dev eth0 proto 80`);
    const [route] = JSON.parse(lab.ip('a', '-j', 'route', 'show', '10.8.0.0/24')) as [
      { nexthops: { via: { host: string } }[] },
    ];
    expect(route.nexthops.map(({ via }) => via.host).sort()).toEqual([a.gateway6, c.address6]);
    expect(lab.space('a').run('ping', '-c', '1', '-W', '2', '10.9.0.1')).toContain(' 0% packet loss');
    const heard = await lab.monitored('a', async () => {
      await lab.restart(a, routes);
    });
    expect(heard).toBe('');
    lab.ip('c', 'address', 'del', '10.9.0.1/32', 'dev', 'lo');
  });
});
