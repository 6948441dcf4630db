import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { NodeStatus, RouteReport } from '../../src/api/contract.ts';
import type { NodeGroup, PlanReport } from '../../src/plan/report.ts';
import { addPod, makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

/** What one agent does: its peers by address, and the device of each route to another node's block. */
interface Doings {
  readonly peers: Readonly<Record<string, string>>;
  readonly routes: Readonly<Record<string, string>>;
}

const LEARNED = ['same-subnet', 'vxlan', 'ipip', 'no-encap', 'external'];

async function doingsOf({ client }: LabNode): Promise<Doings> {
  const { bgp } = await client.get<NodeStatus>('/v1/status');
  const routes = await client.get<readonly RouteReport[]>('/v1/routes');
  return {
    peers: Object.fromEntries(bgp.peers.map(({ address, type, origin }) => [address, `${type}, ${origin}`])),
    routes: Object.fromEntries(
      routes
        .filter((route) => LEARNED.includes(route.class) && route.state === 'programmed')
        .map(({ prefix, target }) => [prefix, /dev (\S+)/.exec(target)?.[1] ?? target]),
    ),
  };
}

const flapsOf = async ({ client }: LabNode): Promise<Readonly<Record<string, number>>> => {
  const { bgp } = await client.get<NodeStatus>('/v1/status');
  return Object.fromEntries(bgp.peers.map(({ address, flaps }) => [address, flaps]));
};

const addressOf = (text: string): string => text.split(' ')[0]!;
/** `direct` is the interface of the node: eth0 in this lab. */
const deviceOf = (device: string): string => (device === 'direct' ? 'eth0' : device);

/** What the agent will do if the plan is right. */
function foreseen(before: Doings, group: NodeGroup | undefined): Doings {
  const peers = new Map(Object.entries(before.peers));
  const routes = new Map(Object.entries(before.routes));
  for (const { change, type, origin, peers: named } of group?.peers ?? []) {
    for (const address of named.map(addressOf)) {
      if (change === 'goes') peers.delete(address);
      else peers.set(address, `${type}, ${origin}`);
    }
  }
  for (const { change, to, examples } of group?.routes ?? []) {
    for (const { prefix } of examples) {
      if (change === 'goes' || change === 'is lost') routes.delete(prefix);
      else routes.set(prefix, deviceOf(to!));
    }
  }
  return { peers: Object.fromEntries(peers), routes: Object.fromEntries(routes) };
}

/** A plan, and then the real thing: agents do what the plan said, each on its node, and sessions that go on do not flap. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('a plan tells the truth of two agents', () => {
  let lab: AgentLab;
  const pods: TestNetns[] = [];

  beforeAll(async () => {
    lab = makeAgentLab('ctp', { environment: { CALICO_IPV4POOL_IPIP: 'Never', CALICO_IPV4POOL_VXLAN: 'Always' } });
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    for (const [i, node] of lab.nodes.entries()) {
      const netns = makeNetns(`ctp-pod-${i}`);
      pods.push(netns);
      await addPod(node, netns, `pod-${i}`);
    }
    await until(
      async () =>
        (await Promise.all(lab.nodes.map(doingsOf))).every(({ routes }) =>
          Object.values(routes).includes('vxlan.calico'),
        ),
      () => lab.nodes.map((node) => node.log()).join('\n'),
    );
  });
  afterAll(async () => {
    await lab.remove();
    for (const pod of pods) pod.remove();
  });

  const groupOf = ({ groups }: PlanReport, name: string): NodeGroup | undefined =>
    groups.find(({ nodes }) => nodes.includes(name));

  async function planAndApply(...documents: readonly object[]): Promise<PlanReport> {
    const text = documents.map((each) => stringify(each)).join('---\n');
    const file = join(lab.store, '..', 'plan.yaml');
    writeFileSync(file, text);
    const report = JSON.parse(await lab.text(['plan', '-f', file, '--each-node', '-o', 'json'])) as PlanReport;
    const before = await Promise.all(lab.nodes.map(doingsOf));
    const flaps = await Promise.all(lab.nodes.map(flapsOf));
    const expected = lab.nodes.map((node, i) => foreseen(before[i]!, groupOf(report, node.name)));
    await lab.cli(['apply'], text);
    let now: readonly Doings[] = [];
    await until(
      async () => {
        now = await Promise.all(lab.nodes.map(doingsOf));
        return JSON.stringify(sorted(now)) === JSON.stringify(sorted(expected));
      },
      () => `planned ${JSON.stringify(expected, null, 1)}\nbut ${JSON.stringify(now, null, 1)}`,
    );
    for (const [i, node] of lab.nodes.entries()) await expectFlaps(node, groupOf(report, node.name), flaps[i]!);
    return report;
  }

  async function expectFlaps(
    node: LabNode,
    group: NodeGroup | undefined,
    before: Readonly<Record<string, number>>,
  ): Promise<void> {
    const after = await flapsOf(node);
    const goOn = (group?.peers ?? []).filter(({ change }) => change === 'changes').flatMap(({ peers }) => peers);
    for (const address of goOn.map(addressOf))
      expect([node.name, address, after[address]]).toEqual([node.name, address, before[address]]);
  }

  const sorted = (doings: readonly Doings[]): unknown =>
    doings.map(({ peers, routes }) => [Object.entries(peers).sort(), Object.entries(routes).sort()]);

  const stored = async (kind: string, name: string): Promise<Record<string, object>> =>
    parse(await lab.text(['get', kind, name, '-o', 'yaml'])) as Record<string, object>;

  test('a pool from Always to CrossSubnet', async () => {
    const pool = await stored('ippool', 'default-ipv4-ippool');
    const report = await planAndApply({ ...pool, spec: { ...pool['spec'], vxlanMode: 'CrossSubnet' } });
    // The block of each node, and where it has one its tunnel address.
    expect(report.summary.routes.changeWay).toBeGreaterThanOrEqual(2);
    expect(report.summary.routes.lost).toBe(0);
  });

  const TOR = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'BGPPeer',
    metadata: { name: 'tor' },
    spec: { node: 'node-a', peerIP: '172.30.7.77', asNumber: 65001 },
  };

  test('a BGPPeer for one node', async () => {
    const report = await planAndApply(TOR);
    expect(report.summary.sessions).toEqual({ come: 1, go: 0, reset: 0, change: 0 });
  });

  test('the mesh off and a reflector in its place', async () => {
    const node = await stored('node', 'node-a');
    const { bgp, ...rest } = node['spec'] as { bgp: object };
    const report = await planAndApply(
      // Before the reflector, which leaves the mesh: agents that hear of these one by one would end the session in between.
      { ...TOR, metadata: { name: 'to-rr' }, spec: { nodeSelector: '!has(rr)', peerSelector: 'has(rr)' } },
      {
        ...node,
        metadata: { name: 'node-a', labels: { rr: 'yes' } },
        spec: { ...rest, bgp: { ...bgp, routeReflectorClusterID: '224.0.0.1' } },
      },
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'BGPConfiguration',
        metadata: { name: 'default' },
        spec: { nodeToNodeMeshEnabled: false },
      },
    );
    // A reflector passes the nodes' routes on to the ToR: that session changes, too.
    expect(report.summary).toMatchObject({ sessions: { go: 0, change: 2 }, routes: { lost: 0 } });
  });

  test('a filter that keeps everything back: the routes are lost, and so the plan says', async () => {
    const report = await planAndApply(
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'BGPFilter',
        metadata: { name: 'none' },
        spec: { importV4: [{ action: 'Reject', cidr: '10.48.0.0/16', matchOperator: 'In' }] },
      },
      {
        ...TOR,
        metadata: { name: 'to-rr' },
        spec: { nodeSelector: '!has(rr)', peerSelector: 'has(rr)', filters: ['none'] },
      },
    );
    expect(report.summary.routes.lost).toBeGreaterThanOrEqual(2);
  });

  test('another AS number: the sessions are opened anew', async () => {
    const report = await planAndApply({
      apiVersion: 'projectcalico.org/v3',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { nodeToNodeMeshEnabled: false, asNumber: 64600 },
    });
    expect(report.summary.sessions.reset).toBe(2);
    await until(
      async () =>
        (await lab.nodes[1]!.client.get<NodeStatus>('/v1/status')).bgp.peers.every(
          ({ state }) => state === 'Established',
        ),
      () => lab.nodes.map((node) => node.log()).join('\n'),
    );
  });
});
