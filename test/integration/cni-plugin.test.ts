/** The plugin's binary as a runtime calls it, against a real agent in a network namespace. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { buildPlugins, hasCompiler, runPlugin } from '../support/cni-plugin.ts';
import { answerOf, CniRuntime, environmentOf } from '../support/cni-runtime.ts';
import type { Attachment, Conflist, Json } from '../support/cni-runtime.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';
import { seededRandom } from '../support/seeded-random.ts';

const DEBIAN = '/usr/lib/cni';
const isThere = isRoot && hasCompiler && existsSync(join(DEBIAN, 'portmap'));
const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
const BURST = 200;
const SEED = 20261126;

interface Traces {
  readonly links: readonly string[];
  readonly hostRoutes: readonly string[];
  readonly allocated: number;
  readonly endpoints: number;
}

describe.skipIf(!isThere && process.env['CI'] === undefined)('calico-cni-ts and an agent', { timeout: 180_000 }, () => {
  let lab: AgentLab;
  let node: LabNode;
  let directory: string;
  let socket: string;
  const spaces: TestNetns[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ctx-'));
    buildPlugins(directory);
    execFileSync('mv', [join(directory, `calico-cni-ts-${process.arch}`), join(directory, 'calico-cni-ts')]);
    lab = makeAgentLab('ctx');
    node = lab.nodes[0]!;
    socket = join(node.environment['CALICO_RUN_DIR']!, 'calico-ts.sock');
    for (const each of lab.nodes) each.start();
    await untilSettled(lab);
  }, 120_000);

  afterAll(async () => {
    await lab.remove();
    for (const space of spaces) space.remove();
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);

  const podSpace = (name: string): TestNetns => {
    const space = makeNetns(`ctx-${name}`);
    spaces.push(space);
    return space;
  };
  const conflist = (cniVersion: string, ...chained: readonly Json[]): Conflist => ({
    ...{ name: 'k8s-pod-network', cniVersion },
    plugins: [{ type: 'calico-cni-ts', socket }, ...chained],
  });
  const runtime = (list: Conflist): CniRuntime =>
    new CniRuntime({ conflist: list, path: [directory, DEBIAN], host: node.netns.name });
  const attachment = (name: string, netns: string): Attachment => ({
    ...{ containerId: `container-${name}`, netns },
    args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=container-${name};K8S_POD_UID=u`,
  });

  /** What pods leave in the kernel and in the datastore: nothing, when all are gone. */
  const traces = async (): Promise<Traces> => {
    const links = node.netns
      .run('ip', '-o', 'link')
      .split('\n')
      .filter((line) => / cali[0-9a-f]{11}@/.test(line));
    const hostRoutes = node.netns
      .run('ip', 'route')
      .split('\n')
      .filter((line) => /dev cali/.test(line));
    const pools = JSON.parse(await lab.text(['ipam', 'show', '-o', 'json'])) as readonly {
      inUse: number;
      cooling: number;
    }[];
    const endpoints = await lab.text(['get', 'workloadendpoints', '-A', '-o', 'name']);
    return {
      links,
      hostRoutes,
      allocated: pools.reduce((sum, { inUse, cooling }) => sum + inUse - cooling, 0),
      endpoints: endpoints.split('\n').filter(Boolean).length,
    };
  };
  const none: Traces = { links: [], hostRoutes: [], allocated: 0, endpoints: 0 };

  test.each(VERSIONS)('every verb of version %s, twice where a runtime may', async (version) => {
    const name = `v${version.replaceAll('.', '')}`;
    const space = podSpace(name);
    const cni = runtime(conflist(version));
    const pod = attachment(name, space.path);
    const isOld = version.startsWith('0.');
    const result = (await cni.add(pod)) as { ips: readonly { address: string; version?: string; interface: number }[] };
    const hostInterface: unknown = expect.stringMatching(/^cali[0-9a-f]{11}$/);
    expect(result).toMatchObject({
      cniVersion: version,
      interfaces: [{ name: hostInterface }, { name: 'eth0', sandbox: space.path }],
    });
    expect(result.ips).toEqual([
      expect.objectContaining({
        address: expect.stringMatching(/^10\.48\..*\/32$/) as string,
        ...(isOld ? { version: '4' } : {}),
      }),
    ]);
    expect(space.run('ip', '-o', 'addr', 'show', 'dev', 'eth0')).toContain(result.ips[0]!.address);
    expect(((await cni.add(pod)) as typeof result).ips).toEqual(result.ips);
    if (version !== '0.3.0' && version !== '0.3.1') {
      await cni.check(pod);
      space.run('ip', 'addr', 'flush', 'dev', 'eth0');
      await expect(cni.check(pod)).rejects.toThrow(/address/);
    }
    if (version === '1.1.0') {
      await cni.status();
      await cni.gc([pod]);
    } else {
      await expect(cni.gc([pod])).rejects.toMatchObject({ code: 1 });
    }
    await cni.del(pod);
    await cni.del(pod);
    expect(await traces()).toEqual(none);
  });

  test('VERSION says the same with the agent and without', async () => {
    const ask = async (own: string): Promise<Json> =>
      answerOf(
        await runPlugin([join(directory, 'calico-cni-ts')], {
          env: { ...environmentOf('VERSION'), CALICO_CNI_SOCKET: own },
          stdin: '{"cniVersion":"1.0.0"}',
        }),
      );
    expect(await ask(socket)).toEqual(await ask('/nowhere'));
  });

  test('a DEL without an ADD, and one whose namespace is gone, are content', async () => {
    const cni = runtime(conflist('1.0.0'));
    await cni.del(attachment('never', '/run/netns/never'));
    const space = podSpace('short');
    await cni.add(attachment('short', space.path));
    spaces.pop();
    space.remove();
    await cni.del(attachment('short', space.path));
    expect(await traces()).toEqual(none);
  });

  test('chained with portmap and bandwidth: the port leads to the pod, the rate is set, DEL takes both away', async () => {
    const space = podSpace('chain');
    const portmap = { type: 'portmap', snat: true, capabilities: { portMappings: true } };
    const cni = runtime(conflist('1.0.0', portmap, { type: 'bandwidth', capabilities: { bandwidth: true } }));
    const pod = {
      ...attachment('chain', space.path),
      capabilities: {
        portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
        bandwidth: { ingressRate: 8_000_000, ingressBurst: 8_000_000 },
      },
    };
    const { ips } = (await cni.add(pod)) as { ips: readonly { address: string }[] };
    const rules = (): string => node.netns.run('iptables-save', '-t', 'nat');
    expect(rules()).toContain(`--to-destination ${ips[0]!.address.split('/')[0]!}:80`);
    expect(node.netns.run('tc', 'qdisc', 'show')).toMatch(/tbf .* dev cali|dev cali.* tbf|qdisc tbf/);
    const said = serveOnce(space, 80, 'hello from the pod');
    await until(
      () => Promise.resolve(space.run('ss', '-Hlnt').includes(':80 ')),
      () => 'nobody listens in the pod',
    );
    expect(lab.nodes[1]!.netns.run('bash', '-c', 'exec 3<>/dev/tcp/172.30.7.11/8080 && cat <&3')).toBe(
      'hello from the pod',
    );
    await said;
    await cni.del(pod);
    expect(rules()).not.toContain('--to-destination');
    expect(await traces()).toEqual(none);
  });

  test(`${BURST} at once have an address each, and all go`, async () => {
    const cni = runtime(conflist('1.0.0'));
    const pods = Array.from({ length: BURST }, (_, i) => attachment(`burst-${i}`, podSpace(`burst-${i}`).path));
    const results = await Promise.all(pods.map((pod) => cni.add(pod)));
    const addresses = results.map((result) => (result as { ips: readonly { address: string }[] }).ips[0]!.address);
    expect(new Set(addresses).size).toBe(BURST);
    expect(await traces()).toMatchObject({ allocated: BURST, endpoints: BURST });
    await Promise.all(pods.map((pod) => cni.del(pod)));
    expect(await traces()).toEqual(none);
    for (const space of spaces.splice(-BURST)) space.remove();
  });

  test(`plugins killed anywhere, seed ${SEED}: GC leaves those that are valid, and nothing else`, async () => {
    const random = seededRandom(SEED);
    const cni = runtime(conflist('1.1.0'));
    const kept = attachment('kept', podSpace('kept').path);
    await cni.add(kept);
    for (let round = 0; round < 4; round++) {
      const pods = Array.from({ length: 10 }, (_, i) => attachment(`killed-${i}`, podSpace(`killed-${i}`).path));
      await Promise.all(pods.map((pod) => killedCall('ADD', pod, random() * 60)));
      if (round % 2 === 1) await Promise.all(pods.map((pod) => killedCall('DEL', pod, random() * 60)));
      // An ADD whose plugin is gone may be at work in the agent for a moment; GC spares what is at work.
      let left: object = {};
      const isClean = async (): Promise<boolean> => {
        await cni.gc([kept]);
        const { links, hostRoutes, allocated, endpoints } = await traces();
        left = [links.length, hostRoutes.length, allocated, endpoints];
        return JSON.stringify(left) === '[1,1,1,1]';
      };
      await until(isClean, () => `left over in round ${round}: ${JSON.stringify(left)}`);
      await cni.check(kept);
      for (const space of spaces.splice(-pods.length)) space.remove();
    }
    await cni.del(kept);
    expect(await traces()).toEqual(none);
  });

  test('without an agent it is told so, and nothing is half made; with one again the same call succeeds', async () => {
    const space = podSpace('away');
    const cni = runtime(conflist('1.1.0'));
    await node.kill('SIGKILL');
    await expect(cni.add(attachment('away', space.path))).rejects.toMatchObject({
      code: 11,
      message: `calico-node-ts does not answer on ${socket}: nobody listens there`,
    });
    await expect(cni.status()).rejects.toMatchObject({ code: 50 });
    expect(space.run('ip', '-o', 'link')).not.toContain('eth0');
    node.start();
    await untilSettled(lab);
    await cni.add(attachment('away', space.path));
    await cni.del(attachment('away', space.path));
    expect(await traces()).toEqual(none);
  });

  /** Starts the plugin and kills it after so many milliseconds, where it has not ended before. */
  async function killedCall(verb: string, pod: Attachment, ms: number): Promise<void> {
    const command = [...['netns', 'exec', node.netns.name], join(directory, 'calico-cni-ts')];
    const plugin = spawn('ip', command, {
      env: { ...environmentOf(verb, pod), PATH: process.env['PATH'] },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    plugin.stdin.on('error', () => undefined);
    plugin.stdin.end(JSON.stringify({ name: 'k8s-pod-network', cniVersion: '1.1.0', type: 'calico-cni-ts', socket }));
    const ended = new Promise((resolve) => void plugin.once('exit', resolve));
    await Promise.race([sleep(ms), ended]);
    plugin.kill('SIGKILL');
    await ended;
  }
});

/** Answers one connection in `space` with a text. */
function serveOnce(space: TestNetns, port: number, text: string): Promise<void> {
  const script = `require('node:net').createServer(function (c) { c.end(${JSON.stringify(text)}); this.close(); }).listen(${port})`;
  const server = spawn('ip', ['netns', 'exec', space.name, process.execPath, '-e', script], { stdio: 'ignore' });
  return new Promise((resolve) => void server.once('exit', () => resolve()));
}
