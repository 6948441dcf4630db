import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeStatus } from '../../src/api/contract.ts';
import { addPod, makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const POOL = `apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: six}
spec: {cidr: 'fd10::/48', vxlanMode: Always}
`;

/** Their hosts have IPv4 addresses too, as for SSH, and the nodes are to make no use of them. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('two nodes of IPv6 alone', () => {
  let lab: AgentLab;
  const pods: TestNetns[] = [];
  const said = (): string => lab.nodes.map((node) => `${node.log()}${node.netns.run('ip', '-6', 'route')}`).join('\n');

  beforeAll(async () => {
    lab = makeAgentLab('cts6', { environment: { IP: 'none', IP6: 'autodetect' } });
    for (const [i, { netns }] of lab.nodes.entries()) {
      netns.run('ip', 'addr', 'add', `fd00:30::${11 + i}/64`, 'dev', 'eth0', 'nodad');
    }
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    await lab.cli(['apply'], POOL);
  }, 60_000);
  afterAll(async () => {
    await lab.remove();
    for (const pod of pods) pod.remove();
  });

  test('peer over IPv6, by identifiers of their names’ hash, and their pods reach each other through VXLAN', async () => {
    const [a, b] = await Promise.all(lab.nodes.map(({ client }) => client.get<NodeStatus>('/v1/status')));
    expect(a!.bgp.peers.map(({ address, state }) => [address, state])).toEqual([['fd00:30::12', 'Established']]);
    expect(new Set([a!.bgp.bgpIdentifier, b!.bgp.bgpIdentifier]).size).toBe(2);
    expect(await lab.text(['get', 'ippools', '-o', 'name'])).toBe('ippool.projectcalico.org/six\n');
    const addresses: string[] = [];
    for (const [i, node] of lab.nodes.entries()) {
      const pod = makeNetns(`cts6-pod${i}`);
      pods.push(pod);
      addresses.push(await addPod(node, pod, `pod-${i}`));
    }
    expect(addresses[1]).toMatch(/^fd10:/);
    const isReached = () =>
      Promise.resolve(pods[0]!.run('ping', '-6', '-c', '1', '-W', '1', addresses[1]!).includes(' 0% packet loss'));
    await until(isReached, said);
    expect(lab.nodes[0]!.netns.run('ip', '-6', 'route')).toMatch(/^fd10:\S+\/122 via \S+ dev vxlan-v6\.calico/m);
    expect(lab.nodes[0]!.ctl('node', 'status').status).toBe(0);
  });
});
