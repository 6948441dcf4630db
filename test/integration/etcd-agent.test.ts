import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataplane } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import { Agent } from '../../src/agent/agent.ts';
import { AgentHealth } from '../../src/agent/agent-health.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { affinityKey, blockKey } from '../../src/datastore/keys.ts';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { hostAffinity } from '../../src/ipam/affinity.ts';
import { newBlock } from '../../src/ipam/block.ts';
import { blockToJson } from '../../src/ipam/block-json.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { endpointsPrefix } from '../../src/resources/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { near, newHost, settings as felixSettings } from '../support/dataplane-rig.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { fakeSpeaker } from '../support/fake-speaker.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { LeapingClock } from '../support/leaping-clock.ts';
import { entryOf, resource } from '../support/resources.ts';

const OWN = parsePrefix('10.48.0.0/26');
const SECOND = parsePrefix('10.48.0.64/26');

/** Agent and felix as they are, over a kernel in memory whose journal is the witness; the etcd is real, their time leaps. */
describe.skipIf(!HAS_ETCD)('an agent whose etcd goes away', () => {
  let server: EtcdServer;
  let proxy: FaultProxy;
  let clock: LeapingClock;
  let store: Store;
  let writer: Store;
  let kernel: FakeKernel;
  let dataplane: Dataplane;
  let agent: Agent;

  beforeEach(async () => {
    server = await EtcdServer.start();
    proxy = await FaultProxy.start(server.port);
    clock = new LeapingClock();
    const ports = { clock, random: Math.random };
    writer = await openEtcdStore({ endpoints: [server.endpoint] }, { clock: systemClock, random: Math.random });
    store = await openEtcdStore({ endpoints: [`http://127.0.0.1:${proxy.port}`] }, ports);
    kernel = await newHost();
    kernel.givenLink({ name: 'cali1', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:02' });
    dataplane = createDataplane(felixSettings, { ...ports, kernel, log: silentLogger });
    await dataplane.start();
    await put(resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } }));
    await put(resource('ClusterInformation', 'default', { clusterGUID: 'ours' }));
    await put(resource('IPPool', 'main', { cidr: '10.48.0.0/16' }));
    await claim(OWN);
    await put(podOf('p', 'cali1', '10.48.0.1/32'));
    agent = new Agent(loadSettings({ NODENAME: 'a' }), {
      ...{ node: 'a', version: '1.2.3', store, dataplane, ...ports, hasIpv6: true, hasInterface: () => false },
      health: new AgentHealth({ clock, dataplane, asBirdReady: false }),
      createSpeaker: () => fakeSpeaker({ learnedRoutes: () => [near] }),
      ...{ log: silentLogger, datastoreLog: silentLogger, onBgpLogLevel: () => undefined },
      ...{ onRuntimeSettings: () => undefined, settingProblems: () => [] },
      onFatal: (error) => expect.fail(error.message),
      onStopped: () => undefined,
    });
    agent.start();
    await eventually(() => expect(routes()).toEqual(FIRST));
    kernel.journal.length = 0;
  });
  afterEach(async () => {
    await agent.close({ kind: 'restart' });
    await dataplane.close();
    await Promise.all([store.close(), writer.close()]);
    await proxy.close();
    await server.remove();
  });

  const put = async (one: Parameters<typeof entryOf>[0]): Promise<void> => {
    const { key, value } = entryOf(one);
    await writer.create(key, value);
  };
  const podOf = (pod: string, interfaceName: string, ip: string): ReturnType<typeof resource> =>
    resource('WorkloadEndpoint', `${endpointsPrefix({ orchestrator: 'k8s', node: 'a', pod })}eth0`, {
      ...{ orchestrator: 'k8s', node: 'a', pod, endpoint: 'eth0', interfaceName, ipNetworks: [ip] },
    });
  const claim = async (block: typeof OWN): Promise<void> => {
    const value = blockToJson(newBlock({ prefix: block, affinity: hostAffinity('a'), claimedAtMs: 0 }));
    await writer.create(blockKey(block), value);
    await writer.create(affinityKey('a', block), { state: 'confirmed', deleted: false });
  };
  const routes = (): readonly string[] =>
    agent
      .routes()
      .map(({ prefix, state }) => `${prefix} ${state}`)
      .sort();
  const FIRST = ['10.48.0.0/26 programmed', '10.48.0.1/32 programmed', '192.168.2.0/26 programmed'];
  const routeWrites = (): readonly string[] => kernel.journal.filter((line) => line.includes('route'));
  const backAgain = async (): Promise<void> => {
    proxy.cutAll();
    proxy.pass();
    await proxy.accept();
  };

  test.each(['refuse', 'stall', 'blackHole'] as const)(
    'for twenty minutes (%s): no route is touched, it says so, and then only what changed is programmed',
    async (how) => {
      await proxy[how]();
      await claim(SECOND);
      await writer.delete(entryOf(podOf('p', 'cali1', '10.48.0.1/32')).key);
      await clock.leap(1_200_000);
      expect(routes()).toEqual(FIRST);
      expect(routeWrites()).toEqual([]);
      const { datastore, health } = agent.status();
      expect(datastore).toMatchObject({
        inSync: true,
        stale: expect.stringMatching(/^etcd at http.* does not answer/),
      });
      const verdict = health?.reporters.find(({ name }) => name === 'datastore');
      expect(verdict).toMatchObject({ live: true, ready: false });
      expect(verdict?.detail).toMatch(/^stale for 20 min, what was known is kept: etcd at http/);
      await backAgain();
      await eventually(async () => {
        await clock.leap(1_000);
        expect(routes()).toEqual(['10.48.0.0/26 programmed', '10.48.0.64/26 programmed', '192.168.2.0/26 programmed']);
      });
      expect(routeWrites()).toHaveLength(2);
      expect(agent.status().datastore).not.toHaveProperty('stale');
    },
  );

  test('wiped: no route is touched, and it says why', async () => {
    await server.kill();
    await server.wipe();
    await server.restart();
    await eventually(async () => {
      await clock.leap(1_000);
      expect(agent.status().datastore.stale).toMatch(/cannot be believed: its data are another cluster's/);
    });
    await clock.leap(700_000);
    expect(routes()).toEqual(FIRST);
    expect(routeWrites()).toEqual([]);
  });
});
