/**
 * Calico's "BGP graceful restart without churn", with the kernel as the witness: an agent with its dataplane on one side, a
 * switch with BIRD 2 and its kernel on the other; either is killed while `ip monitor route` looks on at both.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeStatus, PodResult } from '../../src/api/contract.ts';
import { makeAgentLab, until } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const LEARNED = ['10.50.0.0/16', '10.51.0.0/16'];

const BIRD = `
router id 172.30.7.12;
graceful restart wait 20;
protocol device {}
protocol kernel { ipv4 { export where source = RTS_BGP; }; persist; graceful restart on; }
protocol static { ipv4; ${LEARNED.map((prefix) => `route ${prefix} blackhole;`).join(' ')} }
protocol bgp node {
  local 172.30.7.12 as 65001; neighbor 172.30.7.11 as 64512;
  graceful restart on;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export all; };
}
`;

const PEER = `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: switch}
spec: {peerIP: 172.30.7.12, asNumber: 65001}
`;

const missing = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');

describe.skipIf(missing !== undefined)(`restarts without churn ${missing ?? ''}`, () => {
  let lab: AgentLab;
  let node: LabNode;
  let onSwitch: LabNode;
  let pod: TestNetns;
  let bird: ChildProcess | undefined;
  let directory: string;
  let marks: number;

  const startBird = (...args: readonly string[]): void => {
    const command = ['-f', '-c', join(directory, 'bird.conf'), '-s', join(directory, 'bird.ctl'), ...args];
    bird = spawn('ip', ['netns', 'exec', onSwitch.netns.name, 'bird', ...command], { stdio: 'ignore' });
  };
  const killBird = async (): Promise<void> => {
    const child = bird;
    bird = undefined;
    if (child === undefined) return;
    const gone = new Promise((resolve) => void child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  const routes = (each: LabNode, protocol: string): readonly string[] =>
    each.netns.run('ip', 'route', 'show', 'proto', protocol).split('\n').filter(Boolean);
  const ofSwitch = (): readonly string[] => routes(node, '80').filter((line) => line.includes('via 172.30.7.12'));

  /** The session is up, nothing is stale on our side, and the switch has told and heard all. */
  const isSettled = async (): Promise<boolean> => {
    const { bgp } = await node.client.get<NodeStatus>('/v1/status');
    const peer = bgp.peers[0];
    return (
      bgp.converged &&
      peer?.state === 'Established' &&
      peer.gracefulRestart?.staleRoutes === 0 &&
      !peer.gracefulRestart.peerRestarting &&
      ofSwitch().length === LEARNED.length &&
      routes(onSwitch, 'bird').length === 1
    );
  };
  const told = (): string => `${node.log()}\n${node.netns.run('ip', 'route')}\n${onSwitch.netns.run('ip', 'route')}`;
  const untilSettled = (): Promise<void> => until(isSettled, told);
  /** All changes until now: a route of a third party is the mark up to which `ip monitor` must have told. */
  const events = async (): Promise<Readonly<Record<string, readonly string[]>>> => {
    marks++;
    for (const each of lab.nodes) {
      each.netns.run('ip', 'route', 'add', `198.51.100.${marks}`, 'dev', 'lo', 'proto', 'static');
      await until(() => Promise.resolve(each.routeEvents('static').length === marks), told);
    }
    return { node: node.routeEvents(), switch: onSwitch.routeEvents('bird') };
  };

  beforeEach(async () => {
    marks = 0;
    lab = makeAgentLab('cgr');
    [node, onSwitch] = lab.nodes as [LabNode, LabNode];
    directory = mkdtempSync(join(tmpdir(), 'cgr-bird-'));
    writeFileSync(join(directory, 'bird.conf'), BIRD);
    startBird();
    node.start();
    await until(async () => (await node.client.get<NodeStatus>('/v1/status')).datastore.inSync, told);
    await lab.cli(['apply'], PEER);
    pod = makeNetns('cgr-pod');
    await node.client.post<PodResult>('/v1/pods', {
      containerId: 'pod',
      netns: pod.path,
      interfaceName: 'eth0',
      podNamespace: 'default',
      podName: 'pod',
    });
    await untilSettled();
  });
  afterEach(async () => {
    await killBird();
    await lab.remove();
    pod.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('the agent ends by %s and starts again', async (signal) => {
    const before = await events();
    const startedAt = (await node.client.get<NodeStatus>('/v1/status')).startedAt;
    await node.kill(signal);
    expect(ofSwitch()).toHaveLength(LEARNED.length);
    node.start();
    await until(async () => (await node.client.get<NodeStatus>('/v1/status')).startedAt !== startedAt, told);
    await untilSettled();
    expect(await events()).toEqual(before);
  });

  // Once its session is up BIRD takes away what it has not been told again: of consecutive restarts RFC 4724 §4.2 asks for that.
  test('the agent is killed once more before its session is up', async () => {
    const before = await events();
    const { startedAt } = await node.client.get<NodeStatus>('/v1/status');
    await node.kill('SIGKILL');
    node.netns.run('nft', 'add', 'table', 'inet', 'shut');
    node.netns.run('nft', 'add', 'chain', 'inet', 'shut', 'out', '{ type filter hook output priority 0; }');
    node.netns.run('nft', 'add', 'rule', 'inet', 'shut', 'out', 'tcp', 'dport', '179', 'drop');
    node.netns.run('nft', 'add', 'rule', 'inet', 'shut', 'out', 'tcp', 'sport', '179', 'drop');
    node.start();
    await until(async () => {
      const status = await node.client.get<NodeStatus>('/v1/status');
      return status.startedAt !== startedAt && status.bgp.peers.length === 1;
    }, told);
    await node.kill('SIGKILL');
    node.netns.run('nft', 'delete', 'table', 'inet', 'shut');
    node.start();
    await untilSettled();
    expect(await events()).toEqual(before);
  });

  test('the agent is killed, and waits for a datastore that is away before it finds it', async () => {
    const before = await events();
    await node.kill('SIGKILL');
    node.start({ DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: 'http://127.0.0.1:1', WAIT_FOR_DATASTORE: 'true' });
    await until(() => Promise.resolve(node.log().includes('waiting for the datastore')), told);
    expect(await events()).toEqual(before);
    await node.kill('SIGTERM');
    node.start();
    await untilSettled();
    expect(await events()).toEqual(before);
  });

  test('where the switch withdraws while the agent is away, that route alone goes, when all is told again', async () => {
    const before = await events();
    await node.kill('SIGKILL');
    writeFileSync(join(directory, 'bird.conf'), BIRD.replace(`route ${LEARNED[1]} blackhole;`, ''));
    onSwitch.netns.run('birdc', '-s', join(directory, 'bird.ctl'), 'configure');
    node.start();
    await until(() => Promise.resolve(ofSwitch().length === 1), told);
    const after = await events();
    expect(after['node']?.slice(before['node']?.length)).toEqual([
      `Deleted ${LEARNED[1]} via 172.30.7.12 dev eth0 proto 80 `,
    ]);
    expect(after['switch']).toEqual(before['switch']);
  });

  test('BIRD is killed and starts again', async () => {
    const before = await events();
    await killBird();
    await until(async () => {
      const { bgp } = await node.client.get<NodeStatus>('/v1/status');
      return bgp.peers[0]?.gracefulRestart?.staleRoutes === LEARNED.length;
    }, told);
    startBird('-R');
    await untilSettled();
    expect(await events()).toEqual(before);
  });
});
