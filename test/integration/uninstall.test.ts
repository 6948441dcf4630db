import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PodResult } from '../../src/api/contract.ts';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const SETTINGS = { CALICO_IPV4POOL_VXLAN: 'Always' };

/** All that `ip` knows, and every sysctl of IP, in one text. */
function snapshot({ netns }: LabNode): string {
  const ip = (...args: readonly string[]): string =>
    JSON.stringify(JSON.parse(netns.run('ip', '-j', ...args) || '[]'), undefined, 1);
  const sysctls = netns.run(
    'sh',
    '-c',
    'cd /proc/sys/net && grep -r . ipv4/conf ipv4/ip_forward ipv4/neigh ipv6/conf 2>/dev/null || true',
  );
  return [
    ...['link', 'addr', 'rule'].map((what) => ip('-d', what)),
    ...[ip('-6', 'rule'), ip('route', 'show', 'table', 'all'), ip('-6', 'route', 'show', 'table', 'all')],
    // IPv6 draws it anew for each link that comes; nobody sets it.
    sysctls
      .split('\n')
      .filter((line) => !line.includes('stable_secret'))
      .sort()
      .join('\n'),
  ].join('\n');
}

/** The kernel has given eth0 its link-local address, which it does when the cable's other end is up, and has tried it. */
const untilQuiet = ({ netns }: LabNode): Promise<void> => {
  const shown = (): string => netns.run('ip', 'addr', 'show', 'dev', 'eth0');
  const isQuiet = (): boolean => shown().includes('inet6 fe80:') && !shown().includes('tentative');
  return until(() => Promise.resolve(isQuiet() && shown().includes('state UP')), shown);
};

describe.skipIf(!isRoot && process.env['CI'] === undefined)('node uninstall', () => {
  let lab: AgentLab;
  let pod: TestNetns | undefined;

  afterEach(async () => {
    await lab.remove();
    pod?.remove();
    pod = undefined;
  });

  test('refuses while the agent runs and while pods are there, then leaves the host as it was', async () => {
    const runtime = mkdtempSync(join(tmpdir(), 'ctu-runtime-'));
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const conflist = { name: 'k8s-pod-network', plugins: [{ type: 'calico-cni-ts' }, { type: 'portmap' }] };
    writeFileSync(join(runtime, '10-calico.conflist'), JSON.stringify(conflist));
    for (const plugin of ['calico-cni-ts', 'portmap']) writeFileSync(join(runtime, plugin), plugin);
    lab = makeAgentLab('ctu', { environment: { ...SETTINGS, CNI_NET_DIR: runtime, CNI_BIN_DIR: runtime } });
    const [a, b] = lab.nodes as [LabNode, LabNode];
    // Others' wishes, which must survive: one interface forwards, another is not asked to.
    const set = (path: string, value: number): string =>
      a.netns.run('sh', '-c', `echo ${value} > /proc/sys/net/ipv4/${path}`);
    set('ip_forward', 0);
    set('conf/eth0/forwarding', 1);
    set('conf/all/accept_redirects', 0);
    a.netns.run('ip', 'route', 'add', '10.200.0.0/16', 'via', '172.30.7.12', 'proto', 'static');
    await untilQuiet(a);
    const before = snapshot(a);

    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    pod = makeNetns('ctu-pod');
    const request = { containerId: 'p', netns: pod.path, interfaceName: 'eth0', podNamespace: 'default', podName: 'p' };
    await a.client.post<PodResult>('/v1/pods', request);
    const shown = (): string => a.netns.run('ip', 'route') + a.netns.run('ip', 'link');
    await until(() => Promise.resolve(/dev cali.*proto 80/.test(shown()) && shown().includes('vxlan.calico')), shown);
    expect(snapshot(a)).not.toBe(before);

    a.netns.run('nft', 'add', 'table', 'inet', 'calico-ts');

    const running = a.ctl('node', 'uninstall');
    expect(running).toEqual({
      status: 1,
      said: expect.stringMatching(
        /calico-node-ts runs here \(process \d+\)[^]*1 pod of this node would lose/,
      ) as string,
    });
    const dry = a.ctl('node', 'uninstall', '--dry-run');
    expect(dry).toEqual({ status: 0, said: expect.stringContaining('delete link vxlan.calico') as string });
    expect(shown()).toContain('vxlan.calico');

    const withPods = a.ctl('node', 'uninstall', '--stop');
    expect(withPods).toEqual({
      status: 1,
      said: expect.stringContaining('1 pod of this node would lose its network') as string,
    });
    expect(shown()).toContain('vxlan.calico');
    // A refusal leaves the agent where it is.
    expect(a.ctl('node', 'status').status).toBe(0);
    const done = a.ctl('node', 'uninstall', '--stop', '--force');
    expect(done.said).not.toContain('FAILED');
    expect(done.said).toMatch(
      /\n\nThat was done\. The cluster still knows the node: calicoctl-ts delete node node-a\n$/,
    );
    expect(done.status).toBe(0);
    expect(snapshot(a)).toBe(before);
    expect(existsSync(dirname(a.environment['CALICO_NODENAME_FILE']!))).toBe(false);
    expect(readdirSync(runtime)).toEqual(['portmap']);
    expect(a.netns.run('nft', 'list', 'tables')).toBe('');
    expect(a.ctl('node', 'uninstall').said).toBe('There is nothing of calico-ts on this host.\n');
    expect(b.netns.run('ip', 'link')).toContain('vxlan.calico');
  });

  test('after a kill -9 and a second life, which found our values, it still knows the first ones', async () => {
    lab = makeAgentLab('ctu', { environment: SETTINGS });
    const [a, b] = lab.nodes as [LabNode, LabNode];
    a.netns.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward');
    await untilQuiet(a);
    const before = snapshot(a);
    b.start();
    for (let life = 0; life < 2; life++) {
      a.start();
      await untilSettled(lab);
      await until(() => Promise.resolve(a.netns.run('ip', 'link').includes('vxlan.calico')), a.log);
      await a.kill('SIGKILL');
    }
    expect(a.ctl('node', 'uninstall').status).toBe(0);
    expect(snapshot(a)).toBe(before);
    expect(readdirSync(dirname(lab.store))).not.toContain(a.name);
  });
});
