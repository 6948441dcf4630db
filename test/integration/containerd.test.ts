/** containerd with runc, as kubelet drives it over the CRI, on three nodes of the demo cluster: pods that are containers. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installCni } from '../../src/cni/install/install.ts';
import { pluginVersions } from '../../src/cni/install/plugin-versions.ts';
import { installSettings } from '../../src/cni/install/settings.ts';
import { agentClient } from '../../src/demo/agents.ts';
import { raiseCluster, removeCluster } from '../../src/demo/cluster.ts';
import { agentSocket } from '../../src/demo/layout.ts';
import type { Layout } from '../../src/demo/layout.ts';
import type { RouteReport } from '../../src/api/contract.ts';
import { until } from '../support/agent-lab.ts';
import { buildPlugins, hasCompiler } from '../support/cni-plugin.ts';
import type { CriPod, PodSpec } from '../support/cri/client.ts';
import { startContainerd } from '../support/cri/containerd.ts';
import type { Containerd } from '../support/cri/containerd.ts';
import { BUSYBOX, makeImage } from '../support/cri/image.ts';
import { isRoot, run } from '../support/netns.ts';

const NODES = ['node-a1', 'node-a2', 'node-b1'] as const;
type Node = (typeof NODES)[number];

const PROGRAMS = ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/lib/cni/portmap', BUSYBOX];
const isThere = isRoot && hasCompiler && PROGRAMS.every((path) => existsSync(path));

describe.skipIf(!isThere && process.env['CI'] === undefined)('containerd', { timeout: 120_000 }, () => {
  let directory: string;
  let layout: Layout;
  const runtimes = new Map<Node, Containerd>();
  const pods: CriPod[] = [];

  const runPod = async (node: Node, pod: PodSpec): Promise<CriPod> => {
    const made = await runtimes.get(node)!.cri.runPod(pod);
    pods.push(made);
    return made;
  };

  /** The other rack may have yet to hear of the block. */
  const untilReached = (from: CriPod, address: string): Promise<void> =>
    until(
      async () => (await from.exec('ping', '-c', '1', '-W', '1', address)).includes('1 packets received'),
      () => `${address} does not answer`,
    );

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ctc-'));
    layout = { prefix: 'ctc-', directory: join(directory, 'cluster') };
    const choice = { datastore: 'file', encap: 'vxlan', switches: 'own', project: process.cwd() } as const;
    const { signal } = new AbortController();
    await raiseCluster({ layout, choice, signal, progress: () => undefined });
    buildPlugins(join(directory, 'own'));
    const image = makeImage(directory);
    for (const node of NODES) runtimes.set(node, await startRuntime(node, image));
  }, 240_000);

  async function startRuntime(node: Node, image: string): Promise<Containerd> {
    const [binDir, netDir] = ['bin', 'net.d'].map((name) => join(directory, node, name)) as [string, string];
    mkdirSync(netDir, { recursive: true });
    // Of one the configuration offers version 1.1.0, too: this containerd does not know it, and must not mind.
    const chain = node === NODES.at(-1) ? 'none' : 'portmap';
    const env = { CALICO_RUN_DIR: dirname(agentSocket(layout, node)), CALICO_CNI_CHAIN: chain };
    const ports = { wallTime: () => Date.now(), arch: process.arch, versionsOf: pluginVersions() };
    installCni(installSettings(env, { binDir, netDir }, join(directory, 'own')), ports);
    // containerd asks for it beside every network; a real node has it from Debian's package.
    run('cp', '/usr/lib/cni/loopback', binDir);
    return startContainerd({
      ...{ directory: join(directory, `containerd-${node}`), netns: `${layout.prefix}${node}`, image },
      ...{ binDirectory: binDir, confDirectory: netDir },
    });
  }

  afterAll(async () => {
    for (const pod of pods) await pod.remove().catch(() => undefined);
    for (const runtime of runtimes.values()) await runtime.close();
    await removeCluster(layout);
    rmSync(directory, { recursive: true, force: true });
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(directory);
  }, 120_000);

  test('takes each node for ready: the configuration is found and its plugins know their versions', async () => {
    for (const [node, { cri }] of runtimes) {
      expect({ node, problem: await cri.networkProblem() }).toEqual({ node, problem: undefined });
    }
  });

  test('containers on three nodes reach each other, within a rack and between racks', async () => {
    const made = await Promise.all(NODES.map((node) => runPod(node, { namespace: 'default', name: `web-${node}` })));
    for (const pod of made) {
      const inside = await pod.exec('ip', '-o', 'addr', 'show', 'dev', 'eth0');
      expect(inside).toContain(`${pod.addresses[0]!}/32`);
    }
    for (const from of made) {
      for (const to of made) await untilReached(from, to.addresses[0]!);
    }
  });

  test('a host port leads to the pod, through portmap', async () => {
    const hostPorts = [{ hostPort: 8080, containerPort: 80 }];
    const server = await runPod('node-a1', { namespace: 'default', name: 'server', hostPorts });
    const client = await runPod('node-b1', { namespace: 'default', name: 'client' });
    await server.exec('httpd', '-h', '/www');
    expect(await client.exec('wget', '-q', '-O', '-', 'http://172.30.1.11:8080/')).toBe('a pod\n');
  });

  test("a pod's annotations arrive: it has the address that they ask for, and a wrong one is told", async () => {
    const asking = (name: string, addresses: string): PodSpec => ({
      ...{ namespace: 'default', name },
      annotations: { 'cni.projectcalico.org/ipAddrs': addresses },
    });
    const pod = await runPod('node-a1', asking('by-name', '["192.168.77.7"]'));
    expect(pod.addresses).toEqual(['192.168.77.7']);
    const other = await runPod('node-b1', { namespace: 'default', name: 'other' });
    await untilReached(other, '192.168.77.7');
    await expect(runPod('node-a1', asking('wrong', '["10.1.2.3"]'))).rejects.toThrow(/10\.1\.2\.3/);
  });

  test('30 pods at once come, have an address each, and go without a trace', async () => {
    const cluster = agentClient(layout, 'node-a2');
    const routes = async (): Promise<readonly string[]> =>
      (await cluster.get<readonly RouteReport[]>('/v1/routes')).map(({ prefix }) => prefix).sort();
    const before = { routes: await routes(), spaces: readdirSync('/run/netns').sort() };
    const names = Array.from({ length: 30 }, (_, i) => `burst-${i}`);
    const made = await Promise.all(names.map((name) => runPod('node-a2', { namespace: 'default', name })));
    expect(new Set(made.flatMap(({ addresses }) => addresses)).size).toBe(30);
    await Promise.all(made.map((pod) => pod.remove()));
    // The endpoints are gone with the DELs; of felix's routes the watch has to tell it.
    await until(
      async () => isDeepStrictEqual({ routes: await routes(), spaces: readdirSync('/run/netns').sort() }, before),
      () => 'something of 30 pods is left over',
    );
  });
});
