/** `node status NODE` and `--all` of two whole agents, asked from outside their network through the datastore alone. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeStatus } from '../../src/api/contract.ts';
import type { NodeRow } from '../../src/cli/node/cluster-status.ts';
import { openStore } from '../../src/datastore/open.ts';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { entryOf, resource } from '../support/resources.ts';
import { isRoot } from '../support/netns.ts';

const PEER_OF_A = `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: nobody}
spec: {node: node-a, peerIP: 172.30.7.99, asNumber: 65001}
`;

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(!isRoot && process.env['CI'] === undefined)('two agents, asked from elsewhere', () => {
  let lab: AgentLab;

  /** calicoctl-ts in the namespace of the test, which has no way to the nodes. */
  function elsewhere(
    args: readonly string[],
    onStart: (interrupt: () => void) => void = () => undefined,
  ): Promise<Said> {
    const env = { PATH: process.env['PATH'] ?? '', DATASTORE_TYPE: 'file', CALICO_FILE_DATASTORE: lab.store };
    const child = spawn(process.execPath, ['src/cli/main.ts', 'node', 'status', ...args], { env });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => (said[stream] += chunk.toString()));
    }
    onStart(() => void child.kill('SIGINT'));
    return new Promise((resolve) => void child.once('close', (status) => resolve({ status, ...said })));
  }
  const questions = async (): Promise<string> => (await lab.text(['get', 'nodestatus', '--no-headers'])).trim();
  const logs = (): string => lab.nodes.map((node) => node.log()).join('\n');

  beforeEach(async () => {
    lab = makeAgentLab('cts');
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
  });
  afterEach(() => lab.remove());

  test('0 where all is well, 1 with a peer that is down, 2 with an agent that is gone; no question is left', async () => {
    await until(async () => (await elsewhere(['--all', '--timeout', '30'])).status === 0, logs);
    const well = await elsewhere(['--all', '--timeout', '30']);
    expect(well.stdout).toMatch(
      /\nnode-b +ok +1\/1 +ready +in sync +20\S+Z +- *\n2 nodes: 2 ok, 0 degraded, 0 unreachable\n$/,
    );
    const there = lab.nodes[1]!.ctl('node', 'status', '-o', 'json');
    const { health, ...local } = JSON.parse(there.said) as Record<string, unknown>;
    const remote = JSON.parse((await elsewhere(['node-b', '-o', 'json', '--timeout', '30'])).stdout) as typeof local;
    expect(health).toBeDefined();
    expect(remote['bgp']).toEqual(local['bgp']);

    await lab.cli(['apply'], PEER_OF_A);
    await until(async () => (await elsewhere(['--all', '--timeout', '30'])).status === 1, logs);
    const degraded = await elsewhere(['--all', '--timeout', '30']);
    expect(degraded.stdout).toMatch(/\nnode-a +degraded +1\/2 .*a peer is down: 172\.30\.7\.99 /);

    await lab.nodes[1]!.kill('SIGKILL');
    const { status, stdout } = await elsewhere(['--all', '-o', 'json', '--timeout', '15']);
    const rows = JSON.parse(stdout) as readonly NodeRow[];
    expect([status, rows.map(({ node, state }) => `${node} ${state}`)]).toEqual([
      2,
      ['node-b unreachable', 'node-a degraded'],
    ]);
    expect(rows[0]).toMatchObject({
      address: '172.30.7.12/24',
      why: expect.stringContaining('did not answer') as string,
    });
    expect(await questions()).toBe('');
  });

  test('Ctrl-C takes the questions away', async () => {
    await lab.nodes[1]!.kill('SIGKILL');
    const { status, stdout, stderr } = await elsewhere(['--all', '--timeout', '60'], (interrupt) => {
      void until(async () => (await questions()) !== '', logs).then(interrupt);
    });
    expect([status, stdout, stderr, await questions()]).toEqual([130, '', '', '']);
  });

  test('a locked datastore: nothing that is changed in it reaches the kernel, and a new agent waits; unlocked, all is taken up', async () => {
    const [a, b] = lab.nodes as [LabNode, LabNode];
    const store = await openStore({ type: 'file', directory: lab.store });
    const { key, value } = entryOf(resource('ClusterInformation', 'default', { datastoreReady: false }));
    const { revision } = await store.update(key, value, (await store.get(key))!.revision);
    const locked = 'locked for a migration: what it said before is kept, and no pods can be added';
    await until(() => Promise.resolve(a.ctl('node', 'status').said.includes(locked)), logs);
    const nat = (node: LabNode): string => node.netns.run('nft', 'list', 'ruleset');
    await lab.cli(['delete', 'ippool', 'default-ipv4-ippool']);
    await b.kill('SIGKILL');
    b.start();
    await until(() => Promise.resolve(b.log().includes('is locked for a migration: waiting')), logs);
    const { health, bgp } = await b.client.get<NodeStatus>('/v1/status');
    expect([health?.live, health?.ready, bgp.peers]).toEqual([true, false, []]);
    expect([a, b].map((node) => nat(node).includes('10.48.0.0/16'))).toEqual([true, true]);
    expect(await elsewhere(['--all'])).toMatchObject({
      ...{ status: 2, stdout: '' },
      stderr: expect.stringContaining('the datastore is locked for a migration') as string,
    });
    await store.update(
      key,
      entryOf(resource('ClusterInformation', 'default', { datastoreReady: true })).value,
      revision,
    );
    await store.close();
    await until(() => Promise.resolve(!nat(a).includes('10.48.0.0/16')), logs);
    await untilSettled(lab);
  });

  test('a CalicoNodeStatus of an operator’s own is filled in, and kept up', async () => {
    const spec = '{node: node-a, classes: [Agent, BGP, Routes], updatePeriodSeconds: 1}';
    await lab.cli(
      ['apply'],
      `apiVersion: projectcalico.org/v3\nkind: CalicoNodeStatus\nmetadata: {name: mine}\nspec: ${spec}\n`,
    );
    interface Stored {
      readonly status?: { readonly lastUpdated?: string; readonly bgp?: object; readonly routes?: object };
    }
    const stored = async (): Promise<Stored> =>
      JSON.parse(await lab.text(['get', 'nodestatus', 'mine', '-o', 'json'])) as Stored;
    const seen = new Set<string | undefined>();
    await until(async () => seen.add((await stored()).status?.lastUpdated).size > 3, logs);
    expect((await stored()).status).toMatchObject({
      bgp: { peersV4: [{ peerIP: '172.30.7.12', type: 'NodeMesh', state: 'Established' }] },
      routes: { routesV4: expect.any(Array) as unknown },
    });
  });
});
