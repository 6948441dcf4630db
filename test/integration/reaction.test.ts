/**
 * What somebody does to our objects in the real kernel is put right, and not by the full comparison of each 90 s; the bound is generous,
 * npm run bench tells the time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addConntrackEntry, conntrackEntries, plainConnection } from '../support/conntrack-entries.ts';
import { a, b, c, DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';

const lab = new DataplaneLab('ctx', { pools: [poolOf({ vxlan: 'CrossSubnet' })] });
const WITHIN_MS = 15_000;

const ip = (...words: readonly string[]): string => lab.ip('a', ...words);
const sysctl = (setting: string): string => lab.space('a').run('sysctl', '-qw', setting);

const SYSCTLS = [
  'net.ipv4.ip_forward',
  ...['proxy_arp', 'forwarding', 'rp_filter'].map((name) => `net.ipv4.conf.calia.${name}`),
];

/** All that the dataplane answers for on host a, without indexes. */
function state(): readonly string[] {
  // Gone for a moment with the tunnel that carries them.
  const onTunnel = (...words: readonly string[]): string => {
    try {
      return ip(...words, 'dev', 'vxlan.calico');
    } catch {
      return '';
    }
  };
  const link = /mtu \d+|<.*UP.*>|vxlan id \d+|dstport \d+/g;
  const lines = [
    ...lab.routesOf('a'),
    ip('-6', 'route', 'show', 'proto', '80').trim(),
    ...(onTunnel('-d', 'link', 'show').match(link) ?? []).map((text) => `vxlan.calico ${text}`),
    onTunnel('-4', '-o', 'address', 'show').replace(/^\d+:/, '').trim(),
    ...onTunnel('neigh', 'show', 'nud', 'permanent').split('\n').sort(),
    ...lab
      .space('a')
      .run('bridge', 'fdb', 'show')
      .split('\n')
      .filter((line) => line.includes('vxlan.calico dst'))
      .sort(),
    ...SYSCTLS.map((name) => lab.space('a').run('sysctl', name)),
  ];
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** Until all is as before; fails with what is not. */
async function isAgain(before: readonly string[]): Promise<void> {
  await eventually(() => expect(state()).toEqual(before), WITHIN_MS);
}

const deeds: readonly (readonly [string, string, () => unknown])[] = [
  ['a route deleted', 'route', () => ip('route', 'del', b.block)],
  ['all our routes flushed', 'route', () => ip('route', 'flush', 'proto', '80')],
  ['a route replaced by bird’s', 'route', () => ip('route', 'replace', c.block, 'via', a.gateway, 'proto', 'bird')],
  ['a blackhole deleted', 'route', () => ip('route', 'del', 'blackhole', a.block)],
  ['a pod’s route deleted', 'route', () => ip('route', 'del', a.pod)],
  ['an IPv6 blackhole deleted', 'route', () => ip('-6', 'route', 'del', 'blackhole', a.block6)],
  ['a tunnel deleted', 'link', () => ip('link', 'del', 'vxlan.calico')],
  ['a tunnel taken down', 'link', () => ip('link', 'set', 'vxlan.calico', 'down')],
  ['a tunnel’s MTU changed', 'link', () => ip('link', 'set', 'vxlan.calico', 'mtu', '1300')],
  ['a tunnel’s address removed', 'address', () => ip('address', 'flush', 'dev', 'vxlan.calico')],
  ['another address on a tunnel', 'address', () => ip('address', 'add', '192.168.99.9/32', 'dev', 'vxlan.calico')],
  ['neighbours flushed', 'neighbour', () => ip('neigh', 'flush', 'dev', 'vxlan.calico', 'nud', 'permanent')],
  [
    'a neighbour changed',
    'neighbour',
    () => ip('neigh', 'replace', b.vxlan, 'lladdr', '66:66:66:66:66:66', 'dev', 'vxlan.calico', 'nud', 'permanent'),
  ],
  [
    'forwarding entries deleted',
    'fdb',
    () => {
      const lines = lab.space('a').run('bridge', 'fdb', 'show', 'dev', 'vxlan.calico').split('\n');
      for (const [mac = '', , dst = ''] of lines.map((line) => line.split(' '))) {
        if (mac !== '') lab.space('a').run('bridge', 'fdb', 'del', mac, 'dev', 'vxlan.calico', 'dst', dst);
      }
    },
  ],
  ['ip_forward switched off', 'sysctl', () => sysctl('net.ipv4.ip_forward=0')],
  ['proxy_arp switched off', 'sysctl', () => sysctl('net.ipv4.conf.calia.proxy_arp=0')],
  ['a pod’s rp_filter changed', 'sysctl', () => sysctl('net.ipv4.conf.calia.rp_filter=2')],
  [
    'a pod’s interface down and up',
    'route',
    () => {
      ip('link', 'set', 'calia', 'down');
      ip('link', 'set', 'calia', 'up');
    },
  ],
  [
    'the parent down and up',
    'route',
    () => {
      ip('link', 'set', 'eth0', 'down');
      ip('link', 'set', 'eth0', 'up');
      ip('route', 'replace', 'default', 'via', a.gateway);
    },
  ],
];

describe.runIf(isRoot || process.env['CI'] !== undefined)('on the real kernel', () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  /** A process of its own for each test: no fight goes on into the next one. */
  beforeEach(async () => {
    await lab.restart(a);
  });

  test.each(deeds)('%s: put right and counted', async (_, kind, deed) => {
    const before = state();
    await deed();
    await isAgain(before);
    const { repairs } = await lab.ask(a);
    expect(repairs.counts[kind as keyof typeof repairs.counts]).toBeGreaterThan(0);
    expect(repairs.fights).toEqual([]);
  });

  test('a tunnel renamed: the reason while somebody else’s has our VNI, and then a new one that carries packets', async () => {
    const before = state();
    ip('link', 'set', 'vxlan.calico', 'down');
    ip('link', 'set', 'vxlan.calico', 'name', 'somebodys');
    await eventually(
      () => ip('-br', 'link').includes('vxlan.calico') || ip('-br', 'link').includes('somebodys'),
      WITHIN_MS,
    );
    const { routes } = await lab.ask(a);
    const told = routes.find(({ route }) => route.class === 'vxlan');
    // The other one still has our VNI and port, and it is not ours to delete: the reason is told, and it takes care of itself.
    if (told?.state !== 'programmed') expect(told?.error).toContain('another VXLAN link has VNI 4096, port 4789');
    ip('link', 'del', 'somebodys');
    await isAgain(before);
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
  });

  test('a fight is told with the process that fights, while it lives', async () => {
    const child = spawn('ip', ['netns', 'exec', lab.space('a').name, 'ip', '-batch', '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(child, 'exit');
    try {
      const repaired = async (): Promise<number> => (await lab.ask(a)).repairs.counts.route;
      for (let i = 0; i < 5; i++) {
        const before = await repaired();
        child.stdin.write(`route del ${b.block}\n`);
        while ((await repaired()) === before);
      }
      const by = `deleted by netlink port ${child.pid}, process ${child.pid} (ip)`;
      // Who it is, is looked up beside the repair.
      await eventually(async () => {
        const { repairs, routes } = await lab.ask(a);
        expect(repairs.fights).toEqual([{ kind: 'route', name: b.block, repairs: 5, by }]);
        expect(routes.find(({ fight }) => fight !== undefined)?.fight).toBe(`5 repairs, ${by}`);
      });
    } finally {
      child.stdin.end();
      await ended;
    }
  });

  test('the connections of a pod that goes are forgotten, and no others', async () => {
    const other = plainConnection('udp', '192.168.1.77', '198.51.100.1');
    for (const protocol of ['udp', 'tcp'] as const) {
      await addConntrackEntry(lab.space('a'), plainConnection(protocol, a.pod, '198.51.100.1'));
      await addConntrackEntry(lab.space('a'), plainConnection(protocol, c.pod, a.pod));
    }
    await addConntrackEntry(lab.space('a'), other);
    const hasOther = (line: string): boolean => line.includes('192.168.1.77');
    expect(conntrackEntries(lab.space('a')).filter((line) => line.includes(`${a.pod} `)).length).toBeGreaterThan(0);
    await lab.update(a, { endpoints: [] });
    const left = conntrackEntries(lab.space('a'));
    expect(left.filter((line) => line.includes(a.pod) && !hasOther(line))).toEqual([]);
    expect(left.filter(hasOther)).toHaveLength(1);
    await lab.update(a);
  });
});
