/** An agent that is killed while a pod goes leaves its address behind; the next one collects it, and nothing of the pods that live. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeStatus } from '../../src/api/contract.ts';
import { hostInterfaceName } from '../../src/cni/names.ts';
import { openStore } from '../../src/datastore/open.ts';
import type { Store } from '../../src/datastore/store.ts';
import { createIpam } from '../../src/ipam/index.ts';
import type { Ipam } from '../../src/ipam/index.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { addPod, makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

describe.skipIf(!isRoot && process.env['CI'] === undefined)('an agent that collects leaks', () => {
  let lab: AgentLab;
  let node: LabNode;
  let store: Store;
  let ipam: Ipam;
  const pods: TestNetns[] = [];

  const startPod = (name: string): Promise<string> => {
    const netns = makeNetns(`ctl-${name}`);
    pods.push(netns);
    return addPod(node, netns, name);
  };
  const heldBy = async (name: string): Promise<readonly string[]> =>
    (await ipam.assignmentsOf(`k8s-pod-network.${name}`)).map(({ address }) => formatIpAddress(address));

  beforeEach(async () => {
    lab = makeAgentLab('ctl', { environment: { CALICO_IPAM_LEAK_GRACE_PERIOD: '2s' } });
    node = lab.nodes[0]!;
    for (const each of lab.nodes) each.start();
    await untilSettled(lab);
    store = await openStore({ type: 'file', directory: lab.store });
    ipam = createIpam(store, { clock: systemClock, random: Math.random });
  });
  afterEach(async () => {
    await store.close();
    await lab.remove();
    for (const pod of pods.splice(0)) pod.remove();
  });

  test('after a kill: what has neither endpoint nor interface goes, all else stays', async () => {
    const [gone, alive, hidden] = [await startPod('gone'), await startPod('alive'), await startPod('hidden')];
    await node.kill('SIGKILL');
    // As far as a DEL comes that is killed before it gives the address back; `hidden` has lost its endpoint alone.
    node.netns.run('ip', 'link', 'del', hostInterfaceName({ orchestrator: 'k8s', namespace: 'default', pod: 'gone' }));
    for (const name of ['gone', 'hidden']) {
      const { entries } = await store.list('/calico/resources/v3/projectcalico.org/workloadendpoints/default/');
      await store.delete(entries.find(({ key }) => key.includes(`-${name}-`))!.key);
    }
    expect(await heldBy('gone')).toEqual([gone]);
    node.start();
    await until(
      async () => (await node.client.get<NodeStatus>('/v1/status')).leaks?.released === 1,
      () => node.log(),
    );
    expect(await heldBy('gone')).toEqual([]);
    expect(node.log()).toContain(`"addresses":["${gone}"],"handle":"k8s-pod-network.gone","pod":"default/gone"`);
    expect(node.ctl('node', 'status').said).toContain(
      'Addresses that look leaked, since no endpoint has them: 1; given back when',
    );
    expect([await heldBy('alive'), await heldBy('hidden')]).toEqual([[alive], [hidden]]);
  });
});
