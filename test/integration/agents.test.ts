import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { NodeStatus, PathReport } from '../../src/api/contract.ts';
import { addPod, makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const configuration = (spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {${spec}}\n`;

const PEERING = `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: to-reflectors}
spec: {nodeSelector: all(), peerSelector: reflector == 'yes'}
`;

/** The Node resource with a cluster id. */
function reflectorNode(text: string): string {
  const node = parse(text) as { spec: { bgp: Record<string, unknown> } };
  node.spec.bgp['routeReflectorClusterID'] = '224.0.0.1';
  return stringify(node);
}

/** Two whole agents: what an operator does to a running cluster, with `ip monitor route` as the witness. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('two agents', () => {
  let lab: AgentLab;
  const pods: TestNetns[] = [];

  const startPod = (node: LabNode, name: string): Promise<string> => {
    const netns = makeNetns(`cta-${name}`);
    pods.push(netns);
    return addPod(node, netns, name);
  };
  const deletions = (): readonly string[] =>
    lab.nodes.flatMap(({ name, routeEvents }) =>
      routeEvents()
        .filter((line) => line.startsWith('Deleted'))
        .map((line) => `${name}: ${line}`),
    );

  beforeEach(async () => {
    lab = makeAgentLab('cta');
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    const address = await startPod(lab.nodes[1]!, 'pod-b');
    await startPod(lab.nodes[0]!, 'pod-a');
    await until(
      () => Promise.resolve(pods[1]!.run('ping', '-c', '1', '-W', '1', address).includes(' 0% packet loss')),
      () => lab.nodes.map((node) => node.netns.run('ip', 'route')).join('\n'),
    );
  });
  afterEach(async () => {
    await lab.remove();
    for (const pod of pods.splice(0)) pod.remove();
  });

  test.each([0, 3000])('both killed, the second started %d ms after the first: no route is deleted', async (delay) => {
    await Promise.all(lab.nodes.map((node) => node.kill('SIGKILL')));
    lab.nodes[0]!.start();
    await new Promise((resolve) => void setTimeout(resolve, delay));
    lab.nodes[1]!.start();
    await untilSettled(lab);
    expect(deletions()).toEqual([]);
  });

  test('another listenPort, another restart time: sessions come back, no route is deleted', async () => {
    await lab.cli(['apply'], configuration('nodeMeshMaxRestartTime: 60s'));
    await untilSettled(lab);
    await lab.cli(['apply'], configuration('nodeMeshMaxRestartTime: 60s, listenPort: 1790'));
    const portOf = async ({ client }: LabNode): Promise<number | undefined> =>
      (await client.get<{ bgp: { peers: { port: number }[] } }>('/v1/status')).bgp.peers[0]?.port;
    await until(
      async () => (await Promise.all(lab.nodes.map(portOf))).every((port) => port === 1790),
      () => lab.nodes.map((node) => node.log()).join('\n'),
    );
    await untilSettled(lab);
    expect(deletions()).toEqual([]);
  });

  test('a SIGTERM is a restart: the process ends at once and nothing is withdrawn', async () => {
    const began = Date.now();
    await lab.nodes[0]!.kill('SIGTERM');
    expect(Date.now() - began).toBeLessThan(3000);
    lab.nodes[0]!.start();
    await untilSettled(lab);
    expect(deletions()).toEqual([]);
  });

  test('node stop withdraws at once', async () => {
    const [a, b] = lab.nodes as [LabNode, LabNode];
    await a.client.post('/v1/stop', { message: 'maintenance' });
    await until(
      () => Promise.resolve(deletions().some((line) => line.startsWith('node-b: Deleted 10.48.'))),
      () => b.log(),
    );
    expect(deletions().filter((line) => line.startsWith('node-a'))).toEqual([]);
  });

  const fromA = async ({ client }: LabNode): Promise<PathReport | undefined> =>
    (await client.get<readonly PathReport[]>('/v1/bgp/routes')).find(({ from }) => from.startsWith('172.30.7.11'));

  test('node drain: the peer is told to take other ways, nothing is withdrawn before the end', async () => {
    const [a, b] = lab.nodes as [LabNode, LabNode];
    const over = a.client.post('/v1/drain', { message: 'maintenance', waitSeconds: 3 }, 3000);
    await until(
      async () => (await fromA(b))?.localPref === 0,
      () => b.log(),
    );
    expect((await fromA(b))?.communities).toEqual(['65535:0']);
    expect(deletions()).toEqual([]);
    await over;
    await until(
      () => Promise.resolve(deletions().some((line) => line.startsWith('node-b: Deleted 10.48.'))),
      () => b.log(),
    );
    expect(deletions().filter((line) => line.startsWith('node-a'))).toEqual([]);
  });

  test('a SIGTERM ends the wait of a drain, and the peer still hears why', async () => {
    const [a, b] = lab.nodes as [LabNode, LabNode];
    // The process may be gone before it has answered.
    const over = a.client.post('/v1/drain', { message: 'maintenance', waitSeconds: 600 }, 3000).catch(() => undefined);
    await until(
      async () => (await fromA(b))?.localPref === 0,
      () => b.log(),
    );
    await a.kill('SIGTERM');
    await over;
    const { bgp } = await b.client.get<NodeStatus>('/v1/status');
    expect(bgp.peers[0]?.lastError).toContain('Administrative Shutdown: "maintenance"');
  });

  test('natOutgoing of a pool, switched by calicoctl-ts: the node’s own nftables and its status follow', async () => {
    const [a] = lab.nodes as [LabNode, LabNode];
    const listed = (): string => a.netns.run('nft', 'list', 'ruleset');
    const states = async (): Promise<readonly (string | undefined)[]> =>
      ((await a.client.get<NodeStatus>('/v1/status')).nat ?? []).map(({ state }) => state);
    const want = async (natOutgoing: boolean, state: string): Promise<void> => {
      const pool = parse(await lab.text(['get', 'ippool', 'default-ipv4-ippool', '-o', 'yaml'])) as { spec: object };
      await lab.cli(['apply'], stringify({ ...pool, spec: { ...pool.spec, natOutgoing } }));
      await until(async () => (await states()).join() === state, a.log);
    };
    expect([await states(), listed()]).toEqual([
      ['in force'],
      expect.stringContaining('elements = { 10.48.0.0/16 }') as string,
    ]);
    await want(false, 'off');
    expect(listed()).toBe('');
    await want(true, 'in force');
    expect(listed()).toContain('elements = { 10.48.0.0/16 }');
    expect(deletions()).toEqual([]);
  });

  test('a FelixConfiguration reaches nftables and the probes of the running agents, and each node may have its own', async () => {
    const felix = (name: string, spec: string): string =>
      `apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;
    const [a, b] = lab.nodes as [LabNode, LabNode];
    const ports = ({ netns }: LabNode): string | undefined =>
      /masquerade to :([\d-]+)/.exec(netns.run('nft', 'list', 'ruleset'))?.[1];
    const want = (node: LabNode, expected: string | undefined): Promise<void> =>
      until(() => Promise.resolve(ports(node) === expected), node.log);
    await lab.cli(['apply'], felix('default', "natPortRange: '40000:40100', healthEnabled: true, healthPort: 9199"));
    await lab.cli(['apply'], felix('node.node-b', "natPortRange: '50000:50100'"));
    await want(a, '40000-40100');
    await want(b, '50000-50100');
    expect(a.netns.run('curl', '-s', 'http://127.0.0.1:9199/liveness')).toContain('event loop');
    const settings = b.ctl('node', 'settings');
    expect(settings.said).toMatch(
      /FELIX_NATPORTRANGE +50000:50100 +FelixConfiguration\(node.node-b\) +stronger than 40000:40100 of FelixConfiguration\(default\)/,
    );
    await lab.cli(['delete', 'felixconfig', 'node.node-b']);
    await want(b, '40000-40100');
    await lab.cli(['delete', 'felixconfig', 'default']);
    await want(a, undefined);
    expect(deletions()).toEqual([]);
  });

  test('a node that becomes a route reflector keeps its session', async () => {
    const sessions = async (): Promise<readonly unknown[]> =>
      Promise.all(
        lab.nodes.map(async ({ client }) => {
          const { bgp } = await client.get<NodeStatus>('/v1/status');
          return bgp.peers.map(({ address, state, since, flaps }) => [address, state, since, flaps]);
        }),
      );
    const before = await sessions();
    await lab.cli(['label', 'node', 'node-a', 'reflector=yes']);
    const types = async (): Promise<readonly unknown[]> =>
      Promise.all(lab.nodes.map(async ({ client }) => (await client.get<NodeStatus>('/v1/status')).bgp.peers[0]?.type));
    await lab.cli(['apply'], PEERING);
    await until(
      async () => (await types()).every((type) => type === 'node specific'),
      () => lab.nodes.map((node) => node.log()).join('\n'),
    );
    const logs = (): string => lab.nodes.map((node) => node.log()).join('\n');
    const untilSaid = (reason: string): Promise<void> => until(() => Promise.resolve(logs().includes(reason)), logs);
    // One after the other: an agent that hears of both at once has no mesh to leave node-a out of.
    await lab.cli(['replace'], reflectorNode(await lab.text(['get', 'node', 'node-a', '-o', 'yaml'])));
    await untilSaid('this node is a route reflector of cluster 224.0.0.1');
    await lab.cli(['apply'], configuration('nodeToNodeMeshEnabled: false'));
    await untilSaid('nodeToNodeMeshEnabled is false');
    await untilSettled(lab);
    expect(logs()).not.toContain('all sessions start anew');
    expect(await sessions()).toEqual(before);
    expect(deletions()).toEqual([]);
  });
});
